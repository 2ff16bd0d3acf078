"""`twelvefold eject`: the project works on its copy, without that module of ours."""

import json
import re
import shutil
from pathlib import Path

import pytest

from installed import Machine, without
from twelvefold.cli import call
from twelvefold.exceptions import AlreadyThere, ConfigurationError
from twelvefold.scaffold.eject import EJECTABLE, planned
from twelvefold.scaffold.new import create
from twelvefold.scaffold.writing import write

ALL = ("render", "parse", "loop")
KILLS = "tests/test_proofs.py::test_a_kill_at_any_boundary_changes_nothing_and_sends_nothing_twice"
"""Left to the long tier; the race runs processes, too."""
MINE = """

import sys
ours = parse

def parse(*args, **more):
    print("parsed by mine", file=sys.stderr)
    return ours(*args, **more)
"""


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A minimal project, which is the current folder."""
    create(tmp_path / "bot", "minimal")
    monkeypatch.chdir(tmp_path / "bot")
    return tmp_path / "bot"


# It works without ours


def test_with_all_of_them_ejected_the_project_does_without_ours(
    mine: Path, wheeled: Machine, tmp_path: Path
):
    for module in ALL:
        assert wheeled.run(mine, "twelvefold", "eject", module).returncode == 0
    bare = without(wheeled, tmp_path / "bare", *EJECTABLE.values())

    assert bare.run(mine, "python", "-c", "import twelvefold.loop").returncode == 1
    tests = bare.run(mine, "pytest", "-q", "--deselect", KILLS)
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert re.search(r"^\d+ passed", tests.stdout, re.MULTILINE)
    asked = bare.run(mine, "twelvefold", "run", "bot", "tell the team")
    assert asked.returncode == 10, asked.stderr
    done = bare.run(mine, "twelvefold", "approve", "@last", "--as", "anna", "--yes")
    assert (done.returncode, "The message is sent." in done.stdout) == (0, True), done.stderr
    cases = bare.run(mine, "twelvefold", "test")
    assert cases.returncode == 0, cases.stdout


@pytest.mark.long
@pytest.mark.parametrize("module", ALL)
def test_each_of_them_alone_in_each_template(
    project: Path, wheeled: Machine, tmp_path: Path, module: str
):
    assert wheeled.run(project, "twelvefold", "eject", module).returncode == 0
    bare = without(wheeled, tmp_path / "bare", EJECTABLE[module])
    python = ("--pythonpath", str(wheeled.bin / "python"))

    for program, *args in (["ruff", "check", "."], ["pyright", *python], ["pytest", "-q"]):
        ran = bare.run(project, program, *args)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    with bare.developing(project, "--as", "anna") as said:
        assert said["state"] == "serving"


def test_what_is_changed_in_a_copy_is_what_twelvefold_does(mine: Path, wheeled: Machine):
    assert wheeled.run(mine, "twelvefold", "eject", "parse").returncode == 0
    parsing = mine / "ejected/tools/parsing.py"
    changed = parsing.read_text() + MINE
    parsing.write_text(changed)

    ran = wheeled.run(mine, "twelvefold", "run", "bot", "tell the team")

    assert ran.returncode == 10, ran.stderr
    assert "parsed by mine" in ran.stderr


# What it writes


def test_our_files_are_copied_and_import_each_other(mine: Path):
    write(planned("loop", mine), mine)
    write(planned("render", mine), mine)

    ours = Path(__file__).parents[2] / "src/twelvefold"
    for module in ("loop", "context"):
        theirs = {path.name for path in (mine / "ejected" / module).glob("*.py")}
        assert theirs == {path.name for path in (ours / module).glob("*.py")}
    copies = [path for path in (mine / "ejected").glob("*/*.py")]
    assert not [p for p in copies if re.search(r"twelvefold\.(loop|context)\b", p.read_text())]
    assert 'MODULES: tuple[str, ...] = ("context", "loop")' in text(mine, "ejected/__init__.py")


def test_what_the_project_imported_comes_from_the_copy(mine: Path):
    before = text(mine, "agent.py")
    write(planned("render", mine), mine)

    assert text(mine, "agent.py") == before.replace("    render,\n", "").replace(
        "from tools", "from ejected.context import render\nfrom tools"
    )
    assert 'ejected = "ejected"\n' in text(mine, "pyproject.toml")
    assert text(mine, "app.py").index("import ejected") < text(mine, "app.py").index("twelvefold ")


def test_in_an_application_of_ones_own_it_is_loaded_first_there(tmp_path: Path):
    create(tmp_path / "shop", "fastapi")
    write(planned("loop", tmp_path / "shop"), tmp_path / "shop")

    main = text(tmp_path / "shop", "main.py")
    assert main.index("import ejected") < main.index("from fastapi")
    assert "import ejected" not in text(tmp_path / "shop", "app.py")


def text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


def test_a_second_time_changes_nothing(mine: Path, capsys: pytest.CaptureFixture[str]):
    assert call(["eject", "parse"]) == 0
    before = tree(mine)

    assert call(["eject", "parse"]) == 0
    assert "ejected already" in capsys.readouterr().err
    assert tree(mine) == before


@pytest.mark.parametrize("option", ["--dry-run", "--diff"])
def test_looking_writes_nothing(mine: Path, option: str, capsys: pytest.CaptureFixture[str]):
    before = tree(mine)

    assert call(["eject", "render", option]) == 0
    shown = capsys.readouterr()
    assert "nothing was written" in shown.err
    assert "ejected/context/renderer.py" in shown.out
    assert ("-    render,\n" in shown.out) == (option == "--diff")
    assert tree(mine) == before


def test_as_json_it_says_what_became_of_each_file(mine: Path, capsys: pytest.CaptureFixture[str]):
    assert call(["eject", "loop", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)

    assert said["schema"] == "twelvefold.eject/1"
    assert said["files"]["ejected/loop/advance.py"] == "new"
    assert said["files"]["pyproject.toml"] == "edited"


def test_a_copy_that_was_changed_is_kept_unless_the_owner_says_otherwise(mine: Path):
    write(planned("loop", mine), mine)
    copy = mine / "ejected/loop/advance.py"
    ours = copy.read_text()
    copy.write_text(ours + "# mine\n")

    with pytest.raises(AlreadyThere, match=r"ejected/loop/advance\.py"):
        write(planned("loop", mine), mine)
    assert copy.read_text().endswith("# mine\n")

    write(planned("loop", mine), mine, overwrite=True)
    assert copy.read_text() == ours


def test_a_package_of_that_name_that_is_not_ours_is_kept(mine: Path):
    (mine / "ejected").mkdir()
    (mine / "ejected/__init__.py").write_text("# a game about tokens\n")
    before = tree(mine)

    with pytest.raises(AlreadyThere, match=r"ejected/__init__\.py"):
        write(planned("loop", mine), mine)
    assert tree(mine) == before


def test_without_a_project_or_with_a_broken_one_it_is_one_sentence(mine: Path):
    with pytest.raises(ConfigurationError, match="cannot be ejected: loop, render, parse can"):
        planned("store", mine)
    (mine / "tools.py").write_text("def broken(\n")
    with pytest.raises(ConfigurationError, match=r"tools\.py, line 1: .* Mend it first"):
        planned("loop", mine)
    (mine / "pyproject.toml").unlink()
    with pytest.raises(ConfigurationError, match="no pyproject"):
        planned("loop", mine)


# When the copy is not there, or too late


def test_a_copy_that_cannot_be_loaded_is_one_sentence(mine: Path, wheeled: Machine):
    assert wheeled.run(mine, "twelvefold", "eject", "loop").returncode == 0
    (mine / "ejected/loop/advance.py").write_text("import nothing_of_this_name\n")

    ran = wheeled.run(mine, "twelvefold", "run", "bot", "x")
    tests = wheeled.run(mine, "pytest", "-q")

    assert ran.returncode == 6
    assert "ejected, which cannot be loaded: No module named 'nothing_of_this_name'" in ran.stderr
    assert tests.returncode == 4
    assert "cannot be loaded" in tests.stderr
    shutil.rmtree(mine / "ejected")
    assert wheeled.run(mine, "twelvefold", "version").returncode == 6


def test_loaded_too_late_it_says_so_instead_of_being_ignored(mine: Path, wheeled: Machine):
    assert wheeled.run(mine, "twelvefold", "eject", "loop").returncode == 0

    late = wheeled.run(mine, "python", "-c", "import twelvefold.loop, ejected")
    first = wheeled.run(
        mine, "python", "-c", "import ejected, twelvefold.loop as l; print(l.__name__)"
    )

    assert "twelvefold.loop is loaded already: import ejected before twelvefold" in late.stderr
    assert first.stdout == "ejected.loop\n", first.stderr
