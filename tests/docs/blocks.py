"""Pages as blocks of code, and a folder in which the blocks of one page run one after another.

An HTML comment right before a block says what is special about it:

- `not run: why`: it is only shown.
- `file: app.py`: the program is kept under this name, and run once.
- `keep: orders/models.py`: it is kept under this name, for other programs; not only programs are.
- `in app.py`: definitions that replace those of the same name in that file; imports are added.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "channels").glob("*.md")),
    *sorted((ROOT / "docs" / "frameworks").glob("*.md")),
    *sorted((ROOT / "docs" / "tutorials").glob("*.md")),
]
COMMAND_S_MAX = 120
PROMPT = "$ "
PROGRAM, CONSOLE = "python", "console"

_BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*) -->\n+)?"
    r"(?:^```(?P<language>\w*)\n(?P<fenced>.*?)^```$|(?P<indented>(?:^    [^\n]*\n|^\n(?=    ))+))",
    re.MULTILINE | re.DOTALL,
)
_VOLATILE = re.compile(
    r"(?P<gap>^ *\.\.\.\n)"
    r"|(?P<hash>\b[0-9a-f]{32,64}\b)"
    r"|(?P<at>\b\d{4}-\d\d-\d\dT[\d:.]+Z)"
    r"|(?P<age>\b\d+ (?:s|min|h|d)(?= ago))"
    r"|(?P<took>\b\d+\.\d+s\b)"
    r"|(?P<full>\b[0-9a-hjkmnp-tv-z]{17}\b)"
    r"|(?P<id>\b(?=[a-z]*\d)[0-9a-hjkmnp-tv-z]{6}\b)",
    re.MULTILINE,
)
_PATTERNS = {
    "gap": r"(?:.*\n)*?",
    "hash": r"[0-9a-f]{32,64}",
    "at": r"\d{4}-\d\d-\d\dT[\d:.]+Z",
    "age": r"\d+ (?:s|min|h|d)",
    "full": r"[0-9a-hjkmnp-tv-z]{17}",
    "took": r"\d+\.\d+s",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of code of a page, and the comment before it."""

    page: str
    line: int
    language: str
    text: str
    note: str

    @property
    def runs(self) -> bool:
        code = self.language in {PROGRAM, CONSOLE} and not self.note.startswith("not run:")
        return code or self.is_kept

    @property
    def is_kept(self) -> bool:
        return self.note.startswith("keep: ")

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str, text: str) -> Iterator[Block]:
    """All fenced blocks, and the indented ones that begin with a prompt."""
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.end()) + 1
        note, language, code = found["note"] or "", found["language"] or "", found["fenced"]
        if code is None:
            code = re.sub(r"^    ", "", found["indented"], flags=re.MULTILINE).lstrip("\n")
        if code.startswith(PROMPT):
            language = CONSOLE
        if found["fenced"] is not None or language:
            yield Block(page, line, language, code, note)


def commands(text: str) -> list[tuple[str, str]]:
    """Each command of a console block with what it writes."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(command, said) for command, _, said in (part.partition("\n") for part in parts)]


@dataclass
class Reader:
    """Somebody who does what a page says, in a fresh folder. `ids`: of the page, to the real;
    `env`: what their shell has set."""

    folder: Path
    ids: dict[str, str] = field(default_factory=dict[str, str])
    env: dict[str, str] = field(default_factory=dict[str, str])

    def follow(self, block: Block) -> list[str]:
        """Run one block; what does not come out as the page says."""
        if block.language == PROGRAM or block.is_kept:
            return self._program(block)
        return [c for command, said in commands(block.text) for c in self._command(command, said)]

    def _program(self, block: Block) -> list[str]:
        kind, _, name = block.note.replace("in ", "in: ", 1).partition(": ")
        path = self.folder / (name or f"line_{block.line}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "in":
            path.write_text(replaced(path.read_text(), block.text))
        else:
            path.write_text(block.text)
        if block.is_kept:
            return []
        done = self._run([sys.executable, path.name])
        return [] if done.returncode == 0 else [f"{block} does not run:\n{done.stdout}"]

    def _command(self, command: str, said: str) -> list[str]:
        for ours, real in self.ids.items():
            command = command.replace(ours, real)
        done = self._run(["sh", "-c", command.replace("make demo", "twelvefold demo")])
        out = done.stdout.replace(".venv/bin/", "")
        if done.returncode < 0:  # what an interactive shell says of SIGKILL
            out += "Killed\n"
        expected, new = pattern(stripped(said).replace(".venv/bin/", ""), self.ids)
        if (found := re.fullmatch(expected, stripped(out))) is None:
            return [f"$ {command}\nwrote:\n{out}\ninstead of:\n{said}"]
        self.ids |= {ours: found[f"id_{ours}"] for ours in new}
        return []

    def _run(self, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        env = {name: v for name, v in os.environ.items() if not name.startswith("TWELVEFOLD_")}
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
        return subprocess.run(
            command,
            cwd=self.folder,
            env=env | {"PYTHONDONTWRITEBYTECODE": "1"} | self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S_MAX,
        )

    def has(self, source: str, name: str) -> None:
        """Put a file of the repository into the folder."""
        shutil.copy(ROOT / source, self.folder / name)


def stripped(text: str) -> str:
    return "".join(line.rstrip() + "\n" for line in text.strip("\n").split("\n"))


def pattern(said: str, ids: dict[str, str]) -> tuple[str, list[str]]:
    """What a page shows as a regular expression, and the ids that it names for the first time.

    Times, durations, hashes and ids may differ; a line `...` stands for any lines.
    """
    parts: list[str] = []
    new: list[str] = []
    end = 0
    for found in _VOLATILE.finditer(said):
        parts.append(re.escape(said[end : found.start()]))
        end, ours = found.end(), found["id"]
        if ours is None:
            parts.append(_PATTERNS[str(found.lastgroup)])
        elif ours in ids:
            parts.append(re.escape(ids[ours]))
        elif ours in new:
            parts.append(f"(?P=id_{ours})")
        else:
            new.append(ours)
            parts.append(f"(?P<id_{ours}>[0-9a-hjkmnp-tv-z]{{6}})")
    return "".join(parts) + re.escape(said[end:]), new


def replaced(source: str, change: str) -> str:
    """The source with the definitions of `change` instead of its own of the same name."""
    imports, definitions = [], {}
    for node in ast.parse(change).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(ast.unparse(node))
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            definitions[node.name] = node
    tree = ast.parse(source)
    names = {getattr(node, "name", None) for node in tree.body}
    assert set(definitions) <= names, f"nothing to replace: {set(definitions) - names}"
    tree.body = [definitions.get(getattr(node, "name", None), node) for node in tree.body]
    return "\n".join([*imports, ast.unparse(tree)]) + "\n"
