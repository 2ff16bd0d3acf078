"""What a person is told to type for what waits for them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from twelvefold.cli.waits import command_for
from twelvefold.forms import Form, Option, multiple_choice, yes_no
from twelvefold.notices.events import said
from twelvefold.store import ContactRow, Ref
from twelvefold.thread import Event

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def row(kind: str, **data: Any) -> ContactRow:
    return ContactRow(Ref("default", "t1"), "bot", "s1.1", NOW, {"kind": kind, **data})


@pytest.mark.parametrize(
    ("form", "command"),
    [
        (None, "answer it: twelvefold answer t1 TEXT"),
        (yes_no(), "answer it: twelvefold answer t1 yes|no"),
        (multiple_choice("v1", "v 2"), "answer it: twelvefold answer t1 v1|'v 2'"),
    ],
)
def test_a_question_says_what_may_be_answered(form: Form | None, command: str):
    data = {} if form is None else {"form": form.to_data()}

    assert command_for(row("question", **data), "t1", again=str) == command


def test_options_have_a_command_of_their_own():
    options = [Option("bug").to_data(), Option("not; now").to_data()]

    assert command_for(row("approval", options=options), "t1", again=str) == (
        "approve it: twelvefold approve t1   or pick: twelvefold choose t1 bug|'not; now'"
    )


def test_what_was_picked_is_said():
    data = {"contact": "s1.1", "outcome": "chosen", "by": "anna", "choice": "bug"}

    assert said(Event(2, "contact_closed", data, NOW), "t1") == "chosen by anna: bug"
