"""Histories as sentences: what users write in the tests of their agents."""

import pytest

from small import AGENT, HOUR, Deploy, Done, Look, look
from twelvefold.directory import Directory
from twelvefold.effects import AskModel, Wait, escalate, run
from twelvefold.exceptions import ConfigurationError, InvalidAnswer, RiskWall
from twelvefold.forms import Option
from twelvefold.policy import at_least, role
from twelvefold.testing import (
    START,
    TICK,
    answered,
    approved,
    asked,
    chose,
    chosen,
    decision,
    denied,
    event,
    failed,
    finished,
    given,
    later,
    message,
    overdue,
    returned,
    said,
    started,
)


def types(*facts, **more):
    return [event.type for event in given(*facts, **more).events]


def test_a_history_reads_like_a_sentence():
    assert types(
        message("deploy v1", sender="anna", channel="slack"),
        chosen(Deploy(tag="v1")),
        asked("anna", within=HOUR),
        approved(),
        started(),
        returned("live"),
        chosen(Done(message="ok")),
        finished("ok", step="s2"),
    ) == [
        "message_received",
        "next_step_chosen",
        "contact_requested",
        "contact_answered",
        "contact_closed",
        "tool_started",
        "tool_returned",
        "next_step_chosen",
        "finished",
    ]


def test_each_fact_is_a_second_after_the_one_before():
    times = [e.at for e in given(message("a"), message("b"), later(HOUR), message("c")).events]

    assert times == [START, START + TICK, START + 2 * TICK + HOUR]


def test_a_history_goes_on_where_another_ends():
    before = given(message("a"))
    after = given(message("b"), onto=before)

    assert [e.data["text"] for e in after.events] == ["a", "b"]
    assert after.events[1].at == START + TICK


def test_a_thread_is_named_by_its_tenant_and_id():
    thread = given(message("a"), agent=AGENT, thread_id="x", tenant="acme")

    assert (thread.id, thread.tenant, thread.agent) == ("x", "acme", "bot")


def test_the_decision_is_what_the_agent_returns():
    thread = given(message("look"), chosen(Look()), agent=AGENT)

    assert decision(AGENT, thread) == run(look, Look(), retry_safe=True)
    assert isinstance(decision(AGENT, given(message("hi"))), AskModel)
    assert decision(AGENT, given(message("hi"), finished())) == Wait()


def test_what_cannot_happen_cannot_be_given():
    with pytest.raises(RiskWall):
        given(message("go"), chosen(Deploy(tag="v1")), started())
    with pytest.raises(InvalidAnswer):
        given(message("go"), chosen(Look()), asked("anna", "which?"), approved())


def test_what_is_refused_is_recorded_as_refused():
    facts = (message("go"), chosen(Deploy(tag="v1")), asked("anna"))

    assert types(*facts, approved(by="mallory"))[-1] == "answer_refused"
    assert types(*facts, denied("no"), said("approve", contact="s1.1"))[-1] == "answer_refused"


@pytest.mark.parametrize(
    ("fact", "missing"),
    [
        (started(), "ready step"),
        (started(step="s7"), "ready step s7"),
        (returned("x"), "run of a step"),
        (failed("x", step="s1"), "run of s1"),
        (answered("x"), "open contact"),
    ],
)
def test_a_fact_without_its_cause_says_what_is_missing(fact, missing):
    with pytest.raises(ConfigurationError, match=f"there is no {missing}"):
        given(message("go"), fact)


def test_code_chooses_too_and_models_may_have_seen_less():
    thread = given(message("a"), message("b"), chosen(Look(), by="code"), chosen(Look(), saw=1))

    assert [(e.data["by"], e.after) for e in thread.events[2:]] == [("code", 2), ("model", 1)]


def test_errors_are_told_as_the_log_tells_them():
    thread = given(message("a"), chosen(Look()), started(), failed(TimeoutError("slow")))

    assert thread.events[-1].data["error"] == "TimeoutError: slow"


def test_time_runs_out():
    asks = (message("go"), chosen(Deploy(tag="v1")), asked("anna", within=HOUR))
    over = given(*asks, overdue(), agent=AGENT)
    escalates = asked("anna", within=HOUR, on_expiry=escalate(to="olga", within=HOUR))

    assert over.events[-1].data["outcome"] == "expired"
    assert over.events[-1].at == START + HOUR + 2 * TICK
    assert types(*asks[:2], escalates, overdue(), approved())[-3:] == [
        "contact_escalated",
        "contact_answered",
        "contact_closed",
    ]


def test_a_person_ends_a_contact_by_an_option():
    ask = asked("anna", options=[Option("spam")])
    thread = given(message("go"), chosen(Deploy(tag="v1")), ask, chose("spam", comment="it is"))

    assert thread.events[-1].data["choice"] == "spam"


def test_people_are_who_they_are_in_the_directory():
    people = Directory(roles={"ops": ["anna", "ben"]})
    both = (approved(), approved())
    thread = given(
        message("go"),
        chosen(Deploy(tag="v1")),
        asked(at_least(2, role("ops"))),
        *both,
        directory=people,
    )

    assert [e.data["by"] for e in thread.events if e.type == "contact_answered"] == ["anna", "ben"]


def test_any_other_event_can_be_given():
    assert given(event("weather_changed", to="rain")).events[0].data == {"to": "rain"}
