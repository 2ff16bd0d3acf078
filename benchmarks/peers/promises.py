"""`python -m benchmarks.peers.promises`: two accidents, by ours and by each peer, each act in a
process of its own.

- **The kill**: a person approves, the tool pays, and its process dies before anything of that is
  recorded. Then, in a new process, what the documentation has the caller do to go on.
- **The second answer**: all is over, and another person approves the same question.

The gates are those of the bench (`langgraph.py`, ...), with a tool that writes a line per payment.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers.__main__ import PEERS, VENVS
from benchmarks.peers.accidents import DIES, LEDGER, SAID

SIDES = {
    "ours": "",
    "ours, retry_safe": "",
    "langgraph": "langgraph",
    "dbos": "dbos",
    "pydantic_ai": "pydantic_ai",
    "openai_agents": "openai_agents",
}
TITLES = ("side", "payments after the kill", "what goes on", "payments after a second answer", "")
PATIENCE_S = 600


def main() -> None:
    wanted = sys.argv[1:] or list(SIDES)
    lines = [TITLES, ("---",) * len(TITLES)]
    for side in wanted:
        lines.append((side, *cells(side)))
        print(f"{side}: {lines[-1][1:]}", file=sys.stderr)
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))


def cells(side: str) -> Iterator[str]:
    """The row of one side."""
    with tempfile.TemporaryDirectory() as folder:
        _act(side, "ask", Path(folder))
        (Path(folder) / DIES).touch()
        _act(side, "approve", Path(folder))
        went_on = _act(side, "go_on", Path(folder))
        yield _paid(Path(folder))
        yield went_on
    with tempfile.TemporaryDirectory() as folder:
        for act in ("ask", "approve"):
            _act(side, act, Path(folder))
        said = _act(side, "again", Path(folder))
        yield _paid(Path(folder))
        yield said


def _act(side: str, act: str, folder: Path) -> str:
    """What came of one act; whoever died has said nothing."""
    said = folder / SAID
    said.unlink(missing_ok=True)
    venv = SIDES[side]
    python = str(VENVS / PEERS[venv] / "bin" / "python") if venv else sys.executable
    command = [python, "-m", "benchmarks.peers.accidents", side, act, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if said.exists():
        return str(json.loads(said.read_text()))
    last = done.stderr.strip().splitlines()[-1:] or ["nothing"]
    return "killed" if done.returncode < 0 else last[0]


def _paid(folder: Path) -> str:
    """How many payments, and with how many keys."""
    ledger = folder / LEDGER
    keys = ledger.read_text().split() if ledger.exists() else []
    named = sorted({key for key in keys if key != "-"})
    return f"{len(keys)}" + (f", under {len(named)} key" if named else "")


if __name__ == "__main__":
    main()
