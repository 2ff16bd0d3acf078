"""Each extra, each variable of the environment and each key of pyproject.toml is on its page, and
so are the commands and exit codes on theirs; no page lists what is not there.

What there is is read from the sources: each list is tried with an entry taken away, too.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from blocks import ROOT
from test_docs_complete import names, rows, text_of

from twelvefold.cli import exits
from twelvefold.cli.root import COMMANDS

SOURCE = ROOT / "src" / "twelvefold"
TEMPLATES = SOURCE / "scaffold" / "templates"
FOR_TESTS = {"PYTHONPATH"}
"""What a test's own child process is given by `twelvefold.testing`, and reads of its parent."""

Listed = Callable[[str], list[str]]


# What there is


def all_extras() -> set[str]:
    return set(tomllib.loads(text_of("pyproject.toml"))["project"]["optional-dependencies"])


def all_variables() -> set[str]:
    """What is read of the environment, but by the files of a new project."""
    trees = [ast.parse(path.read_text("utf-8")) for path in sources()]
    return {name for tree in trees for name in variables(tree)} - FOR_TESTS


def sources() -> list[Path]:
    return [path for path in SOURCE.rglob("*.py") if not path.is_relative_to(TEMPLATES)]


def variables(tree: ast.Module) -> Iterator[str]:
    """Read at once, or by a function of this module that is given the name."""
    texts = constants(tree)
    asked = {"environ.get", "environ", "getenv"}
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        given = {argument.arg for argument in function.args.args}
        if any(isinstance(a, ast.Name) and a.id in given for a in read(function, asked)):
            asked.add(function.name)
    for argument in read(tree, asked):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value
        elif isinstance(argument, ast.Name) and argument.id in texts:
            yield texts[argument.id]


def constants(tree: ast.Module) -> Mapping[str, str]:
    """The module's names of texts."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                for name in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if isinstance(name, ast.Name):
                        found[name.id] = str(node.value.value)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            for target in (t for t in node.targets if isinstance(t, ast.Tuple)):
                pairs = zip(target.elts, node.value.elts, strict=False)
                found |= {ast.unparse(n): str(getattr(v, "value", "")) for n, v in pairs}
    return found


def read(node: ast.AST, asked: set[str]) -> Iterator[ast.expr]:
    """The first arguments of what reads the environment."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and one.args and is_one(one.func, asked):
            yield one.args[0]
        elif isinstance(one, ast.Subscript) and is_one(one.value, {"environ"}):
            yield one.slice


def is_one(function: ast.expr, asked: set[str]) -> bool:
    name = ast.unparse(function)
    return any(name == one or name.endswith(f".{one}") for one in asked)


def all_keys() -> set[str]:
    """Of `[tool.twelvefold]`, and what the plugin of pytest adds to its own."""
    found: set[str] = set()
    for path in sources():
        text = path.read_text("utf-8")
        texts = constants(ast.parse(text))
        asked = re.findall(r"addini\((\w+)", text)
        if '.get("twelvefold", {})' in text:
            asked += re.findall(r'(?:project|"twelvefold", \{\}\))\.get\("?(\w+)"?\)', text)
        found |= {texts.get(name, name) for name in asked}
    return found


def all_commands(table: Mapping[str, Any] = COMMANDS, prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, one in table.items():
        within = isinstance(one, Mapping)
        found |= all_commands(one, f"{prefix}{name} ") if within else {prefix + name}
    return found


def all_codes() -> set[str]:
    there = vars(exits).items()
    return {str(code) for name, code in there if name.isupper() and isinstance(code, int)}


# What a page lists


def in_section(heading: str) -> Listed:
    def listed(text: str) -> list[str]:
        section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        return [name for row in rows(section) for name in names(row[0])]

    return listed


def commands_in(text: str) -> list[str]:
    """The words of a heading up to its arguments."""
    found = re.findall(r"^##+ `twelvefold ([^`]+)`", text, re.MULTILINE)
    return [" ".join(re.findall(r"^[a-z-]+(?: [a-z-]+)*", one)) for one in found]


def codes_in(text: str) -> list[str]:
    return re.findall(r"^\| (\d+) \|", text, re.MULTILINE)


COMPLETE: dict[str, tuple[str, Listed, Callable[[], set[str]], str]] = {
    "extras": ("docs/settings.md", in_section("Extras"), all_extras, "`metrics`"),
    "variables": ("docs/settings.md", in_section("Environment"), all_variables, "`NO_COLOR`"),
    "keys": ("docs/settings.md", in_section("Keys of `pyproject.toml`"), all_keys, "`engine`"),
    "commands": ("docs/cli.md", commands_in, all_commands, "`twelvefold inbox`"),
    "exit codes": ("docs/cli.md", codes_in, all_codes, "| 124 |"),
}
"""Each noun: its page, what that lists, what there is, and the text of one entry."""


@pytest.mark.parametrize("what", COMPLETE)
def test_the_page_lists_all_there_is_and_nothing_else(what: str):
    page, listed, there, _ = COMPLETE[what]

    assert len(there()) > 4
    assert set(listed(text_of(page))) ^ there() == set()


@pytest.mark.parametrize("what", COMPLETE)
def test_an_entry_that_is_missing_or_misspelt_is_noticed(what: str):
    page, listed, there, entry = COMPLETE[what]
    text = text_of(page)
    spelt = re.sub(
        r"[a-z]+(?=`$)|[A-Z_]+(?=`$)|\d+", "999" if what == "exit codes" else "zzz", entry
    )

    assert entry in text
    assert len(set(listed(text.replace(entry, spelt))) ^ there()) == 2


def test_a_variable_is_found_however_it_is_read():
    tree = ast.parse(
        "KEY, OTHER = 'A', 'B'\n"
        "def needed(name): return os.environ[name]\n"
        "needed('C'), environ.get(KEY), os.environ.get(OTHER), os.getenv('D'), texts.get('E')\n"
    )

    assert set(variables(tree)) == {"A", "B", "C", "D"}
