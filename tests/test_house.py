"""The house rules that a machine can check.

A check takes a path and a text and returns complaints; `FAULTS` proves that each one can complain.
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
DISTRIBUTIONS_MAX = 14
AGENTS_LINES_MAX = 50
FORBIDDEN_WORDS = frozenset(
    {"manager", "handler", "service", "helper", "util", "base", "processor", "factory"}
    | {"session", "checkpoint", "orchestrator"}
)
# Written apart, so that this file passes its own check.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|NotImplemented" r"Error)\b")

Check = Callable[[Path, str], list[str]]


def too_long_module(path: Path, text: str) -> list[str]:
    lines = len(text.splitlines())
    return [f"{path}: {lines} lines"] if lines > MODULE_LINES_MAX else []


def too_long_function(path: Path, text: str) -> list[str]:
    return [
        f"{path}:{node.lineno}: {node.name} has {length} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]


def forbidden_name(path: Path, text: str) -> list[str]:
    classes = [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    names = [part.removesuffix(".py") for part in path.parts] + classes
    return [f"{path}: {name}" for name in names if FORBIDDEN_WORDS & words(name)]


def unfinished(path: Path, text: str) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if UNFINISHED.search(line)
    ]


def no_module_docstring(path: Path, text: str) -> list[str]:
    return [] if ast.get_docstring(ast.parse(text)) or not text.strip() else [f"{path}"]


def words(name: str) -> set[str]:
    """The words of a snake or camel name, as they are and in the singular."""
    found = [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)]
    return {
        form
        for word in found
        for form in (word, word.removesuffix("s"), re.sub(r"ies\Z", "y", word))
    }


def modules(*folders: str) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


PRODUCT = ("src", "examples", "benchmarks")
ALL_CODE = (*PRODUCT, "tests")
CHECKS: dict[Check, tuple[str, ...]] = {
    too_long_module: PRODUCT,
    too_long_function: ALL_CODE,
    forbidden_name: ALL_CODE,
    unfinished: ALL_CODE,
    no_module_docstring: PRODUCT,
}
FAULTS: dict[Check, tuple[str, str]] = {
    too_long_module: ("a.py", "x = 1\n" * (MODULE_LINES_MAX + 1)),
    too_long_function: ("a.py", "async def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX),
    forbidden_name: ("src/http_helpers.py", ""),
    unfinished: ("a.py", "def f(): raise NotImplemented" + "Error"),
    no_module_docstring: ("a.py", "x = 1"),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_code_keeps_the_house_rule(check: Check):
    seen = list(modules(*CHECKS[check]))

    assert len(seen) > 1
    assert [complaint for path, text in seen for complaint in check(path, text)] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_check_finds_a_planted_fault(check: Check):
    path, text = FAULTS[check]

    assert check(Path(path), text)


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME"])
def test_a_note_to_self_counts_as_unfinished(word: str):
    assert unfinished(Path("a.py"), f"x = 1  # {word}: later")


def test_a_class_may_not_carry_a_forbidden_word():
    assert forbidden_name(Path("a.py"), "class ThreadManager: pass")
    assert forbidden_name(Path("factories.py"), "")
    assert not forbidden_name(Path("a.py"), "class Rebased(BaseModel): pass")
    assert not forbidden_name(Path("factor_pages.py"), "")


def test_the_version_is_the_newest_of_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert newest_version(changelog) == pyproject()["project"]["version"]


def test_the_package_knows_the_version_of_the_project():
    source = (ROOT / "src/twelvefold/__init__.py").read_text(encoding="utf-8")

    assert f'__version__ = "{pyproject()["project"]["version"]}"' in source


def test_the_newest_version_is_the_first_heading():
    assert newest_version("# Changelog\n\n## [0.2.0] - Unreleased\n\n## [0.1.0]\n") == "0.2.0"


def newest_version(changelog: str) -> str:
    found = re.search(r"^## \[([^\]]+)\]", changelog, re.MULTILINE)
    assert found, "the changelog has no version heading"
    return found[1]


def test_the_base_install_stays_small():
    installed = distributions("twelvefold")

    assert {"twelvefold", "pydantic", "pydantic-core"} <= installed
    assert len(installed) <= DISTRIBUTIONS_MAX, sorted(installed)


def distributions(root: str) -> set[str]:
    """What `pip install <root>` brings along, extras left out, `root` included."""
    found: set[str] = set()
    todo = [root]
    while todo:
        name = canonicalize_name(todo.pop())
        if name not in found:
            found.add(name)
            wanted = [Requirement(line) for line in requires(name) or []]
            todo += [r.name for r in wanted if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


def test_every_dependency_is_pinned_by_hash_and_names_no_host():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9-]+)==.*?(?=^\S|\Z)", lock, re.MULTILINE | re.DOTALL)

    assert distributions("twelvefold") - {"twelvefold"} <= set(pins)
    assert "://" not in lock
    assert all("--hash=sha256:" in block for block in re.split(r"^(?=[a-z])", lock, flags=re.M)[1:])


def test_agents_read_one_short_page():
    assert len((ROOT / "AGENTS.md").read_text(encoding="utf-8").splitlines()) <= AGENTS_LINES_MAX


def pyproject() -> dict[str, dict[str, str]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_no_two_files_of_tests_have_one_name():
    # pytest loads them by their names alone, and stops where it meets one twice.
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))

    assert [name for name, count in names.items() if count > 1] == []


def test_no_test_imports_from_a_conftest():
    # That name is the one of whichever folder was loaded last, where several are run together.
    found = [path for path, text in modules("tests") if re.search(r"^from conftest ", text, re.M)]

    assert found == []
