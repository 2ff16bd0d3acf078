"""The commands of people who are asked: options, forms, places, reminders, an editor that waits."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import APPS, Cli
from test_cli_deciding import on_terminal


@pytest.fixture
def folder(folder: Path) -> Path:
    """With the application that asks people in every form."""
    shutil.copy(APPS / "people.py", folder / "app.py")
    return folder


def waiting(cli: Cli, *args: str) -> list[str]:
    return [row["id"] for row in cli("inbox", "--json", *args).document["data"]]


def log(cli: Cli, type: str) -> list[Any]:
    found = cli("threads", "show", "@last", "--json").document["events"]
    return [event["data"] for event in found if event["type"] == type]


def test_an_option_ends_an_approval_and_nothing_runs(cli: Cli, folder: Path):
    cli("run", "bot", "label it")

    ran = cli("choose", "@last", "spam", "--as", "ben")

    assert ran.code == 0
    assert "'spam'" in ran.out
    assert not (folder / "labels").exists()


def test_an_option_that_is_not_offered_exits_2_and_says_which_are(cli: Cli):
    cli("run", "bot", "label it")

    ran = cli("choose", "@last", "ham", "--as", "ben")

    assert ran.code == 2
    assert "must be one of spam" in ran.err
    assert len(waiting(cli)) == 1


@pytest.mark.parametrize(
    ("asked", "given", "result"),
    [("really?", "yes", "True"), ("which?", '["red", "blue"]', "['red', 'blue']"),
     ("how many?", "7", "7")],
)  # fmt: skip
def test_an_answer_has_the_form_that_is_asked_for(cli: Cli, asked: str, given: str, result: str):
    cli("run", "bot", asked)

    ran = cli("answer", "@last", given, "--as", "anna")

    assert ran.code == 0
    assert result in ran.out


@pytest.mark.parametrize(
    ("asked", "given"),
    [("really?", "perhaps"), ("which?", '["pink"]'), ("which?", "red"), ("how many?", "many"),
     ("how many?", '"7"')],
)  # fmt: skip
def test_an_answer_of_another_form_exits_2_and_changes_nothing(cli: Cli, asked: str, given: str):
    cli("run", "bot", asked)

    ran = cli("answer", "@last", given, "--as", "anna")

    assert ran.code == 2
    assert "Nothing was done." in ran.err
    assert len(waiting(cli)) == 1


def test_mine_is_also_what_a_role_lets_me_decide(cli: Cli):
    cli("run", "bot", "label it")

    assert len(waiting(cli, "--mine", "--as", "ben")) == 1
    assert waiting(cli, "--mine", "--as", "cleo") == []
    assert "for role ops" in cli("inbox").out


def test_what_i_have_voted_on_is_mine_no_more(cli: Cli):
    cli("run", "bot", "label it twice")
    cli("approve", "@last", "--as", "ben")

    assert waiting(cli, "--mine", "--as", "ben") == []
    assert len(waiting(cli, "--mine", "--as", "anna@x.org")) == 1


def test_what_i_asked_for_myself_is_not_mine_under_four_eyes(cli: Cli, folder: Path):
    text = (folder / "app.py").read_text()
    four = "not_an_initiator(role('ops'))"
    text = text.replace(
        'by: By = at_least(2, role("ops")) if both else role("ops")', f"by = {four}"
    )
    text = text.replace("at_least, role", "at_least, not_an_initiator, role")
    (folder / "app.py").write_text(text)
    cli("run", "bot", "label it", "--as", "anna")

    assert waiting(cli, "--mine", "--as", "anna") == []
    assert len(waiting(cli, "--mine", "--as", "ben")) == 1


def test_a_place_is_given_to_somebody_else(cli: Cli):
    cli("run", "bot", "label it")

    ran = cli("reassign", "@last", "--to", "cleo", "--as", "ben", "--comment", "on holiday")

    assert ran.code == 0
    assert "asks cleo instead of ben" in ran.out
    assert len(waiting(cli, "--mine", "--as", "cleo")) == 1
    assert waiting(cli, "--mine", "--as", "ben") == []
    assert cli("approve", "@last", "--as", "ben").code == 5
    assert cli("approve", "@last", "--as", "cleo").code == 0


def test_a_yes_that_does_not_suffice_says_what_is_needed(cli: Cli, folder: Path):
    cli("run", "bot", "label it twice", "--id", "one")

    first = cli("approve", "one", "--as", "anna")
    assert "one.s1.1   anna's yes counts; it needs 2 of role ops" in first.err
    assert first.code == 10
    second = cli("approve", "one", "--as", "ben")

    assert "yes counts" not in second.err
    assert (folder / "labels").read_text() == "billing"


def test_the_owner_gives_anybodys_place_as_json(cli: Cli):
    cli("run", "bot", "label it", "--id", "one")

    ran = cli(
        *("reassign", "one", "--to", "cleo", "--instead-of", "anna", "--as", "olga", "--json")
    )

    assert ran.document == {
        "schema": "twelvefold.reassigned/1",
        "contact": "one.s1.1",
        "to": "cleo",
        "instead_of": "anna",
        "by": "olga",
    }


def test_a_stranger_gives_no_place(cli: Cli):
    cli("run", "bot", "label it")

    assert cli("reassign", "@last", "--to", "mallory", "--as", "mallory").code == 5
    assert log(cli, "contact_reassigned") == []


def test_those_who_come_next_are_asked_now(cli: Cli):
    cli("run", "bot", "label it", "--id", "one")

    ran = cli("escalate", "one", "--as", "ben", "--comment", "she knows")
    again = cli("escalate", "one", "--as", "olga", "--json")

    assert ran.out.strip() == "one.s1.1   asks cleo"
    assert (again.code, "asked already" in again.err) == (4, True)
    assert [data["comment"] for data in log(cli, "contact_escalated")] == ["she knows"]
    assert cli("approve", "one", "--as", "ben").code == 5
    assert cli("approve", "one", "--as", "cleo").code == 0


def test_an_escalation_as_json(cli: Cli):
    cli("run", "bot", "label it twice", "--id", "one")

    assert cli("escalate", "one", "--as", "ben").code == 5
    assert cli("escalate", "one", "--as", "olga", "--json").document == {
        "schema": "twelvefold.escalated/1",
        "contact": "one.s1.1",
        "to": "cleo",
        "by": "olga",
    }


def test_a_reminder_asks_once_more(cli: Cli):
    cli("run", "bot", "label it", "--id", "one")

    assert "asked once more" in cli("remind", "@last", "--as", "zoe").out
    assert cli("remind", "one", "--json").document["contact"] == "one.s1.1"
    cli("resume", "@last")

    assert len(log(cli, "contact_reminded")) == 2
    assert [sent.get("round", 0) for sent in log(cli, "contact_sent")][-1] == 2


def test_what_was_typed_survives_a_mistake_in_it(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    editor = folder / "editor"
    # First a label that the step refuses, then, from what was saved, one that it takes.
    editor.write_text('#!/bin/sh\nsed -i -e s/wrong/sales/ -e s/billing/wrong/ "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    cli("run", "bot", "label it")

    code, seen = on_terminal([("[q]uit >", "e")], "edit", "@last", "--as", "anna")

    assert code == 0
    assert "Input should be 'billing' or 'sales'" in seen
    assert (folder / "labels").read_text() == "sales"


def test_leaving_the_editor_changes_nothing(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    editor = folder / "editor"
    editor.write_text('#!/bin/sh\necho "label: [" > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    cli("run", "bot", "label it")

    code, seen = on_terminal([("[q]uit >", "q")], "edit", "@last", "--as", "anna")

    assert code == 10
    assert "Nothing was changed" in seen
    assert len(waiting(cli)) == 1
