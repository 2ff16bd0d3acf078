"""Which names the reference shows: those of a module that it defines or exports, where they are
defined."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src/twelvefold"
UNSHOWN = frozenset({"cli", "pytest_plugin", "scaffold", "tables", "tags", "vendors"})
"""What nobody imports who uses the library."""
UNTITLED = "    options:\n      show_root_heading: false\n"
BY_FILE = frozenset({"channels", "models", "stores"})
"""Packages of modules that are imported by their own names."""


def pages() -> Iterator[tuple[str, str]]:
    """The name and the text of one page per public module, for mkdocstrings."""
    for path in sorted(PACKAGE.iterdir()):
        name = path.stem
        source = path / "__init__.py" if path.is_dir() else path
        if source.suffix != ".py" or not source.is_file():
            continue
        if name in UNSHOWN or name.startswith("_"):
            continue
        shown = exported(source)
        if name in BY_FILE:
            shown += [f"twelvefold.{name}.{one}" for one in submodules(path)]
        directives = "".join(f"\n::: {one}\n" for one in shown)
        yield name, f"# `twelvefold.{name}`\n\n::: twelvefold.{name}\n{UNTITLED}{directives}"


def submodules(package: Path) -> list[str]:
    found = (path.stem for path in package.iterdir() if path.is_dir() or path.suffix == ".py")
    return sorted(name for name in found if not name.startswith("_"))


def exported(source: Path) -> list[str]:
    """The full names of what a module imports from others to offer it: by `X as X` or `__all__`."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    offered = _all(tree)
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("twelvefold."):
            for name in node.names:
                if name.asname == name.name or (name.asname is None and name.name in offered):
                    found[f"{node.module}.{name.name}"] = None
    return list(found)


def _all(tree: ast.Module) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()
