"""What pages show, as records, without a server and without HTML."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from twelvefold.directory import Directory
from twelvefold.exceptions import AlreadyDecided, Conflict
from twelvefold.policy import Settles
from twelvefold.reducer import read
from twelvefold.server.pages.answering import placed_errors, refusal_said
from twelvefold.server.pages.decision_view import Asked, Reader, asked_of
from twelvefold.server.pages.fields import fields_of
from twelvefold.server.pages.texts import in_words, long_ago, until
from twelvefold.server.pages.values import brief, brief_args, shown
from twelvefold.thread import Draft, Thread, to_iso

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SETTLES = Settles({"signed_in": "high", "key": "medium", "link": "low"})
ARGS = {"tag": "v1", "thought": "all tests pass"}
TO: dict[str, Any] = {"people": ["anna", "ben"], "needed": 1}


def fact(type: str, minutes: int = 0, **data: Any) -> Draft:
    return Draft(type, data, NOW + timedelta(minutes=minutes))


def requested(**more: Any) -> Draft:
    data = {"contact": "s1.1", "step": "s1", "kind": "approval", "intent": "deploy", "args": ARGS}
    return fact("contact_requested", **{**data, "to": TO, "risk": "high", **more})


def thread_of(*drafts: Draft) -> Thread:
    begun = fact("message_received", **{"text": "deploy v1", "from": "cleo"})
    chosen = fact("next_step_chosen", intent="deploy", args=ARGS, by="model")
    return Thread("t", "bot").then(begun, chosen, *drafts)


def view(
    *drafts: Draft, person: str = "anna", proven: str = "signed_in", **directory: Any
) -> Asked:
    thread = thread_of(*(drafts or (requested(),)))
    state = read(thread)
    reader = Reader(person, proven, SETTLES, Directory(**directory))
    return asked_of(thread, state, state.contacts["s1.1"], reader, now=NOW)


def test_what_a_lead_needs_in_ten_seconds():
    asked = view(requested(deadline=to_iso(NOW + timedelta(hours=2))))

    assert (asked.agent, asked.verb, asked.intent, asked.risk) == (
        "bot",
        "wants to run",
        "deploy",
        "high",
    )
    assert [(arg.name, arg.lines) for arg in asked.args] == [("tag", ("v1",))]
    assert list(asked.why) == [("thought", "all tests pass")]
    assert (list(asked.requested_by), asked.chooser, asked.asked_of) == (
        ["cleo"],
        "the model",
        "anna or ben",
    )
    assert asked.deadline == NOW + timedelta(hours=2)
    assert asked.on_expiry == "silence is a no"


@pytest.mark.parametrize(
    ("on_expiry", "said"),
    [
        ({"escalate": {"to": TO, "within_s": 60}}, "then it is asked of anna or ben"),
        ({"option": "spam"}, "then it ends as spam"),
        ({}, "silence is a no"),
    ],
)
def test_silence_is_said_in_words(on_expiry: Any, said: str):
    assert view(requested(on_expiry=on_expiry)).on_expiry == said


def test_who_is_not_asked_is_told_who_is():
    assert view(person="eve").barred == "eve may not answer this; it was asked of anna or ben."


def test_a_proof_that_is_too_weak_is_told_what_would_do():
    asked = view(proven="key")

    assert "may not settle high risk" in asked.barred
    assert list(asked.enough) == ["signed in to this inbox"]
    assert list(view().enough) == []


def test_what_i_said_already_is_mine_by_whatever_name():
    both = {"people": ["anna", "ben"], "needed": 2}
    said = fact("contact_answered", 1, contact="s1.1", decision="approve", by="anna")

    asked = view(
        requested(to=both),
        said,
        person="anna@example.com",
        addresses={"anna": {"mail": "anna@example.com"}},
    )

    assert asked.mine is not None
    assert (asked.mine.by, asked.mine.decision) == ("anna", "approve")
    assert view(requested(to=both), said, person="ben").mine is None


def test_an_end_says_how_by_whom_where_and_what_became_of_it():
    closed = fact(
        "contact_closed",
        2,
        contact="s1.1",
        outcome="denied",
        by="ben",
        channel="web",
        comment="not today",
    )
    closed.key = "closed:s1.1"

    ended = view(requested(), closed).ended

    assert ended is not None
    assert (ended.outcome, ended.by, ended.channel, ended.comment) == (
        "denied",
        "ben",
        "in the web inbox",
        "not today",
    )
    assert ended.then == "deploy did not run"


def test_steps_before_are_the_last_few_with_how_they_ended():
    steps: list[Draft] = []
    for n in range(2, 9):
        steps.append(fact("next_step_chosen", intent="look", args={"n": n}, by="code"))
        steps.append(fact("tool_returned", step=f"s{n}", attempt=1, result="x" * 200))
    asked = view(*steps, requested(step="s8"))

    assert [step.id for step in asked.before] == ["s4", "s5", "s6", "s7"]
    assert asked.before[0].args == "n: 4"
    assert asked.before[0].told.endswith("…")
    assert len(asked.before[0].told) == 90


def test_a_question_is_not_shown_as_an_argument_too():
    asked = view(requested(kind="question", question="Which?", args={"q": "Which?", "of": "two"}))

    assert [arg.name for arg in asked.args] == ["of"]
    assert (asked.title, asked.on_expiry) == ("Which?", "silence is no answer")


@pytest.mark.parametrize(
    ("value", "lines", "is_text"),
    [
        ("v1", ("v1",), False),
        ("12", ('"12"',), False),
        (" v1 ", ('" v1 "',), False),
        ("a\nb", ("a", "b"), True),
        ([1, 2], ("[1,2]",), False),
        ({"a": "x" * 60}, ("{", f'  "a": "{"x" * 60}"', "}"), False),
        (None, ("null",), False),
        (True, ("true",), False),
        ("true", ('"true"',), False),
    ],
)
def test_a_value_cannot_be_mistaken_for_another(value: Any, lines: tuple[str, ...], is_text: bool):
    seen = shown("a", value)

    assert (seen.lines, seen.is_text) == (lines, is_text)


def test_what_is_shortened_says_so():
    assert brief("a  b\nc", 10) == "a b c"
    assert brief("x" * 11, 10) == "x" * 9 + "…"
    assert brief_args({"a": 1, "b": "two words"}, 100) == "a: 1, b: two words"


def test_an_error_stands_at_the_field_that_it_is_about():
    fields = fields_of(
        {"properties": {"a": {"type": "string"}, "l": {"type": "array"}}}, {"a": "x", "l": [1]}
    )

    placed, rest = placed_errors(
        {"a": "is bad", "l.0.b": "is worse", "z": "is nowhere", "comment": "is empty"},
        fields,
        own={"comment"},
    )

    assert placed == {"a": "is bad", "l": "0.b: is worse"}
    assert rest == [("z", "is nowhere")]


def test_a_refusal_is_said_in_the_words_of_a_page():
    asked = view()

    said = refusal_said(Conflict("t.s1.1 is withdrawn: a message came. Nothing was done."), asked)
    late = refusal_said(AlreadyDecided("t.s1.1 was already approved. Nothing was done."), asked)

    assert said == "This is withdrawn: a message came."
    assert late == "This was already approved."


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=1) - timedelta(seconds=1), "in 24 h"),
        (timedelta(minutes=90), "in 90 min"),
        (timedelta(0), "over"),
    ],
)
def test_a_deadline_says_how_long_it_really_is(left: timedelta, said: str):
    assert until(NOW + left, NOW).striptags() == said


@pytest.mark.parametrize(
    ("age", "said"), [(0, "just now"), (4.9, "just now"), (5, "5 s ago"), (7_199, "1 h ago")]
)
def test_what_has_just_happened_has_no_number(age: float, said: str):
    assert long_ago(NOW - timedelta(seconds=age), NOW).striptags() == said


def test_code_in_a_sentence_is_marked_and_data_in_it_makes_no_tag():
    said = in_words("Ask <b>: `twelvefold dev`.")

    assert said.startswith("<bdi>Ask &lt;b&gt;: </bdi><code><bdi>twelvefold dev</bdi></code>")
