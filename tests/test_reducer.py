"""What a log means: state from events, and nothing else."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from small import AGENT, HOUR, Deploy, Done, Look, Merge, Nap, NextStep, Question
from twelvefold.effects import Settle, Sleep, WaitFor
from twelvefold.reducer import fold, read, reduce
from twelvefold.state import State
from twelvefold.steps import CORE_EVENTS
from twelvefold.testing import (
    START,
    TICK,
    approved,
    asked,
    began,
    chosen,
    event,
    failed,
    finished,
    given,
    killed,
    message,
    returned,
    said,
    started,
)
from twelvefold.thread import Event, Thread


def state(*facts: Any) -> State[Any]:
    return AGENT.state(given(*facts, agent=AGENT))


RUN = (message("hi"), chosen(Look()), started())


def test_an_empty_thread_means_nothing():
    nothing = reduce(Thread("t", "bot"), NextStep)

    assert (nothing.seq, nothing.now, nothing.open, nothing.last(Look)) == (0, None, [], None)
    assert [nothing.waiting, nothing.finished, nothing.stopped] == [False] * 3


def test_folding_event_by_event_is_reducing():
    thread = given(*RUN, returned(["v1"]), agent=AGENT)
    folded: State[Any] = State(thread.upto(0), NextStep)
    for each in thread.events:
        fold(folded, each)

    assert folded.last(Look).result == reduce(thread, NextStep).last(Look).result == ["v1"]  # pyright: ignore
    assert folded.now == START + 3 * TICK


def test_a_chosen_step_is_ready_until_it_waits():
    assert [c.id for c in state(*RUN[:2]).ready] == ["s1"]
    assert state(*RUN).ready == []
    assert state(*RUN).waiting
    assert state(*RUN).open[0].waiting == "run:1"


def test_steps_are_found_by_kind_and_by_id():
    found = state(message("hi"), chosen(Look(what="a"), Deploy(tag="v1"), Look(what="b")))

    assert [c.step for c in found.all(Look)] == [Look(what="a"), Look(what="b")]
    assert found.last(Look) is found.by_id("s3")
    assert found.last(Done) is None
    assert found.all(Done) == []
    assert found.by_id("s9") is None
    assert found.open_step(None) is None


def test_a_result_can_be_read_as_any_type():
    look = state(*RUN, returned(["v1"])).last(Look)

    assert look is not None
    assert look.result_as(tuple[str, ...]) == ("v1",)
    with pytest.raises(ValidationError):
        look.result_as(int)


def test_the_step_is_always_the_same_object():
    found = state(*RUN[:2])

    assert found.ready[0].step is found.ready[0].step


def test_a_step_of_another_release_is_kept_but_not_ready():
    thread = given(message("hi"), chosen(Look(), Deploy(tag="v1")))
    old = reduce(thread, Look)

    assert [c.step for c in old.ready] == [Look()]
    assert [c.unreadable for c in old.unreadable] == [
        "no step of this agent has the intent 'deploy'"
    ]
    with pytest.raises(ValueError, match="deploy"):
        old.unreadable[0].step  # noqa: B018


def test_an_upcaster_brings_old_arguments_up_to_date():
    thread = given(
        message("hi"), event("next_step_chosen", intent="look", by="model", args={"w": "a"})
    )
    new = reduce(thread, NextStep, upcasters={"look": lambda args: {"what": args["w"]}})

    assert new.ready[0].step == Look(what="a")
    assert new.ready[0].args == {"w": "a"}


@pytest.mark.parametrize("broken", [KeyError("w"), TypeError(), AssertionError("never")])
def test_an_upcaster_that_raises_leaves_the_step_to_a_person(broken: Exception):
    def upcast(args: Any) -> Any:
        raise broken

    found = reduce(given(*RUN[:2]), NextStep, upcasters={"look": upcast})

    assert found.ready == []
    assert type(broken).__name__ in str(found.unreadable[0].unreadable)


def test_an_upcaster_cannot_change_the_log():
    thread = given(message("hi"), chosen(Deploy(tag="v1", flags={"a": [1]})))

    def upcast(args: Any) -> Any:
        args["flags"]["a"].append(2)
        return args

    assert reduce(thread, NextStep, upcasters={"deploy": upcast}).ready[0].step.flags == {
        "a": [1, 2]
    }
    assert thread.events[1].data["args"]["flags"] == {"a": [1]}


def test_code_that_changes_a_nested_argument_changes_neither_the_log_nor_the_run():
    thread = given(message("hi"), chosen(Deploy(tag="v1", flags={"a": [1]})))
    [chosen_] = reduce(thread, NextStep).ready
    chosen_.step.flags["a"].append("evil")

    assert thread.events[1].data["args"]["flags"] == {"a": [1]}
    assert chosen_.parse() == Deploy(tag="v1", flags={"a": [1]})


def test_failures_in_a_row_end_with_a_result():
    one = (chosen(Look()), started(), failed("no"))

    assert state(message("hi"), *one, *one).failures_in_a_row == 2
    assert state(message("hi"), *one, *one).failures_of == {"look": 2}
    assert state(message("hi"), *one, *one).last_failure == "look: no"
    done = state(message("hi"), *one, chosen(Look()), started(), returned(1))
    assert (done.failures_in_a_row, done.failures_of, done.last_failure) == (0, {}, "")


@pytest.mark.parametrize(
    "word", [message("go on"), (asked("anna", "?"), said("answer", value="go on"))]
)
def test_failures_in_a_row_end_with_a_person(word: Any):
    facts = word if isinstance(word, tuple) else (word,)
    found = state(
        message("hi"), chosen(Look()), started(), failed("no"), chosen(Question(text="?")), *facts
    )

    assert (found.failures_in_a_row, found.failures_of, found.last_failure) == (0, {}, "")


def test_a_failed_model_call_counts_as_failure_and_as_call():
    found = state(
        message("hi"), event("model_failed", error="bad", usage={"input": 5, "output": 2})
    )

    assert (found.failures_in_a_row, found.model_calls, found.spent.tokens) == (1, 1, 7)
    assert found.last_failure == "bad"


def test_what_a_model_used_is_added_up():
    found = state(
        message("hi"),
        chosen(Look(), usage={"input": 5, "output": 2, "cost": 0.5}),
        event("model_superseded", usage={"input": 1}),
    )

    assert (found.model_calls, found.usage) == (1, {"input": 6, "output": 2, "cost": 0.5})
    assert (found.spent.steps, found.spent.tokens, found.spent.cost) == (1, 8, 0.5)


@pytest.mark.parametrize("grant", [message("go on"), event("resumed", by="olga")])
def test_a_person_grants_what_a_limit_took(grant: Any):
    found = state(message("hi"), chosen(Look()), event("limit_reached", limit="steps"))
    assert (found.limited, found.stopped, found.spent.steps) == ("steps", True, 1)

    found = state(message("hi"), chosen(Look()), event("limit_reached", limit="steps"), grant)
    assert (found.limited, found.stopped, found.spent.steps) == (None, False, 0)
    assert found.model_calls == 1


def test_a_message_does_not_lift_a_pause():
    assert state(message("hi"), event("paused", by="olga"), message("go on")).paused
    assert not state(event("paused", by="olga"), event("resumed", by="olga")).paused


def test_a_failed_thread_is_tried_again_on_any_event_but_a_delivery():
    gone = (message("hi"), event("advance_failed", error="ValueError: x"))

    assert state(*gone).failed == "ValueError: x"
    assert state(*gone, event("contact_sent")).failed == "ValueError: x"
    assert state(*gone, event("weather_changed")).failed is None


def test_a_message_the_model_has_read_is_not_unread():
    assert state(message("a"), message("b")).unread == [1, 2]
    assert state(message("a"), message("b"), chosen(Look(), saw=1)).unread == [2]
    assert state(message("a"), message("b"), chosen(Look(), by="code")).unread == [1, 2]
    assert (
        state(message("a"), event("next_step_chosen", intent="look", by="model", args={})).unread
        == []
    )


def test_a_message_while_the_model_thought_keeps_the_thread_going():
    found = state(
        message("a"), message("wait!"), chosen(Done(message="ok"), saw=1), finished(step="s1")
    )

    assert not found.finished
    assert found.unread == [2]
    assert found.by_id("s1").status == "closed"  # pyright: ignore


def test_a_later_reply_that_read_the_message_lets_the_first_done_finish():
    found = state(
        message("a"),
        message("wait!"),
        chosen(Done(message="ok"), saw=1),
        chosen(Look(), saw=2),
        finished(step="s1"),
    )

    assert found.finished


def test_code_that_finishes_has_seen_everything():
    assert state(message("a"), message("b"), finished()).finished


def test_a_message_to_a_finished_thread_begins_again():
    assert not state(message("a"), finished(), message("b")).finished


def test_an_orphaned_run_is_unknown_and_ready():
    [step] = state(*RUN, killed()).ready

    assert (step.status, step.attempts, step.run_again) == ("unknown", 1, False)


def test_a_late_outcome_settles_an_unknown_step_once():
    late = event("tool_returned", step="s1", intent="look", attempt=1, result="late")
    found = state(*RUN, killed(), late, event("tool_returned", step="s1", result="later"))

    assert found.last(Look).result == "late"  # pyright: ignore


def test_a_failure_of_an_older_attempt_does_not_settle_the_newer_one():
    again = event("tool_started", step="s1", attempt=2)
    found = state(*RUN, killed(), again, event("tool_failed", step="s1", attempt=1, error="x"))

    assert found.open[0].waiting == "run:2"


def test_a_failure_of_a_settled_step_counts_nothing():
    found = state(*RUN, returned(1), event("tool_failed", step="s1", error="x"))

    assert found.failures_in_a_row == 0


def test_what_nobody_did_may_run_again():
    nothing = event("tool_failed", step="s1", attempt=1, error="no trace", run_again=True)
    [step] = state(*RUN, killed(), nothing).ready

    assert (step.status, step.run_again) == ("open", True)


def test_a_step_that_code_settles_has_its_result():
    found = state(message("hi"), chosen(Merge()), began(lambda s: Settle(s, {"n": 1})))

    assert found.last(Merge).result == {"n": 1}  # pyright: ignore


@pytest.mark.parametrize(
    ("decision", "status", "error"),
    [
        ("it_ran", "returned", None),
        ("run_again", "open", None),
        ("give_up", "failed", "give_up by olga: no luck"),
    ],
)
def test_a_person_says_what_became_of_a_run(decision: Any, status: str, error: str | None):
    asks = event(
        "contact_requested",
        contact="s1.1",
        step="s1",
        kind="outcome",
        to={"people": ["olga"], "needed": 1},
    )
    found = state(*RUN, killed(), asks, said(decision, comment="no luck", value="tags"))
    step = found.last(Look)

    assert step is not None
    assert (step.status, step.error, step.run_again) == (status, error, decision == "run_again")
    assert step.result == ("tags" if decision == "it_ran" else None)


def test_a_withdrawn_contact_settles_its_step():
    found = state(
        message("hi"),
        chosen(Deploy(tag="v1")),
        asked("anna"),
        event("contact_closed", contact="s1.1", outcome="withdrawn"),
    )

    assert found.last(Deploy).error == "withdrawn"  # pyright: ignore


def test_an_approval_that_is_voided_after_it_was_given_is_none():
    approval = (message("hi"), chosen(Deploy(tag="v1")), asked("anna"), approved())
    voided = event("contact_voided", contact="s1.1", step="s1")

    assert state(*approval).ready[0].approved
    assert not state(*approval, voided).ready[0].approved
    assert not state(message("hi"), voided).open


def test_a_yes_without_a_digest_approves_nothing():
    asks = event(
        "contact_requested",
        contact="s1.1",
        step="s1",
        kind="approval",
        to={"people": ["anna"], "needed": 1},
    )
    found = state(
        message("hi"),
        chosen(Deploy(tag="v1")),
        asks,
        event("contact_closed", contact="s1.1", outcome="approved", by="anna"),
    )

    assert not found.ready[0].approved


def signal(name: str = "merged", **data: Any) -> Any:
    return event("signal_received", signal=name, **data)


def awaits(name: str = "merged") -> Any:
    return chosen(Merge()), began(lambda step: WaitFor(step, name))


def test_a_signal_ends_the_wait_of_the_oldest_step_only():
    other, two = awaits("merged:late"), (*awaits(), *awaits())

    once = state(message("hi"), *other, *two, signal(data=7))
    twice = state(message("hi"), *other, *two, signal(data=7), signal(data=8))

    assert [c.result for c in once.all(Merge)] == [None, 7, None]
    assert [c.waiting for c in once.open] == ["signal:merged:late", "signal:merged"]
    assert [c.result for c in twice.all(Merge)] == [None, 7, 8]
    assert (once.signals, twice.signals) == ({}, {})


def test_the_oldest_step_is_the_one_that_was_chosen_first():
    both = (message("hi"), chosen(Merge()), chosen(Merge()))
    first_waits_last = (
        began(lambda s: WaitFor(s, "merged"), step="s2"),
        began(lambda s: WaitFor(s, "merged"), step="s1"),
    )

    assert [c.id for c in state(*both, *first_waits_last, signal()).open] == ["s2"]


def test_a_signal_that_came_too_early_is_kept_for_who_waits_for_it():
    early = (message("hi"), signal(data=1), signal(data=2), signal("other", data=3), signal(data=4))

    found = state(*early, *awaits(), *awaits())

    assert [c.result for c in found.all(Merge)] == [1, 2]
    assert [c.status for c in found.all(Merge)] == ["returned", "returned"]
    assert found.signals == {"merged": [4], "other": [3]}
    assert not found.waiting


def test_a_kept_signal_is_taken_once():
    found = state(message("hi"), signal(data=1), *awaits(), *awaits())

    assert [c.result for c in found.all(Merge)] == [1, None]
    assert [c.waiting for c in found.open] == ["signal:merged"]


def test_a_signal_without_data_is_kept_too():
    assert state(message("hi"), signal(), *awaits()).all(Merge)[0].status == "returned"


def test_a_timer_settles_only_the_step_that_waits_for_it():
    sleeps = (message("hi"), chosen(Nap()), began(lambda s: Sleep(s, START + HOUR)))

    assert state(*sleeps, event("timer_fired", step="s1", timer="s2")).waiting
    assert state(*sleeps, event("timer_fired")).waiting
    assert not state(*sleeps, event("timer_fired", step="s1", timer="s1")).waiting


@pytest.mark.parametrize(
    ("status", "result", "error"),
    [("finished", "ok", None), ("cancelled", None, "t1.s1 was cancelled")],
)
def test_a_child_brings_its_result(status: str, result: Any, error: Any):
    launched = (message("hi"), chosen(Merge()), event("child_launched", step="s1", child="t1.s1"))
    ended = event("child_finished", step="s1", child="t1.s1", status=status, result=result)
    step = state(*launched, ended).last(Merge)

    assert step is not None
    assert (step.result, step.error) == (result, error)


@pytest.mark.parametrize("child", ["t1.s1", "t9.s1"])
def test_a_child_of_another_step_changes_nothing(child: str):
    ended = event("child_finished", step="s1", child=child, status="finished", result="x")

    assert state(message("hi"), chosen(Merge()), ended).ready
    assert state(message("hi"), ended).open == []


def test_a_cancelled_thread_has_no_open_steps():
    found = state(*RUN, event("cancelled", by="olga"))

    assert (found.cancelled, found.stopped, found.open) == (True, True, [])


@pytest.mark.parametrize("copied", ["forked", "imported"])
def test_a_copy_waits_for_nothing_of_the_original(copied: str):
    found = state(
        message("hi"),
        chosen(Deploy(tag="v1"), Nap(), Deploy(tag="v2")),
        asked("anna", step="s1"),
        began(lambda s: Sleep(s, START + HOUR), step="s2"),
        asked("anna", step="s3"),
        approved(),
        event(copied, **{"from": "t0"}),
    )

    assert [c.id for c in found.ready] == ["s1", "s2", "s3"]
    assert not any(c.approved for c in found.ready)
    assert found.open_contacts == {}
    assert found.contacts["s1.1"].outcome == "voided"


@pytest.mark.parametrize("type", sorted(CORE_EVENTS - {"next_step_chosen", "contact_requested"}))
def test_events_about_strangers_change_no_step(type: str):
    strange = {
        "step": "s9", "contact": "s9.1", "attempt": 1, "error": "x", "by": "anna",
        "outcome": "approved", "decision": "approve", "timer": "s9", "signal": "x", "child": "t9",
        "status": "finished",
        "result": 1, "limit": "steps", "saw": 0,
    }  # fmt: skip
    thread = given(message("hi"), chosen(Look()))
    found = AGENT.state(thread.grown([Event(3, type, strange, START)]))

    if type in {"finished", "cancelled", "erased"}:
        assert found.open == []
    else:
        assert [c.id for c in found.ready] == ["s1"]
        assert not found.waiting


def test_a_log_can_be_read_without_its_agent():
    found = read(given(message("hi"), chosen(Look()), asked("anna", "?"), agent=AGENT))

    assert (found.waiting, list(found.open_contacts)) == (True, ["s1.1"])
    assert found.open[0].digest("s1.1") is None


def test_a_contact_about_a_settled_step_changes_no_step():
    asks = event("contact_requested", contact="s1.1", step="s1", kind="outcome", to=OLGA)
    found = state(*RUN, returned("ok"), asks, said("give_up"))

    assert found.contacts["s1.1"].outcome is None
    closed = event("contact_closed", contact="s1.1", outcome="give_up")
    assert state(*RUN, returned("ok"), asks, closed).last(Look).status == "returned"  # pyright: ignore


OLGA = {"people": ["olga"], "needed": 1}


class Metres(BaseModel):
    length: float


class Feet(BaseModel):
    length: float


def test_a_result_is_read_by_the_first_type_that_fits():
    look = state(*RUN, returned({"length": 1.0})).last(Look)

    assert look is not None
    assert look.result_as(Metres | Feet) == Metres(length=1)
    assert look.result_as(Feet | Metres) == Feet(length=1)
