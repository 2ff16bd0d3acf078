"""The pytest plugin: nothing for projects that did not ask, an item per case for those that did."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = """\
- name: the tag is kept
  thread: [message: deploy v1]
  expect: {intent: deploy, args: {tag: v1}, then: Approve deploy}
- name: it goes to the moon
  thread: [message: deploy v1]
  expect: {intent: deploy, args: {tag: v9}}
"""
INI = "[pytest]\ntwelvefold_app = app.py\n"


def pytest_in(folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text((ROOT / "examples/first_agent/app.py").read_text())
    (tmp_path / "bot.cases.yaml").write_text(CASES)
    (tmp_path / "pytest.ini").write_text(INI)
    return tmp_path


def test_each_case_is_an_item_and_a_failure_is_readable(project: Path):
    ran = pytest_in(project, "-v")

    assert "1 failed, 1 passed" in ran.stdout
    assert "bot.cases.yaml::the tag is kept PASSED" in ran.stdout
    assert "bot.cases.yaml:4: case 'it goes to the moon'" in ran.stdout
    assert "args.tag\n  - expected  v9\n  + got       v1" in ran.stdout
    assert "Traceback" not in ran.stdout
    assert "pytest_plugin.py" not in ran.stdout


def test_one_case_may_be_run_alone(project: Path):
    assert "1 passed" in pytest_in(project, "bot.cases.yaml::the tag is kept").stdout
    assert "1 passed, 1 deselected" in pytest_in(project, "-k", "kept").stdout


def test_a_wrong_file_is_an_error_with_its_line(project: Path):
    (project / "bot.cases.yaml").write_text("- name: a\n  thred: []\n")

    ran = pytest_in(project)
    assert ran.returncode != 0
    assert "bot.cases.yaml, line 2, case 'a': 'thred' is not one of" in ran.stdout


def test_an_application_that_cannot_be_loaded_is_said(project: Path):
    (project / "pytest.ini").write_text(INI.replace("app.py", "gone.py"))

    assert "gone.py, which twelvefold_app names." in pytest_in(project).stdout


def test_a_project_that_did_not_ask_has_no_items_and_no_option(project: Path):
    (project / "pytest.ini").write_text("[pytest]\n")

    ran = pytest_in(project)
    assert ran.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert (
        "unrecognized arguments: --snapshot-update"
        in pytest_in(project, "--snapshot-update").stderr
    )


def test_loading_the_plugin_loads_nothing_else_of_the_library(project: Path):
    (project / "pytest.ini").write_text("[pytest]\n")
    (project / "test_loaded.py").write_text(
        "import sys\n\ndef test_light():\n"
        "    ours = sorted(m for m in sys.modules if m.startswith('twelvefold'))\n"
        "    assert ours == ['twelvefold', 'twelvefold.pytest_plugin']\n"
        "    assert 'pydantic' not in sys.modules\n"
        "    assert 'jinja2' not in sys.modules\n"
    )

    ran = pytest_in(project)
    assert "1 passed" in ran.stdout, ran.stdout


SNAPSHOT = """\
def test_the_bytes_are_those_of_the_file(twelvefold_snapshot):
    twelvefold_snapshot("hello", "hello.snap")
"""


def test_a_snapshot_is_written_with_the_flag_and_compared_without(project: Path):
    (project / "test_prompt.py").write_text(SNAPSHOT)
    file = project / "hello.snap"

    assert "1 failed" in pytest_in(project, "test_prompt.py").stdout
    assert "1 passed" in pytest_in(project, "test_prompt.py", "--snapshot-update").stdout
    assert file.read_text() == "hello"
    assert "1 passed" in pytest_in(project, "test_prompt.py").stdout
    file.write_text("hullo")
    ran = pytest_in(project, "test_prompt.py")
    assert "1 failed" in ran.stdout
    assert "-hullo" in ran.stdout


@pytest.mark.parametrize("where", ["conftest.py", "other.py"])
def test_another_plugin_with_the_same_flag_keeps_it(project: Path, where: str):
    (project / "test_prompt.py").write_text(SNAPSHOT)
    (project / where).write_text(
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--snapshot-update', action='store_true', help='theirs')\n"
    )
    plugin = [] if where == "conftest.py" else ["-p", "other"]

    ran = pytest_in(project, "test_prompt.py", "--snapshot-update", *plugin)
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
