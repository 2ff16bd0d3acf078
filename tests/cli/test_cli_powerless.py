"""`twelvefold dev` says in the terminal that whoever signs in may decide nothing here."""

import shutil
from pathlib import Path
from typing import Any, Literal

import pytest
from commands import APPS
from test_cli_serving import server

from twelvefold import App, Effect, ScriptedModel, State, Step, Thread, Wait
from twelvefold.agent import Agent
from twelvefold.cli.powerless import NAMED_MAX, powerless
from twelvefold.directory import Directory

PEOPLE = """
people:
  anna: {roles: [ops, finance]}
  ben: {roles: [ops], addresses: {email: ben@example.com}}
  cleo: {}
  dora: {roles: [ops], active: false}
  olga: {}
"""


class Nothing(Step):
    intent: Literal["nothing"] = "nothing"


def decide(thread: Thread, state: State[Nothing]) -> Effect[Nothing]:
    return Wait()


def app_of(directory: Any) -> App:
    agent = Agent("bot", decide, Nothing, owner="olga")
    return App([agent], model=ScriptedModel([]), directory=directory)


@pytest.fixture
def app(folder: Path) -> App:
    (folder / "people.yaml").write_text(PEOPLE)
    return app_of(folder / "people.yaml")


def test_who_is_not_in_the_file_may_decide_nothing(app: App):
    assert powerless(app, "zoe") == (
        "note: zoe is nobody in people.yaml and may decide nothing here; anna (ops, finance),"
        " ben (ops) may. Add zoe there, or sign in by --as NAME."
    )


def test_who_is_not_active_any_more_neither(app: App):
    said = powerless(app, "dora") or ""

    assert said.startswith("note: dora is not active in people.yaml and may decide nothing here; ")
    assert said.endswith("Make dora active there, or sign in by --as NAME.")


def test_without_a_role_only_what_names_them(app: App):
    said = powerless(app, "cleo") or ""

    assert "cleo has no role in people.yaml and may decide here only what asks for cleo" in said
    assert "anna (ops, finance), ben (ops) may. Give cleo a role there" in said


@pytest.mark.parametrize("name", ["anna", "Anna", "ben@example.com", "olga"])
def test_nothing_is_said_of_who_has_a_role_or_owns_an_agent(app: App, name: str):
    assert powerless(app, name) is None


def test_nothing_is_said_where_there_is_no_directory():
    assert powerless(app_of(None), "zoe") is None


def test_where_nobody_has_a_role_everybody_is_asked_by_name():
    app = app_of(Directory(people=("anna", "ben")))

    assert powerless(app, "ben") is None
    assert "zoe is nobody in the directory of this application" in (powerless(app, "zoe") or "")
    assert "; anna, ben may." in (powerless(app, "zoe") or "")


def test_of_many_the_first_are_named():
    names = [f"p{number}" for number in range(NAMED_MAX + 3)]

    said = powerless(app_of(Directory({"ops": names}, people=names)), "zoe") or ""
    assert "p4 (ops) and 3 more may." in said
    assert "p5" not in said


def test_a_directory_that_cannot_be_read_is_said(folder: Path):
    said = powerless(app_of(folder / "gone.yaml"), "anna") or ""

    assert said.startswith("note: who anna is cannot be looked up: The directory ")


@pytest.mark.parametrize(("name", "notes"), [("zoe", 1), ("anna", 0)])
def test_it_is_said_in_the_terminal_and_stops_nothing(folder: Path, name: str, notes: int):
    shutil.copy(APPS / "people.py", folder / "app.py")
    with server("dev", "--port", "0", "--no-reload", "--as", name) as develops:
        state = develops.says()["state"]
        code = develops.stop()
        assert develops.process.stderr is not None
        said = develops.process.stderr.read()

    assert (state, code) == ("serving", 0)
    assert said.count("note: zoe is nobody in the directory") == said.count("note: ") == notes
