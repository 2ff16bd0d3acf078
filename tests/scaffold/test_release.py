"""What is released: the wheel and the sdist hold what they need, and one version names them all."""

import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.version import Version

from installed import ROOT, Machine
from twelvefold import __version__

SOURCE = "src/"
DEMO = "twelvefold/_demo/"


def in_git(*folders: str) -> set[str]:
    """What is, or would be, under version control."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheel(wheeled: Machine) -> zipfile.ZipFile:
    return zipfile.ZipFile(wheeled.wheel)


def packaged(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if name.startswith("twelvefold/")}


def test_the_wheel_is_the_source_and_the_files_of_the_demo(wheel: zipfile.ZipFile):
    ours = {name.removeprefix(SOURCE) for name in in_git("src/twelvefold")}

    there = packaged(wheel)

    assert {name for name in there if not name.startswith(DEMO)} == ours
    assert {f"{DEMO}app.py", f"{DEMO}script.yaml"} <= there


@pytest.mark.parametrize(
    "name",
    [
        "twelvefold/py.typed",
        "twelvefold/scaffold/templates/deploybot/.github/workflows/test.yml",
        "twelvefold/scaffold/templates/deploybot/.gitignore",
        "twelvefold/scaffold/templates/deploybot/compose.yaml",
        "twelvefold/stores/postgres/schema.py",
        "twelvefold/stores/sqlite/schema.py",
    ],
)
def test_what_is_easily_forgotten_is_there(wheel: zipfile.ZipFile, name: str):
    assert name in packaged(wheel)


def test_the_inbox_is_there_with_its_styles_and_scripts(wheel: zipfile.ZipFile):
    kinds = {Path(name).suffix for name in packaged(wheel) if name.startswith("twelvefold/server/")}

    assert {".py", ".html", ".css", ".js"} <= kinds


def test_nothing_of_a_run_is_in_it(wheel: zipfile.ZipFile):
    strange = (".pyc", ".db", ".db-wal", ".eml", "/.twelvefold/")

    assert not [name for name in wheel.namelist() if any(one in name for one in strange)]


def test_one_version_is_everywhere(wheel: zipfile.ZipFile, wheeled: Machine, tmp_path: Path):
    """The changelog's newest is that of the project: tests/test_house.py."""
    name = f"twelvefold-{__version__}.dist-info/METADATA"
    about = HeaderParser().parsestr(wheel.read(name).decode())
    said = wheeled.run(tmp_path, "twelvefold", "--version").stdout

    assert about["Version"] == __version__ == str(Version(__version__))
    assert said == f"twelvefold {__version__}\n"
    assert about["License-Expression"] == "Apache-2.0"


def test_templates_ask_for_this_version_or_a_newer_one():
    newest = ".".join(__version__.split(".")[:2])

    for file in ROOT.glob("src/twelvefold/scaffold/templates/*/pyproject.toml"):
        assert f'"twelvefold[server]>={newest}"' in file.read_text()


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # since 3.11.4
        opened.extractall(folder, **safely)
    [unpacked] = [path for path in folder.iterdir() if path.is_dir()]
    return unpacked


def test_the_sdist_has_the_source_its_tests_and_its_docs(sdist: Path):
    there = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*") if path.is_file()}

    assert in_git("src", "tests", "docs", "examples", "benchmarks") <= there
    assert {"README.md", "LICENSE", "CHANGELOG.md", "Makefile", "requirements.lock"} <= there


def test_the_wheel_of_the_sdist_is_that_of_the_checkout(
    sdist: Path, wheel: zipfile.ZipFile, tmp_path: Path
):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=sdist, check=True, capture_output=True)
    [again] = tmp_path.glob("*.whl")
    other = zipfile.ZipFile(again)

    files = {one.filename: one.CRC for one in other.infolist()}
    assert files == {one.filename: one.CRC for one in wheel.infolist()}
