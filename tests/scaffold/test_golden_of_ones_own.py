"""The test that docs/evolution.md shows, in a project of each template as `new` leaves it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from twelvefold.scaffold.new import TEMPLATES, create

DOCS = Path(__file__).parents[2] / "docs/evolution.md"
BEGUN = {
    "deploybot": ("deploybot", "deploy the newest release"),
    "fastapi": ("refunds", "order 1007: it came in pieces"),
    "minimal": ("bot", "tell the team that the release is out"),
}


def shown() -> str:
    block = r"<!-- keep: bot/tests/test_golden.py -->\n```python\n(.*?)```"
    [script] = re.findall(block, DOCS.read_text(), re.DOTALL)
    return script


@pytest.fixture(params=TEMPLATES)
def mine(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """With a thread that waits for a person, kept, and the test beside it."""
    create(tmp_path / "mine", request.param)
    project = tmp_path / "mine"
    twelvefold(project, "run", *BEGUN[request.param], "--id", "waits")
    (project / "tests/golden").mkdir()
    keep(project, "waits")
    (project / "tests/test_golden.py").write_text(shown())
    return project


def twelvefold(project: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    return run(project, "-c", "from twelvefold.cli import main; main()", *args)


def keep(project: Path, name: str) -> None:
    log = twelvefold(project, "threads", "export", name)
    assert log.returncode == 0, log.stderr
    (project / f"tests/golden/{name}.jsonl").write_text(log.stdout)


def golden(project: Path) -> "subprocess.CompletedProcess[str]":
    return run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_golden.py")


def run(project: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-B", *args], cwd=project, capture_output=True, text=True, check=False
    )


def files(project: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in project.rglob("*") if path.is_file()}


def test_a_kept_thread_is_finished_and_nothing_of_the_project_is_touched(mine: Path):
    before = files(mine)

    ran = golden(mine)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout
    assert files(mine) == before


def test_a_kept_thread_is_finished_after_a_denial_too(mine: Path):
    contact = twelvefold(mine, "deny", "waits", "--as", "anna", "--comment", "not yet")
    assert contact.returncode in (0, 10), contact.stderr
    keep(mine, "waits")

    ran = golden(mine)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_step_that_lost_its_case_is_named(mine: Path):
    agent = mine / "agent.py"
    text = agent.read_text()
    agent.write_text(re.sub(r"        case DoneForNow\(\) as step:\n.*\n", "", text))
    assert agent.read_text() != text

    ran = golden(mine)

    assert ran.returncode == 1
    assert re.search(
        r"decide in mine/agent\.py, line \d+, returned None while step s\d done_for_now was ready:"
        r" give it a `case`",
        ran.stdout,
    ), ran.stdout


def test_it_does_not_matter_which_model_the_project_asks(mine: Path):
    app = mine / "app.py"
    text = app.read_text()
    app.write_text(text.replace('MODEL = "script"', 'MODEL = "openai"'))
    assert app.read_text() != text

    ran = golden(mine)
    assert ran.returncode == 0, ran.stdout + ran.stderr

    test = mine / "tests/test_golden.py"
    test.write_text(test.read_text().replace(', model=MODELS["script"]', ""))
    without = golden(mine)
    assert "would be asked over a network" in without.stdout
    assert "finishes(app, log, model=" in without.stdout


def test_a_renamed_field_is_the_reason_that_the_failure_begins_with(mine: Path):
    tools = mine / "tools.py"
    [name, kind] = re.findall(
        r"^    risk:.*\n    intent:.*\n    (\w+): (\w+)", tools.read_text(), re.M
    )[0]
    renamed = re.sub(rf"^    {name}: {kind}$", f"    other: {kind}", tools.read_text(), flags=re.M)
    tools.write_text(renamed)

    first = next(line for line in golden(mine).stdout.splitlines() if line.startswith("E "))

    assert re.search(r"waits, event \d+, step s\d: \w+ no longer parses: ", first), first
    assert f"{name}: Extra inputs are not permitted" in first
