"""The summary of a thread, and that it never disagrees with the state."""

from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from histories import history
from small import AGENT, Deploy, Done, Look, Merge, Question
from twelvefold.effects import WaitFor
from twelvefold.state import State
from twelvefold.summary import TITLE_CHARS_MAX, Status, Summary, short, summarize
from twelvefold.testing import (
    answered,
    asked,
    began,
    chosen,
    event,
    finished,
    given,
    killed,
    message,
    started,
)

moves = st.lists(st.integers(0, 999), min_size=25, max_size=60)


def status_of(state: State[Any]) -> Status:
    """What the state means for a list of threads."""
    if state.cancelled:
        return "cancelled"
    if state.paused or state.limited:
        return "paused"
    if state.failed is not None:
        return "failed"
    if state.finished:
        return "finished"
    waits = [c for c in state.open if c.waiting is not None and not c.waiting.startswith("run:")]
    return "waiting" if waits else "running"


@settings(max_examples=250, deadline=None)
@forall(moves)
def test_the_summary_agrees_with_the_state_at_every_event(moves: list[int]):
    thread = history(moves)
    summary = Summary()
    for event_ in thread.events:
        summarize([event_], summary)
        assert summary.status == status_of(AGENT.state(thread.upto(event_.seq))), event_


@settings(max_examples=50, deadline=None)
@forall(moves, st.integers(0, 40))
def test_a_summary_can_be_continued_from_any_event(moves: list[int], at: int):
    events = history(moves).events

    assert summarize(events[at:], summarize(events[:at])) == summarize(events)
    assert Summary(**summarize(events).to_data()) == summarize(events)


def summary(*facts: Any) -> Summary:
    return summarize(given(*facts).events)


def test_a_thread_is_titled_by_its_first_message():
    assert summary(message("x" * 200), message("y")).title == "x" * TITLE_CHARS_MAX
    assert summary(event("message_received")).title == ""


def test_what_a_thread_used_is_counted():
    found = summary(
        message("go"),
        chosen(Look(), usage={"input": 5, "output": 2, "cost": 0.5}),
        event("model_failed", error="x", usage={"input": 1}),
        event("model_superseded"),
    )

    assert (found.steps, found.tokens, found.cost) == (1, 8, 0.5)
    assert (found.created_at, found.updated_at) == (
        "2026-01-01T12:00:00.000000Z",
        "2026-01-01T12:00:03.000000Z",
    )


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ((), "running"),
        ((chosen(Look()),), "running"),
        ((chosen(Deploy(tag="v1")), asked("anna")), "waiting"),
        ((event("paused"),), "paused"),
        ((event("limit_reached", limit="steps"),), "paused"),
        ((event("limit_reached", limit="steps"), message("go on")), "running"),
        ((event("advance_failed", error="x"), event("contact_sent")), "failed"),
        ((event("advance_failed", error="x"), event("resumed", retry=True)), "running"),
        ((chosen(Done(message="ok")), finished(step="s1")), "finished"),
        ((finished(), message("more")), "running"),
        ((event("cancelled"), event("paused")), "cancelled"),
    ],
)
def test_each_status_has_its_reason(facts: Any, status: Status):
    assert summary(message("go"), *facts).status == status


def test_an_answer_lifts_a_limit():
    waits = (message("go"), chosen(Question(text="?")), asked("anna", "?"))
    limited = (*waits, event("limit_reached", limit="steps"))

    assert summary(*limited).status == "paused"
    assert summary(*limited, answered("yes")).status == "running"


def test_a_signal_ends_only_the_waits_for_it():
    waits = (message("go"), chosen(Merge()), began(lambda s: WaitFor(s, "a:b")))

    assert summary(*waits, event("signal_received", signal="a")).waits == {"signal:a:b:s1": "s1"}
    assert summary(*waits, event("signal_received", signal="a:b")).waits == {}


def test_signals_are_counted_as_the_fold_takes_them():
    waits = (chosen(Merge()), began(lambda s: WaitFor(s, "a")))
    came = event("signal_received", signal="a")

    assert summary(message("go"), came, *waits).waits == {}
    assert summary(message("go"), came, *waits, *waits).waits == {"signal:a:s2": "s2"}
    many = summary(message("go"), *(fact for _ in range(10) for fact in waits), came)
    assert list(many.waits.values()) == [f"s{n}" for n in range(2, 11)]
    assert summary(message("go"), came, came, *waits).signals == {"a": 1}


@pytest.mark.parametrize("outcome", ["tool_returned", "tool_failed", "step_settled"])
def test_a_step_that_a_late_outcome_settles_waits_for_nothing(outcome: str):
    run = (message("go"), chosen(Look()), started(), killed())
    asks = event(
        "contact_requested",
        contact="s1.1",
        step="s1",
        kind="outcome",
        to={"people": ["olga"], "needed": 1},
    )

    assert summary(*run, asks).status == "waiting"
    assert summary(*run, asks, event(outcome, step="s1", error="x")).status == "running"


def test_a_thread_id_is_shown_by_its_ending():
    assert short("01234567.s1") == "234567.s1"
