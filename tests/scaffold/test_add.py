"""add: a file, once, and nothing else; what is there already is never replaced unasked."""

import ast
import subprocess
import sys
from pathlib import Path

import click
import pytest

from scaffold.projects import Project, twelvefold
from twelvefold.cli.adding import add
from twelvefold.scaffold.adding import FOLDER, PIECES

NAMES = list(PIECES)
TEMPLATES = ("deploybot", "fastapi", "minimal")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path)
    project.begin()
    return project


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", NAMES)
def test_it_writes_one_file_and_says_what_is_left_to_do(project: Project, name: str):
    before, piece = files(project.folder), PIECES[name]

    ran = twelvefold("add", name)

    assert (ran.code, ran.err) == (0, "")
    assert files(project.folder) == before | {piece.path: piece.text}
    assert ran.out.splitlines()[0].split() == ["wrote", piece.path]
    for said in (piece.install, piece.imported, piece.given, *piece.settings, *piece.then):
        assert said in ran.out


def test_it_writes_below_the_root_of_the_project(project: Project, monkeypatch: pytest.MonkeyPatch):
    deeper = project.folder / "prompts"
    deeper.mkdir()
    monkeypatch.chdir(deeper)

    assert twelvefold("add", "judge").code == 0
    assert (project.folder / "judge.py").exists()


@pytest.mark.parametrize("option", ["--dry-run", "--diff"])
def test_looking_writes_nothing(project: Project, option: str):
    before = files(project.folder)

    ran = twelvefold("add", "slack", option)

    assert (ran.code, files(project.folder)) == (0, before)
    assert not (project.folder / "channels").exists()


def test_dry_run_says_what_it_would_do(project: Project):
    ran = twelvefold("add", "slack", "--dry-run")

    assert ran.out.splitlines()[0].split() == ["would", "write", "channels/slack.py"]


def test_the_diff_is_one_that_git_applies(project: Project, tmp_path: Path):
    diff = twelvefold("add", "webhook", "--diff").out
    (tmp_path / "a.diff").write_text(diff)

    done = subprocess.run(["git", "apply", "a.diff"], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert project.text("channels/webhook.py") == PIECES["webhook"].text


def test_what_the_owner_has_edited_is_kept(project: Project):
    twelvefold("add", "cron")
    project.replace("cron.py", "Europe/Berlin", "Asia/Tokyo")
    mine = project.text("cron.py")

    refused = twelvefold("add", "cron")
    dry = twelvefold("add", "cron", "--dry-run")
    shown = twelvefold("add", "cron", "--diff")

    assert (refused.code, refused.out) == (4, "")
    assert "cron.py: there already" in refused.err
    assert (dry.code, dry.out.splitlines()[0].split()) == (4, ["refused", "cron.py"])
    assert shown.code == 4
    assert '-ZONE = "Asia/Tokyo"' in shown.out
    assert '+ZONE = "Europe/Berlin"' in shown.out
    assert project.text("cron.py") == mine


def test_overwrite_replaces_it(project: Project):
    (project.folder / "cron.py").write_text("mine = 1\n")

    ran = twelvefold("add", "cron", "--overwrite")

    assert (ran.code, ran.out.split()[:2]) == (0, ["wrote", "cron.py"])
    assert project.text("cron.py") == PIECES["cron"].text


def test_overwrite_and_dry_run_write_nothing(project: Project):
    (project.folder / "cron.py").write_text("mine = 1\n")

    ran = twelvefold("add", "cron", "--overwrite", "--dry-run")

    assert (ran.code, ran.out.splitlines()[0].split()) == (0, ["would", "write", "cron.py"])
    assert project.text("cron.py") == "mine = 1\n"


def test_twice_is_once(project: Project):
    twelvefold("add", "cache")

    again, shown = twelvefold("add", "cache"), twelvefold("add", "cache", "--diff")

    assert (again.code, again.out.splitlines()[0].split()) == (0, ["the", "same", "cache.py"])
    assert (shown.code, shown.out, shown.err) == (0, "", "cache.py is there, and the same.\n")


@pytest.mark.parametrize("what", ["folder", "link"])
def test_what_is_no_file_is_in_the_way(project: Project, tmp_path: Path, what: str):
    if what == "folder":
        (project.folder / "cache.py").mkdir()
    else:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_text("mine")
        (project.folder / "cache.py").symlink_to(elsewhere)

    ran = twelvefold("add", "cache", "--overwrite")

    assert (ran.code, ran.out) == (4, "")
    assert "not a plain file" in ran.err
    assert what == "folder" or elsewhere.read_text() == "mine"


@pytest.mark.parametrize("given", [["slak"], ["../slack"], ["channels/slack.py"]])
def test_an_unknown_name_lists_those_there_are(project: Project, given: list[str]):
    before = files(project.folder)

    ran = twelvefold("add", *given)

    assert (ran.code, ran.out) == (2, "")
    assert f"There are: {', '.join(NAMES)}." in ran.err
    assert files(project.folder) == before


def test_without_a_name_it_lists_what_there_is(project: Project):
    ran = twelvefold("add")

    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == NAMES
    assert [one["name"] for one in twelvefold("add", "--json").document["data"]] == NAMES


def test_names_are_completed():
    context = click.Context(add)
    completed = add.params[0].shell_complete(context, "s")

    assert [one.value for one in completed] == ["slack", "sms"]


def test_json_says_all_of_it(project: Project):
    assert twelvefold("add", "webhook", "--json").document == {
        "schema": "twelvefold.add/1",
        "piece": "webhook",
        "path": "channels/webhook.py",
        "what": "wrote",
        "diff": None,
        "install": "pip install 'twelvefold[webhook]'",
        "settings": ["WEBHOOK_SECRET", "WEBHOOK_URL"],
        "lines": [
            "from channels.webhook import webhook",
            'App(..., channels=[webhook(agent="bot")])',
        ],
        "then": ['App(..., directory=Directory(addresses={"anna": {"webhook": "anna"}}))'],
    }


# The pieces


def test_every_file_of_the_folder_is_a_piece():
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.py")}

    assert there == {piece.path for piece in PIECES.values()}


@pytest.mark.parametrize("name", NAMES)
def test_a_piece_names_its_settings_and_what_is_imported_from_it(name: str):
    piece = PIECES[name]
    _, module, _, imported = piece.imported.split()

    assert module == piece.path.removesuffix(".py").replace("/", ".")
    assert imported in defined(ast.parse(piece.text))
    docstring = ast.get_docstring(ast.parse(piece.text)) or ""
    assert f"This file is yours: `twelvefold add {name}`" in docstring
    assert [setting for setting in piece.settings if setting not in docstring] == []


def defined(tree: ast.Module) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for node in tree.body if isinstance(node, functions)}
    assigned = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    return names | {target.id for target in assigned if isinstance(target, ast.Name)}


@pytest.mark.parametrize("name", NAMES)
def test_no_piece_takes_the_place_of_a_module_of_python_or_of_its_own_package(name: str):
    # A folder of sources is often first on the path: `email.py` there hides Python's own.
    stem = Path(PIECES[name].path).stem
    used = {"slack_sdk", "mcp", "opentelemetry", "httpx", "cronsim", "twelvefold"}

    assert stem not in sys.stdlib_module_names | used


def test_pieces_are_clean_by_the_rules_of_a_project(project: Project):
    for name in NAMES:
        twelvefold("add", name)
    ruff = [str(Path(sys.executable).parent / "ruff")]
    rules = ["--isolated", "--line-length", "100"]

    for command in (["check", *rules, "--select", "E,F,I,UP,B,SIM,ASYNC"], ["format", *rules]):
        more = ["--check"] if command[0] == "format" else []
        paths = [piece.path for piece in PIECES.values()]
        done = subprocess.run(
            [*ruff, *command, *more, *paths], cwd=project.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("template", TEMPLATES)
def test_pieces_are_clean_by_the_rules_of_a_new_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str
):
    monkeypatch.chdir(tmp_path)
    assert twelvefold("new", "bot", "--yes", "--template", template).code == 0
    monkeypatch.chdir(tmp_path / "bot")

    assert [twelvefold("add", name).code for name in NAMES] == [0] * len(NAMES)

    for command in (["check", "."], ["format", "--check", "."]):
        ruff = [str(Path(sys.executable).parent / "ruff"), *command, "--no-cache"]
        done = subprocess.run(ruff, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
