"""A step is edited in fields, looked at before it runs, and judged like any answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.desk import Reserve, ReserveSeats, reserves
from server.visiting import Visitor, begun, form_with, forms, office, settle, words
from twelvefold.app import App

EDIT = "/contacts/t.s1.1/edit"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with office(tmp_path) as app:
        yield app


@pytest.fixture
def anna(app: App) -> Visitor:
    return Visitor(app, "anna")


def editing(anna: Visitor, text: str = "refund") -> Any:
    begun(anna.of, text, name="t")
    return anna.get(EDIT)


def chosen(app: App) -> dict[str, Any]:
    """The newest step."""
    return [e.data for e in app.thread("t").events if e.type == "next_step_chosen"][-1]


def test_changes_are_looked_at_before_they_run(app: App, anna: Visitor):
    page = editing(anna)

    review = form_with(page, "Review").send(anna, "Review", **{"arg.euros": "45.25"})

    assert review.status_code == 200
    assert "euros was 90.5 becomes 45.25" in words(review)
    assert "customer" not in words(review).replace("next", "")
    assert len(app.inbox()) == 1


def test_what_was_looked_at_is_what_runs(app: App, anna: Visitor):
    page = editing(anna)
    typed = {"arg.euros": "45.25", "arg.tags": "lost\r\nlate", "comment": "half of it"}

    review = form_with(page, "Review").send(anna, "Review", **typed)
    sent = form_with(review, "Approve this").send(anna, "Approve this")
    settle(app)

    assert (sent.status_code, sent.headers["location"]) == (303, "/contacts/t.s1.1")
    step = next(e.data for e in app.thread("t").events if e.data.get("by") == "human")
    assert (step["args"]["euros"], step["args"]["tags"]) == (45.25, ["lost", "late"])
    assert (step["person"], step["args"]["customer"]) == ("anna", "Zo\u00eb M\u00fcller")
    after = words(anna.get("/contacts/t.s1.1"))
    assert "Changed and approved by anna" in after
    assert "half of it" in after


def test_the_way_back_keeps_what_was_typed(anna: Visitor):
    page = editing(anna)
    typed = {"arg.euros": "45.25", "comment": "half", "arg.currency": '"USD"'}

    review = form_with(page, "Review").send(anna, "Review", **typed)
    again = form_with(review, "Back to the fields").send(anna, "Back to the fields")

    fields = form_with(again, "Review").fields
    assert (fields["arg.euros"], fields["comment"]) == (["45.25"], ["half"])
    assert fields["arg.currency"] == ['"USD"']


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"arg.euros": "much"}, "is no number, such as 12 or 1.5"),
        ({"arg.euros": "10001"}, "less than or equal to 10000"),
        ({"arg.order": ""}, "is empty"),
        ({}, "Nothing is changed. To let it run as it is, go back and approve it."),
    ],
)
@pytest.mark.parametrize("button", ["Review", "Approve this"])
def test_what_the_step_would_not_take_is_said_at_its_field(
    app: App, anna: Visitor, typed: Any, said: str, button: str
):
    page = editing(anna)

    refused = form_with(page, button).send(anna, button, **{"comment": "so", **typed})

    assert refused.status_code == 422
    assert said in words(refused)
    fields = form_with(refused, "Review").fields
    assert all(fields[name] == [value] for name, value in typed.items())
    assert fields["comment"] == ["so"]
    assert len(app.inbox()) == 1


def test_somebody_was_faster_and_what_was_typed_is_not_lost(app: App, anna: Visitor):
    page = editing(anna)
    app.sync.answer("t.s1.1", "deny", by="ben", comment="no", channel="web")

    late = form_with(page, "Approve this").send(
        anna, "Approve this", **{"arg.euros": "1", "comment": "only one"}
    )

    assert late.status_code == 409
    assert "ben was faster: denied" in words(late)
    assert "only one" in words(late)


def test_the_digest_that_was_shown_is_the_one_that_is_edited(app: App, anna: Visitor):
    form = form_with(editing(anna), "Approve this")
    form.fields["digest"] = ["0" * 64]

    answer = form.send(anna, "Approve this", **{"arg.euros": "1"})

    assert answer.status_code == 409
    assert len(app.inbox()) == 1


def test_an_edited_text_keeps_its_lines_and_a_forged_one_its_characters(app: App, anna: Visitor):
    page = editing(anna, "forged")
    field = form_with(page, "Review").fields["arg.text"]

    assert "\\u202e" in field[0]
    form_with(page, "Approve this").send(anna, "Approve this", **{"arg.text": '"a\\nb"'})

    assert chosen(app)["args"] == {"text": "a\nb"}


def test_a_repair_takes_the_arguments_of_today(app: App, anna: Visitor):
    app.agents["rooms"] = reserves(Reserve)
    begun(app, "a room", agent="rooms", name="t")
    app.agents["rooms"] = reserves(ReserveSeats)
    app.sync.send("t", "for nine")
    settle(app)
    [asked] = app.inbox()
    page = anna.get(f"/contacts/t.{asked.id}/edit")

    sent = form_with(page, "Repair").send(anna, "Repair", **{"arg.seats": "9"})

    assert sent.status_code == 303
    assert chosen(app)["args"] == {"room": "blue", "seats": 9}


@pytest.mark.parametrize("text", ["yes", "text"])
def test_a_question_has_no_arguments_to_edit(anna: Visitor, text: str):
    assert editing(anna, text).status_code == 409


def test_who_may_not_decide_is_sent_to_the_contact(anna: Visitor):
    editing(anna)

    sent = anna.as_("eve").get(EDIT)

    assert (sent.status_code, sent.headers["location"]) == (303, "/contacts/t.s1.1")


def test_every_field_has_a_label(anna: Visitor):
    page = editing(anna)
    names = [name for name in form_with(page, "Review").names if name.startswith("arg.")]

    assert names
    assert all(f'for="f-{name[4:]}"' in page.text or "<legend>" in page.text for name in names)
    assert len(forms(page)) == 1
