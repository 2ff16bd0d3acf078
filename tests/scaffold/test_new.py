"""`twelvefold new` on a machine that has only the wheel: what it makes works."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from installed import PATIENCE_S, Machine
from twelvefold.cli import call
from twelvefold.exceptions import AlreadyThere, NotWritable
from twelvefold.scaffold.new import NAME, TEMPLATES, create, files_of

SOURCES = Path(__file__).parents[2] / "src/twelvefold/scaffold/templates"
EACH = {
    "agent.py",
    "app.py",
    "tools.py",
    "pyproject.toml",
    "Dockerfile",
    "compose.yaml",
    "AGENTS.md",
    "README.md",
    ".gitignore",
    ".dockerignore",
    ".github/workflows/test.yml",
    "prompts/next_step.md",
    "prompts/next_step.cases.yaml",
    "tests/test_decide.py",
    "tests/test_proofs.py",
}


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


# What is made


def test_every_template_is_offered_and_none_is_left_out():
    assert {path.name for path in SOURCES.iterdir()} == set(TEMPLATES)


def test_it_is_the_template_to_the_byte_but_for_the_name(
    project: Path, template: str, wheeled: Machine
):
    made, source = tree(project), files_of(template)

    assert set(made) >= EACH
    assert made == {path: text.replace(NAME, "bot").encode() for path, text in source.items()}
    assert NAME.encode() not in b"".join(made.values())


def test_the_wheel_is_what_runs_there(wheeled: Machine, tmp_path: Path):
    code = "import twelvefold, pytest; print(twelvefold.__file__)"
    ran = wheeled.run(tmp_path, "python", "-c", code)

    assert Path(ran.stdout.strip()).is_relative_to(wheeled.environment)


def test_it_ends_with_what_to_type_next(wheeled: Machine, tmp_path: Path):
    made = wheeled.run(tmp_path, "twelvefold", "new", "my bots/1", "--yes")
    (tmp_path / "my bots").mkdir()
    again = wheeled.run(tmp_path, "twelvefold", "new", "my bots/bot-1", "--yes", "--json")

    assert made.returncode == 6
    assert f"there is no folder {tmp_path / 'my bots'}. Make that first." in made.stderr
    assert made.stderr.endswith("next:  the same command, once that is done\n")
    first, dev, tests = json.loads(again.stdout)["next"]
    assert first == "cd 'my bots/bot-1'"
    assert dev.startswith("twelvefold dev --as anna ")
    assert tests == "python -m pytest"


def test_what_is_missing_for_that_is_said(wheeled: Machine, tmp_path: Path):
    code = (
        "import sys; sys.modules['uvicorn'] = sys.modules['pytest'] = None;"
        " from twelvefold.cli import main; main()"
    )
    made = wheeled.run(tmp_path, "python", "-c", code, "new", "bot", "--yes")

    assert "  pip install 'twelvefold[server]' pytest\n" in made.stdout
    serving = wheeled.run(tmp_path / "bot", "python", "-c", code, "dev")
    assert serving.returncode == 6
    assert "pip install 'twelvefold[server]'" in serving.stderr


# What it does


def test_its_own_tests_pass(project: Path, wheeled: Machine):
    """Those that kill processes are in the long tier, and on docs/scaffold.md."""
    ran = wheeled.run(project, "pytest", "-q", "--deselect", "tests/test_proofs.py")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^\d+ passed", ran.stdout, re.MULTILINE)
    cases = wheeled.run(project, "twelvefold", "test")
    assert cases.returncode == 0, cases.stdout


@pytest.mark.long
def test_what_its_ci_runs_passes(project: Path, wheeled: Machine):
    ci = (project / ".github/workflows/test.yml").read_text()
    steps = re.findall(r"run: (?!pip)(.*)", ci)

    assert steps == ["ruff check . && ruff format --check .", "pyright", "pytest"]
    python = ("--pythonpath", str(wheeled.bin / "python"))  # pyright is elsewhere
    for command in [step for line in steps for step in line.split(" && ")]:
        ran = wheeled.run(project, *command.split(), *(python if command == "pyright" else ()))
        assert ran.returncode == 0, command + ran.stdout + ran.stderr


def test_the_next_command_asks_who_signs_in_and_goes_on_after_a_yes(
    project: Path, wheeled: Machine
):
    dev = next_commands(wheeled, project)[-2]
    with wheeled.developing(project, *dev[2:]) as said:
        with httpx.Client(base_url=said["url"], trust_env=False, timeout=PATIENCE_S) as browser:
            browser.get(said["sign_in"], follow_redirects=True)
            [contact] = waiting(browser)
            inbox = browser.get("/inbox").text
        approved = wheeled.run(project, "twelvefold", "approve", "@last", "--as", "anna", "--yes")

    assert contact["intent"] in inbox
    assert approved.returncode in (0, 10), approved.stderr
    assert f"{contact['intent']:<22} approved by anna" in approved.stdout


def waiting(browser: httpx.Client) -> list[dict[str, str]]:
    """What waits for whoever signed in, once it does."""
    [thread] = browser.get("/v1/threads").json()["data"]
    url, live = f"/v1/threads/{thread['id']}/events", {"Accept": "text/event-stream"}
    with browser.stream("GET", url, headers=live) as events:
        next(line for line in events.iter_lines() if "contact_requested" in line)
    return browser.get("/v1/contacts?to=me").json()["data"]


def next_commands(wheeled: Machine, project: Path) -> list[list[str]]:
    """What `new` says to type, for a twin of this project."""
    agent = (project / "agent.py").read_text()
    [template] = [name for name in TEMPLATES if files_of(name)["agent.py"] == agent]
    command = ("new", "twin", "--yes", "--json", "--template", template)
    made = wheeled.run(project.parent, "twelvefold", *command)
    return [shlex.split(line) for line in json.loads(made.stdout)["next"]]


# What is refused: nothing is half-written


@pytest.mark.parametrize(
    "name", ["b ot", "-bot", "bot-", "bött", "b" * 65, "twelvefold", "Twelvefold", "a\nb", "a;b"]
)
def test_a_name_that_cannot_be_one_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert call(["new", "--yes", "--", str(tmp_path / name)]) == 2
    assert "cannot be the name of a project" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "mine.txt").write_text("mine")

    assert call(["new", "--yes", str(tmp_path / "bot")]) == 2
    assert "is not empty: it holds mine.txt. Name another folder." in capsys.readouterr().err
    assert tree(tmp_path) == {"bot/mine.txt": b"mine"}


def test_a_file_in_the_way_is_refused(tmp_path: Path):
    (tmp_path / "bot").write_text("mine")

    with pytest.raises(AlreadyThere, match="no folder"):
        create(tmp_path / "bot", "minimal")


def test_an_empty_folder_and_a_new_clone_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    subprocess.run(["git", "init", "-q", tmp_path / "bot"], check=True)
    monkeypatch.chdir(tmp_path / "bot")

    assert call(["new", "--yes", "."]) == 0
    assert (tmp_path / "bot" / "agent.py").exists()
    assert not [name for name in os.listdir(tmp_path / "bot") if "new-" in name]
    assert 'name = "bot"' in (tmp_path / "bot" / "pyproject.toml").read_text()


def test_who_came_first_keeps_what_he_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The folder was empty when it was looked at."""
    monkeypatch.setattr("twelvefold.scaffold.new.refuse_taken", lambda folder: None)
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "tools.py").write_text("mine")

    with pytest.raises(NotWritable, match=r"tools\.py is there by now"):
        create(tmp_path / "bot", "minimal")

    assert tree(tmp_path) == {"bot/tools.py": b"mine"}


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, there: bool):
    """A folder of the kernel stands for one of somebody else: the tests may run as root."""
    folder = Path("/proc/self/fdinfo") if there else Path("/proc/bot")

    with pytest.raises((NotWritable, AlreadyThere)):
        create(folder, "minimal")


def test_who_is_asked_at_a_terminal_may_say_no(tmp_path: Path):
    command = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    program = [sys.executable, "-c", "from twelvefold.cli import main; main()"]
    ran = subprocess.run(
        [sys.executable, "-c", command, *program, "new", str(tmp_path / "bot")],
        input="n\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Make bot in" in ran.stdout
    assert ran.returncode == 130
    assert list(tmp_path.iterdir()) == []
