"""`eject`: a module of ours becomes a package of the user's project, and twelvefold uses that one.

The copies lie in `ejected/`, with their imports pointing at each other. `ejected/__init__.py` puts
them in place of ours, for what is left of twelvefold, too; pyproject.toml says so to the command
line and to pytest, and an `import ejected` to what else starts the application.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from twelvefold import __version__
from twelvefold.exceptions import ConfigurationError
from twelvefold.scaffold import rewiring
from twelvefold.scaffold.using import EJECTED
from twelvefold.scaffold.writing import Change, changes, edit, read

EJECTABLE: Mapping[str, str] = {"loop": "loop", "render": "context", "parse": "tools"}
"""What a person calls it, and the module of ours."""
ORDER = ("tools", "context", "loop")
"""Bottom up, as they import each other."""
FILES_MAX = 2_000
"""Of a project: a folder with more is not one."""

_PACKAGE = Path(__file__).parents[1]
_OVERLAY = Path(__file__).with_name("overlay.py")
_ELSEWHERE = frozenset({"node_modules", "__pycache__", "site-packages"})
_MODULES = re.compile(r"^(MODULES: tuple\[str, \.\.\.\] = )\((.*?)\)", re.MULTILINE)
_LINT = "# ruff: noqa: I001, RUF100, SIM905\n"
_HEADER = f"# Ejected from twelvefold {__version__}: yours to change.\n{_LINT}"


def planned(what: str, root: Path) -> list[Change]:
    """What ejecting it would change in the project: new files, and edits of imports. Reads only.

    Raises `ConfigurationError` for something else, and where there is no project; `AlreadyThere`.
    """
    if what not in EJECTABLE:
        raise ConfigurationError(f"{what!r} cannot be ejected: {', '.join(EJECTABLE)} can.")
    project = root / "pyproject.toml"
    if not project.is_file():
        raise ConfigurationError(f"{root} holds no pyproject.toml. Run it in your project.")
    module = EJECTABLE[what]
    ejected = {*_ejected(root), module}
    copies = changes(root, {path: text for path, text in _copies(module, ejected)})
    edits = _rewired(root, module, copies)  # what a person wants to see first
    return [*edits, _told(project), _init(root, ejected), *copies]


def _copies(module: str, ejected: set[str]) -> Iterator[tuple[str, str]]:
    """Our files, importing their own kind from where they will be."""
    for source in sorted((_PACKAGE / module).rglob("*.py")):
        text = _renamed(source.read_text(encoding="utf-8"), ejected)
        yield f"{EJECTED}/{source.relative_to(_PACKAGE).as_posix()}", _HEADER + text


def _renamed(text: str, modules: set[str]) -> str:
    names = "|".join(sorted(modules))
    return re.sub(rf"\btwelvefold\.({names})\b", rf"{EJECTED}.\1", text)


def _ejected(root: Path) -> set[str]:
    """What was ejected before."""
    there = read(root / EJECTED / "__init__.py") or ""
    found = _MODULES.search(there)
    return set(re.findall(r'"(\w+)"', found[2])) if found else set()


def _init(root: Path, ejected: set[str]) -> Change:
    """Our overlay, or the one that is there, naming what is ejected."""
    path = root / EJECTED / "__init__.py"
    names = ", ".join(f'"{name}"' for name in ORDER if name in ejected)
    listed = f"({names},)" if len(ejected) == 1 else f"({names})"
    before = read(path)
    ours = _OVERLAY.read_text(encoding="utf-8")
    is_known = before is not None and _MODULES.search(before)
    text = _MODULES.sub(rf"\g<1>{listed}", before if before and is_known else ours)
    return edit(path, text) if is_known else Change(path, text, before)


def _rewired(root: Path, module: str, copies: list[Change]) -> Iterator[Change]:
    """The project's files that import it from us, or begin a process without our command line."""
    ours = {change.path for change in copies} | {root / EJECTED / "__init__.py"}
    texts = {path: _code(path) for path in _python(root) if path not in ours}
    own = {path.relative_to(root).parts[0].removesuffix(".py") for path in texts} | {EJECTED}
    outside = [path for path in texts if not path.is_relative_to(root / EJECTED)]
    first = set(rewiring.entries({path: texts[path] for path in outside if path.parent == root}))
    for path, text in texts.items():
        if path not in outside:
            new = _renamed(text, {module})
        else:
            new = rewiring.rewired(text, module, own)
            new = rewiring.begun(new) if path in first else new
        if new != text:
            yield edit(path, new)


def _code(path: Path) -> str:
    text = read(path) or ""
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise ConfigurationError(
            f"{path}, line {error.lineno}: {error.msg}. Mend it first."
        ) from error
    return text


def _told(project: Path) -> Change:
    """pyproject.toml, with the line that the command line and pytest look for."""
    text = read(project) or ""
    line = f'ejected = "{EJECTED}"'
    if re.search(rf"^{line}$", text, re.MULTILINE):
        return edit(project, text)
    if re.search(r"^\[tool\.twelvefold\]", text, re.MULTILINE):
        table = re.compile(r"^(\[tool\.twelvefold\][^\n]*\n)", re.MULTILINE)
        return edit(project, table.sub(rf"\1{line}\n", text, count=1))
    return edit(project, text.rstrip("\n") + f"\n\n[tool.twelvefold]\n{line}\n")


def _python(root: Path) -> list[Path]:
    """The project's own files, in order. Raises `ConfigurationError` where there are too many."""
    found = [path for path in sorted(root.rglob("*.py")) if _is_own(path.relative_to(root), root)]
    if len(found) > FILES_MAX:
        raise ConfigurationError(f"{root} holds {len(found)} Python files. Run it in your project.")
    return found


def _is_own(path: Path, root: Path) -> bool:
    folders = path.parts[:-1]
    strange = any(name.startswith(".") or name in _ELSEWHERE for name in folders)
    return not strange and not (folders and (root / folders[0] / "pyvenv.cfg").exists())
