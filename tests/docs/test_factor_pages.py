"""Each factor has a page: its programs run, alone they load nothing above it, excerpts are true.

Each python block is a program of its own. After `<!-- not run: from examples/own_loop.py -->` a
block, of any language, is part of that file, word for word.
"""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from blocks import PROGRAM, ROOT, Block, blocks

INDEX = ROOT / "docs" / "factors" / "index.md"
PAGES = sorted(INDEX.parent.glob("[0-9]*.md"))
LINES_MIN, LINES_MAX = 40, 90
ALONE_LINES_MAX = 25
TIMEOUT_S = 60

# The highest module that each factor needs when it is used alone.
HIGHEST = {
    **{1: "tools", 2: "prompts", 3: "context", 4: "steps", 5: "forks", 6: "app", 7: "contacts"},
    **{8: "plan", 9: "failures", 10: "limits", 11: "app", 12: "plan", 13: "plan"},
}
SAY_WHAT_IS_LOADED = """
import pathlib, sys
pathlib.Path("loaded.txt").write_text(" ".join(sys.modules))
"""


def section(page: Path, title: str) -> str:
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, f"{page.name} has no section {title!r}"
    return found[1]


def alone(page: Path) -> str:
    [program] = [block for block in shown(page, "Alone") if block.runs]
    return program.text


def shown(page: Path, title: str) -> list[Block]:
    return list(blocks(page.name, section(page, title)))


def is_true(block: Block, folder: Path) -> bool:
    """Whether it runs, or stands in the file that it names."""
    if block.runs:
        assert block.language == PROGRAM, f"{block}: a page of a factor has programs only"
        return bool(run(block.text, folder))
    source = block.note.removeprefix("not run: from ")
    return block.text in (ROOT / source).read_text(encoding="utf-8")


def run(program: str, folder: Path) -> set[str]:
    """Run it in a process of its own; the modules of twelvefold, by first name, that it loaded."""
    (folder / "page.py").write_text(program + SAY_WHAT_IS_LOADED, encoding="utf-8")
    command = [sys.executable, "-W", "error", "page.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    loaded = (folder / "loaded.txt").read_text(encoding="utf-8").split()
    return {name.split(".")[1] for name in loaded if name.startswith("twelvefold.")}


def imported(program: str) -> set[str]:
    """The modules of twelvefold, by first name, that a program names."""
    nodes = [node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.ImportFrom)]
    names = [node.module.split(".") for node in nodes if node.module]
    return {name[1] for name in names if name[0] == "twelvefold"}


def layers() -> list[list[str]]:
    """The layers of import-linter, the highest first, siblings together."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    [rows] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [re.findall(r"\w+", row) for row in rows]


def layer_of(module: str) -> int:
    return next(n for n, row in enumerate(layers()) if module in row)


def below(module: str) -> set[str]:
    """The module and all that it may load."""
    return {module}.union(*layers()[layer_of(module) + 1 :])


def test_there_is_a_page_per_factor_and_the_index_lists_them():
    index = INDEX.read_text(encoding="utf-8")

    assert [int(page.name[:2]) for page in PAGES] == list(HIGHEST)
    assert re.findall(r"\]\((\d\d-[\w-]+\.md)\)", index) == [page.name for page in PAGES]
    for page in PAGES:
        title = page.read_text(encoding="utf-8").splitlines()[0]
        assert f"[{title.removeprefix('# ')}]({page.name})" in index


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_short(page: Path):
    assert LINES_MIN <= len(page.read_text(encoding="utf-8").splitlines()) <= LINES_MAX


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_alone_the_factor_runs_and_loads_nothing_above_it(page: Path, tmp_path: Path):
    program, highest = alone(page), HIGHEST[int(page.name[:2])]

    loaded = run(program, tmp_path)

    named = imported(program)
    assert highest in named
    assert min(map(layer_of, named)) == layer_of(highest)
    assert loaded <= set().union(*map(below, named))
    assert named <= set(re.findall(r"`twelvefold\.(\w+)", section(page, "Where")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_alone_the_factor_takes_few_lines_and_asserts_what_it_does(page: Path):
    tree = ast.parse(alone(page))
    kinds = ast.Import | ast.ImportFrom | ast.ClassDef  # imports, and step models of the reader's
    used = [node for node in tree.body if not isinstance(node, kinds)]

    assert sum((node.end_lineno or 0) - node.lineno + 1 for node in used) <= ALONE_LINES_MAX
    assert any(isinstance(node, ast.Assert) for node in ast.walk(tree))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_whole_is_shown_and_true(page: Path, tmp_path: Path):
    whole = shown(page, "The whole")

    assert whole
    assert [block for block in whole if not is_true(block, tmp_path)] == []


@pytest.mark.parametrize("page", [*PAGES, INDEX], ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_to_a_file(page: Path):
    links = re.findall(r"\]\(([^)#:\s]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


# What must be noticed is noticed


def test_a_program_that_does_not_run_is_noticed(tmp_path: Path):
    with pytest.raises(AssertionError, match="nowhere_at_all"):
        run("import nowhere_at_all\n", tmp_path)


def test_what_a_program_loads_is_noticed(tmp_path: Path):
    loaded = run("from twelvefold import parse, App\n", tmp_path)

    assert {"tools", "app", "stores"} <= loaded
    assert "app" not in below("tools") | below("contacts")


@pytest.mark.parametrize(("line", "true"), [("FAILURES_MAX = 3\n", True), ("x = 3\n", False)])
def test_an_excerpt_that_no_file_holds_is_noticed(line: str, true: bool, tmp_path: Path):
    note = "<!-- not run: from examples/release_pipeline/app.py -->"
    [block] = blocks("page.md", f"{note}\n```python\n{line}```\n")

    assert is_true(block, tmp_path) == true
