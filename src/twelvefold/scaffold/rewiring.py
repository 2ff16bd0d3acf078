"""Imports of a project's files, changed as text: the rest of a file stays as it is, to the byte.

What came from a module of ours comes from `ejected`, among the project's own imports.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import twelvefold
from twelvefold.scaffold.using import EJECTED

LINE_CHARS_MAX = 100
FIRST = f"import {EJECTED} as {EJECTED}  # before twelvefold, which then uses these copies\n"
SPLIT = "\n# isort: split\n"


def entries(texts: Mapping[Path, str]) -> Iterator[Path]:
    """The modules of a folder that import twelvefold and that no other one there imports."""
    imported = {name for text in texts.values() for name in _imports(text)}
    for path, text in texts.items():
        if path.stem not in imported and any(
            name.partition(".")[0] == "twelvefold" for name in _imports(text)
        ):
            yield path


def begun(text: str) -> str:
    """The file, loading what is ejected before anything else."""
    if f"import {EJECTED}" in text:
        return text
    lines = text.splitlines(keepends=True)
    at = _after_docstring(text)
    gap = ["\n"] if at and lines[at - 1].strip() else []
    rest = lines[at:]
    while rest and not rest[0].strip():
        rest = rest[1:]
    return "".join([*lines[:at], *gap, FIRST, SPLIT, "\n" if rest else "", *rest])


def rewired(text: str, module: str, own: Collection[str]) -> str:
    """The file, with everything of `twelvefold.<module>` imported from what is ejected.

    `own` are the modules that are imported as the project's own.
    """
    tree = ast.parse(text)
    top = {id(node) for node in tree.body}
    edits = [e for node in ast.walk(tree) if (e := _edit(node, module, text)) is not None]
    added: list[str] = []
    lines = text.splitlines(keepends=True)
    for one in sorted(edits, key=lambda e: e.node.lineno, reverse=True):
        stays = [one.left] if one.left else []
        if id(one.node) in top:
            added.append(one.moved)
        else:
            stays.append(" " * one.node.col_offset + one.moved)
        lines[one.node.lineno - 1 : one.node.end_lineno] = stays
    text = "".join(lines)
    for statement in sorted(added, reverse=True):
        text = _inserted(text, statement, own)
    return text


@dataclass(frozen=True, slots=True)
class _Edit:
    """An import statement as it stays, empty when nothing of it does, and what is imported anew."""

    node: ast.ImportFrom
    left: str
    moved: str


def _edit(node: ast.AST, module: str, text: str) -> _Edit | None:
    if not isinstance(node, ast.ImportFrom) or node.level or node.module is None:
        return None
    name = f"twelvefold.{module}"
    if node.module == name or node.module.startswith(f"{name}."):
        return _Edit(
            node, "", _statement(f"{EJECTED}{node.module[len('twelvefold') :]}", node.names)
        )
    if node.module != "twelvefold":
        return None
    homes = twelvefold._HOME_OF  # pyright: ignore[reportPrivateUsage]
    gone = [one for one in node.names if homes.get(one.name, "").partition(".")[0] == module]
    if not gone:
        return None
    stays = [one for one in node.names if one not in gone]
    return _Edit(node, _without(node, stays, gone, text), _statement(f"{EJECTED}.{module}", gone))


def _without(node: ast.ImportFrom, stays: list[ast.alias], gone: list[ast.alias], text: str) -> str:
    """The statement as it was written, but for the names that go."""
    if not stays:
        return ""
    lines = text.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno]
    each_on_its_line = (
        len({one.lineno for one in node.names} | {node.lineno}) == len(node.names) + 1
    )
    if each_on_its_line:
        numbers = {one.lineno - node.lineno for one in gone}
        return "".join(line for number, line in enumerate(lines) if number not in numbers)
    return " " * node.col_offset + _statement("twelvefold", stays)


def _statement(module: str, names: list[ast.alias]) -> str:
    listed = [one.name + (f" as {one.asname}" if one.asname else "") for one in names]
    line = f"from {module} import {', '.join(listed)}\n"
    if len(line) <= LINE_CHARS_MAX:
        return line
    rows = "".join(f"    {name},\n" for name in listed)
    return f"from {module} import (\n{rows})\n"


def _inserted(text: str, statement: str, own: Collection[str]) -> str:
    """The text with the statement among the imports of the project's own, where sorting puts it."""
    lines = text.splitlines(keepends=True)
    name = statement.split()[1]
    imports = [n for n in ast.parse(text).body if isinstance(n, ast.Import | ast.ImportFrom)]
    ours = [node for node in imports if _module(node) in own]
    later = [n for n in ours if isinstance(n, ast.ImportFrom) and (n.module or "") > name]
    if later:
        at, gap = later[0].lineno - 1, []
    elif ours:
        at, gap = ours[-1].end_lineno or 0, []
    else:
        at, gap = (imports[-1].end_lineno or 0) if imports else _after_docstring(text), ["\n"]
    return "".join([*lines[:at], *gap, statement, *lines[at:]])


def _module(node: ast.Import | ast.ImportFrom) -> str:
    """The package that is imported from."""
    name = node.names[0].name if isinstance(node, ast.Import) else node.module or "."
    return name.partition(".")[0]


def _imports(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def _after_docstring(text: str) -> int:
    """The number of lines before which nothing may be imported: a docstring, `__future__`."""
    at = 0
    for node in ast.parse(text).body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (is_text or is_future):
            break
        at = node.end_lineno or at
    return at
