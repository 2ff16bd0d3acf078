"""A contact as a flat form, and what comes back of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from twelvefold.exceptions import InvalidAnswer
from twelvefold.forms import Form, Option, free_text, json_answer, multiple_choice, yes_no
from twelvefold.mcp.forms import Said, form_of, key_of, said_in
from twelvefold.policy import any_of
from twelvefold.state import Contact
from twelvefold.thread import Thread

FLAT = json_answer(
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
        "required": ["city"],
    }
)
NESTED = json_answer({"type": "object", "properties": {"to": {"type": "array"}}})
NUMBER = json_answer({"type": "integer", "minimum": 3})
OPTIONS = (Option("spam", title="That is spam"),)
PRIMITIVES = {"string", "number", "integer", "boolean", "array"}


def question(form: Form | None = None, *options: Option, **more: Any) -> Contact:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return Contact(
        **{
            **{"id": "s1.1", "step": "s1", "kind": "question", "intent": "ask", "seq": 3},
            **{"policy": any_of("anna"), "asked_at": at, "form": form, "options": options},
            **more,
        }
    )


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (None, {"type": "string", "minLength": 1}),
        (free_text(), {"type": "string", "minLength": 1}),
        (yes_no(), {"type": "boolean"}),
        (multiple_choice("a", "b"), {"type": "string", "enum": ["a", "b"]}),
        (
            multiple_choice("a", "b", many=True),
            {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "minItems": 1},
        ),
        (NUMBER, {"type": "integer", "minimum": 3}),
    ],
)
def test_a_form_has_one_field_for_the_answer(form: Form | None, field: Any):
    shown = form_of(question(form))

    assert shown == {"type": "object", "properties": {"answer": field}, "required": ["answer"]}


def test_a_flat_schema_is_the_form_itself():
    assert form_of(question(FLAT)) == FLAT.json_schema()
    assert said_in(question(FLAT), {"city": "Berlin"}) == Said("answer", {"city": "Berlin"})


def test_what_is_not_flat_is_a_text_that_holds_json():
    field = form_of(question(NESTED))["properties"]["answer"]

    assert field["type"] == "string"
    assert "JSON that fits" in field["description"]
    assert said_in(question(NESTED), {"answer": '{"to": ["anna"]}'}).value == {"to": ["anna"]}


@pytest.mark.parametrize("given", ["{", '{"to": NaN}', 5, None, {"to": []}])
def test_a_text_that_holds_no_json_is_refused(given: Any):
    with pytest.raises(InvalidAnswer):
        said_in(question(NESTED), {"answer": given})


@pytest.mark.parametrize("form", [None, FLAT, NESTED, yes_no(), multiple_choice("a", "b")])
@pytest.mark.parametrize("options", [(), OPTIONS])
def test_every_form_is_flat(form: Form | None, options: Any):
    shown = form_of(question(form, *options))

    assert shown["type"] == "object"
    assert {field["type"] for field in shown["properties"].values()} <= PRIMITIVES


def test_an_option_is_a_choice_instead_of_an_answer():
    asked = question(None, *OPTIONS)

    assert form_of(asked)["properties"]["choice"]["enum"] == ["spam"]
    assert said_in(asked, {"choice": "spam"}) == Said("choose", "spam")
    assert said_in(asked, {"answer": "no", "choice": ""}) == Said("answer", "no")
    with pytest.raises(InvalidAnswer, match="stands alone"):
        said_in(asked, {"answer": "no", "choice": "spam"})
    with pytest.raises(InvalidAnswer, match="missing"):
        said_in(asked, {})


def test_an_approval_is_a_decision_and_a_comment():
    asked = question(None, *OPTIONS, kind="approval")

    assert form_of(asked)["properties"]["decision"]["enum"] == ["approve", "deny", "spam"]
    assert said_in(asked, {"decision": "approve"}) == Said("approve")
    assert said_in(asked, {"decision": "deny", "comment": "no"}) == Said("deny", None, "no")
    assert said_in(asked, {"decision": "spam", "comment": ""}) == Said("choose", "spam", None)


@pytest.mark.parametrize(
    "content",
    [{"decision": "edit"}, {"decision": None}, {"answer": "approve"}, {"digest": "x"}, {}],
)
def test_an_approval_takes_nothing_else(content: Any):
    with pytest.raises(InvalidAnswer):
        said_in(question(kind="approval"), content)


def test_a_key_names_what_was_shown():
    thread, asked = Thread("t", "till", tenant="acme"), question(digest="one")
    key = key_of(thread, asked)

    assert key == key_of(Thread("t", "till", tenant="acme"), question(digest="one"))
    others = [
        key_of(thread, question(digest="two")),
        key_of(thread, question(digest="one", id="s1.2")),
        key_of(thread, question(digest="one", question="Really?")),
        key_of(Thread("u", "till", tenant="acme"), asked),
        key_of(Thread("t", "till", tenant="umbrella"), asked),
    ]
    assert len({key, *others}) == 6
