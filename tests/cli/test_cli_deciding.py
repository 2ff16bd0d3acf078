"""approve, deny, edit, answer: one exact contact is decided, or nothing is done."""

import os
import pty
import re
import select
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import Cli

from twelvefold.cli.ancestry import parents
from twelvefold.cli.editing import changed
from twelvefold.exceptions import InvalidAnswer

MAIN = "from twelvefold.cli import main; main()"


def contact(cli: Cli) -> dict[str, Any]:
    (found,) = cli("inbox", "--json").document["data"]
    return found


def test_a_second_answer_exits_4_and_says_who_was_first(cli: Cli):
    cli("run", "bot", "deploy v1")
    name = contact(cli)["id"]
    cli("approve", name, "--as", "anna")

    ran = cli("approve", name, "--as", "ben")

    assert ran.code == 4
    assert ran.out == ""
    assert "was already approved by anna" in ran.err
    assert "(cli). Nothing was done." in ran.err
    assert "next:  twelvefold threads show" in ran.err


@pytest.mark.parametrize("how", [[], ["--json"], ["--detach"]])
def test_where_nobody_is_asked_the_call_is_said_before_it_is_approved(cli: Cli, how: list[str]):
    cli("run", "bot", "deploy v1", "--id", "one")

    ran = cli("approve", "one", "--as", "anna", *how)
    named, first, *rest = ran.err.splitlines()
    assert ran.code == 0
    assert named == "to be approved: one.s1.1"
    assert first.startswith("  bot wants   deploy    high risk    asked ")
    assert rest[:3] == [  # what the tool prints comes after
        "        tag      v1",
        '        options  {"ports":[80,81]}',
        "    asked of anna or ben, chosen by the model",
    ]
    assert "to be approved" not in ran.out


def test_it_is_said_of_a_call_that_is_then_refused(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")

    ran = cli("approve", "one", "--as", "mallory")
    assert (ran.code, ran.out) == (5, "")
    assert ran.err.index("tag      v1") < ran.err.index("error: ")


def test_who_says_yes_beforehand_is_shown_nothing(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")

    ran = cli("approve", "one", "--as", "anna", "--yes")
    assert ran.code == 0
    assert "v1 is live" in ran.out
    assert "to be approved" not in ran.err


def test_what_was_decided_before_is_not_shown_again(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")
    cli("approve", "one", "--as", "anna")

    assert cli("approve", "one.s1.1", "--as", "ben").err.startswith("error: ")


def test_a_stranger_exits_5_and_changes_nothing(cli: Cli):
    cli("run", "bot", "deploy v1")

    ran = cli("approve", "@last", "--as", "mallory")

    assert ran.code == 5
    assert "anna or ben" in ran.err
    assert contact(cli)["intent"] == "deploy"


def test_another_digest_than_the_expected_exits_4(cli: Cli):
    cli("run", "bot", "deploy v1")
    digest = contact(cli)["digest"]

    assert cli("approve", "@last", "--as", "anna", "--expect", "0" * 64).code == 4
    assert contact(cli)["digest"] == digest
    assert cli("approve", "@last", "--as", "anna", "--expect", digest).code == 0


def test_an_expected_digest_refuses_what_has_none(cli: Cli):
    cli("run", "bot", "ask")

    assert cli("approve", "@last", "--as", "anna", "--expect", "0" * 64).code == 4


def test_a_denial_is_read_by_the_model(cli: Cli):
    cli("run", "bot", "deploy v1")

    ran = cli("deny", "@last", "--as", "anna", "--comment", "use v2")

    assert ran.code == 10
    assert "denied by anna: use v2" in ran.out
    assert contact(cli)["args"]["tag"] == "v2"


def test_a_denial_needs_a_comment(cli: Cli):
    cli("run", "bot", "deploy v1")

    ran = cli("deny", "@last", "--as", "anna")

    assert ran.code == 2
    assert "comment" in ran.err
    assert contact(cli)["args"]["tag"] == "v1"


def test_an_edit_runs_what_was_edited(cli: Cli):
    cli("run", "bot", "deploy v1")

    ran = cli("edit", "@last", "--as", "anna", "--set", "tag=v9", "--set", "options.ports.1=443")

    assert ran.code == 0
    assert '{"tag":"v9","options":{"ports":[80,443]}} by anna' in ran.out
    assert "v9 is live" in ran.out


@pytest.mark.parametrize("one", ["tag", "=v9", "options.ports.7=1", "options.nothing.here=1"])
def test_an_edit_of_nothing_that_is_there_exits_2(cli: Cli, one: str):
    cli("run", "bot", "deploy v1")

    ran = cli("edit", "@last", "--as", "anna", "--set", one)

    assert ran.code == 2
    assert "Nothing was done" in ran.err
    assert contact(cli)["args"] == {"tag": "v1", "options": {"ports": [80, 81]}}


def test_an_edit_that_the_step_refuses_exits_2(cli: Cli):
    cli("run", "bot", "deploy v1")

    assert cli("edit", "@last", "--as", "anna", "--set", "options=7").code == 2
    assert contact(cli)["args"]["tag"] == "v1"


def test_set_takes_json_and_else_text():
    args = {"a": {"b": [1, {"c": 2}]}, "d": 1}

    assert changed(args, ["a.b.1.c=null", "d=v1.2"]) == {"a": {"b": [1, {"c": None}]}, "d": "v1.2"}
    assert changed(args, ['d="7"']) == {"d": "7"}
    assert args == {"a": {"b": [1, {"c": 2}]}, "d": 1}
    with pytest.raises(InvalidAnswer):
        changed(args, ["d.e=1"])


def test_a_question_is_answered_with_text(cli: Cli):
    assert cli("run", "bot", "ask").code == 10
    assert "Which tag?" in cli("inbox").out

    ran = cli("answer", "@last", "v3", "--as", "anna")

    assert ran.code == 0
    assert 'answered by anna: "v3"' in ran.out


def test_a_question_cannot_be_approved_nor_an_approval_answered(cli: Cli):
    cli("run", "bot", "ask", "--id", "question")
    cli("run", "bot", "deploy v1", "--id", "approval")

    assert cli("approve", "question", "--as", "anna").code == 2
    assert cli("answer", "approval", "yes", "--as", "anna").code == 2
    assert cli("answer", "question", "--as", "anna").code == 2
    assert len(cli("inbox", "--json").document["data"]) == 2


def test_an_unknown_outcome_is_settled_by_a_person(cli: Cli):
    cli("run", "bot", "deploy cut")
    assert cli("approve", "@last", "--as", "anna").code == 10
    assert "it_ran|run_again|give_up" in cli("inbox").out
    assert cli("answer", "@last", "maybe", "--as", "anna").code == 2

    ran = cli("answer", "@last", "it_ran", "--result", '"cut is live"', "--as", "anna")

    assert ran.code == 0
    assert "cut is live" in ran.out


def test_an_answer_as_json_names_the_decision(cli: Cli):
    cli("run", "bot", "deploy v1")
    found = contact(cli)

    ran = cli("approve", "@last", "--as", "anna", "--json", "--detach")

    assert ran.document == {
        "schema": "twelvefold.answer/1",
        "contact": found["id"],
        "decision": "approve",
        "by": "anna",
        "digest": found["digest"],
    }


def test_a_run_may_not_approve_its_own_steps(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "risky")
    cli("run", "bot", "command approve risky --as anna")

    (result,) = [
        event["data"]["result"]
        for event in cli("threads", "show", "@last", "--json").document["events"]
        if event["type"] == "tool_returned"
    ]

    assert result[0] == "5"
    assert "only people answer" in result[1]
    assert contact(cli)["thread"] == "risky"


def test_parents_are_read_from_the_end_of_the_name(tmp_path: Path):
    for pid, parent in ((7, 5), (5, 1), (1, 0)):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(f"{pid} (a) 99 (b)) S {parent} 1 1 0")

    assert list(parents(7, tmp_path)) == [5, 1]
    assert list(parents(8, tmp_path)) == []


def on_terminal(answers: list[tuple[str, str]], *args: str) -> tuple[int, str]:
    """Run a command on a terminal of its own: each answer is typed when its prompt is seen."""
    pid, master = pty.fork()
    if pid == 0:  # the child becomes the command
        os.execv(sys.executable, [sys.executable, "-c", MAIN, *args])
    seen, typed = "", 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            read = os.read(master, 65536)
        except OSError:  # Linux says so when the other side has closed
            break
        if not read:
            break
        seen += read.decode(errors="replace")
        if answers and answers[0][0] in seen[typed:]:
            typed = len(seen)
            os.write(master, (answers.pop(0)[1] + "\n").encode())
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen


def test_on_a_terminal_the_contact_is_shown_and_asked(cli: Cli):
    cli("run", "bot", "deploy v1")
    cli("send", "@last", "message", "stop, wrong tag", "--as", "zoe")

    code, seen = on_terminal(
        [("[q]uit >", "what?"), ("[q]uit >", "c"), ("[q]uit >", "a")],
        *("approve", "@last", "--as", "anna"),
    )

    assert code == 0
    assert "bot wants   deploy    high risk" in seen
    assert re.search(r"tag +v1", seen)
    assert "expires in 24 h" in seen
    assert "asked of anna or ben, chosen by the model" in seen
    assert '! arrived after this was asked:\r\n        4  zoe: "stop, wrong tag"' in seen
    assert "what? is none of a, e, d, c, q" in seen
    assert "<user_message>" in seen
    assert "v1 is live" in seen


def test_leaving_the_question_does_nothing(cli: Cli):
    cli("run", "bot", "deploy v1")

    code, seen = on_terminal([("[q]uit >", "q")], "approve", "@last", "--as", "anna")

    assert code == 10
    assert "Nothing was done." in seen
    assert contact(cli)["intent"] == "deploy"


def test_on_a_terminal_a_denial_asks_why(cli: Cli):
    cli("run", "bot", "deploy v1")

    answers = [("[q]uit >", "d"), ("reads it >", ""), ("reads it >", "use v2")]
    code, seen = on_terminal(answers, "approve", "@last", "--as", "anna")

    assert code == 10
    assert "This cannot be empty" in seen
    assert "denied by anna: use v2" in seen


def test_on_a_terminal_an_edit_opens_the_editor(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    editor = folder / "editor"
    editor.write_text('#!/bin/sh\nsed -i s/v1/v7/ "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    cli("run", "bot", "deploy v1")

    code, seen = on_terminal([("[q]uit >", "e")], "approve", "@last", "--as", "anna")

    assert code == 0
    assert "v7 is live" in seen
