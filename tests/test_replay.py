"""Replay: every recorded decision made again, and compared."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from histories import history
from small import AGENT, HOUR, Deploy, Done, Look, NextStep, Question, decide, look
from twelvefold.agent import Agent
from twelvefold.effects import Approve, Ask, AskModel, Effect, Finish, Wait, run
from twelvefold.forks import fork
from twelvefold.limits import Limits
from twelvefold.messages import ModelRequest, messages_of
from twelvefold.plan import CallModel, Difference, begin, replay
from twelvefold.testing import (
    START,
    Fact,
    Past,
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
from twelvefold.thread import Draft, Thread, from_jsonl


def decided() -> Fact:
    """What the small agent decides, with the model silent."""
    return Fact(_decided)


def _decided(past: Past) -> list[Draft]:
    effect = AGENT.decide(past.thread, past.state)
    drafts = begin(effect, past.state, past.thread, AGENT, now=past.now).drafts
    for draft in drafts:
        draft.after = past.thread.head
    return drafts


def replied(step: Any) -> Fact:
    """The model was asked with the prompt of the small agent, and chose `step`."""

    def make(past: Past) -> list[Draft]:
        effect: Any = AGENT.decide(past.thread, past.state)
        [call] = begin(effect, past.state, past.thread, AGENT, now=past.now).acts
        assert isinstance(call, CallModel)
        return list(chosen(step, prompt=call.request.hash()).make(past))

    return Fact(make)


DEPLOYED = given(
    message("deploy v1"),
    replied(Look()),
    decided(),
    returned(["v1"]),
    replied(Deploy(tag="v1")),
    decided(),
    said("deny", comment="v2 please"),
    replied(Deploy(tag="v2")),
    decided(),
    approved(by="ben"),
    decided(),
    returned("v2 is live"),
    replied(Done(message="done")),
    decided(),
    agent=AGENT,
)


def changed(now: Any) -> Agent[Any, Any]:
    """The small agent, whose `decide` asks `now(thread, state)` first."""

    def other(thread: Thread, state: Any) -> Effect[Any, Any]:
        return now(thread, state) or decide(thread, state)

    return Agent("bot", other, NextStep, owner="olga")


def only(differences: list[Difference]) -> Difference:
    assert len(differences) == 1, differences
    return differences[0]


def test_an_unchanged_agent_decides_as_it_did():
    assert replay(DEPLOYED, AGENT) == []
    assert replay(from_jsonl(DEPLOYED.to_jsonl()), AGENT) == []


def test_every_prefix_replays():
    for seq in range(DEPLOYED.head + 1):
        assert replay(DEPLOYED.upto(seq), AGENT) == [], seq


def copied(thread: Thread, at: int, new_id: str) -> Thread:
    new, drafts = fork(thread, at, new_id=new_id, now=START)
    return new.grown([draft.event(seq) for seq, draft in enumerate(drafts, start=1)])


def outside_runs(thread: Thread) -> list[int]:
    """Where it can be forked."""
    starts = [e.seq for e in thread.events if e.type == "tool_started"]
    return [seq for seq in range(1, thread.head + 1) if seq not in starts]


def test_what_a_fork_copied_replays_as_that_of_the_original():
    for seq in outside_runs(DEPLOYED):
        first = copied(DEPLOYED, seq, "two")
        again = given(decided(), onto=first, agent=AGENT)

        assert replay(first, AGENT) == [], seq
        assert replay(copied(again, first.head, "three"), AGENT) == [], seq


def test_a_changed_policy_is_found_in_a_fork():
    changes = changed(lambda thread, state: Finish("no") if thread.head == 1 else None)

    assert only(replay(copied(DEPLOYED, DEPLOYED.head, "two"), changes)).seq == 2


@settings(max_examples=60, deadline=None)
@forall(st.lists(st.integers(0, 999), max_size=30))
def test_replay_never_raises_and_never_changes_its_mind(moves: list[int]):
    thread = history(moves)

    assert replay(thread, AGENT) == replay(thread, AGENT)


def test_a_changed_policy_is_found_at_its_event():
    def strict(thread: Thread, state: Any) -> Any:
        ready = [c.step for c in state.ready if isinstance(c.step, Deploy) and not c.approved]
        return Approve(ready[0], by="cleo", within=HOUR) if ready else None

    found = replay(DEPLOYED, changed(strict))
    asks = [e.seq for e in DEPLOYED.events if e.type == "contact_requested"]

    assert [d.seq for d in found] == asks
    assert all(d.kind == "decision" for d in found)
    assert '"anna","ben"' in found[0].recorded
    assert "by='cleo'" in found[0].now
    assert str(found[0]).startswith(f"event {asks[0]} (decision)\n  recorded: contact_requested")


def test_a_decide_that_raises_today_is_a_difference():
    def broken(thread: Thread, state: Any) -> Any:
        raise KeyError("tag")

    found = replay(DEPLOYED, changed(broken))

    assert found[0].now == "KeyError: 'tag'"
    assert found[-1] == Difference(DEPLOYED.head, "decision", "Wait()", "KeyError: 'tag'")


def test_a_call_that_is_no_longer_made_is_a_difference():
    lazy = changed(lambda thread, state: Wait() if thread.head == 1 else None)

    found = only(replay(DEPLOYED, lazy))
    assert (found.seq, found.now) == (2, "Wait()")


def test_a_changed_prompt_is_found_at_its_reply():
    def wordy(thread: Thread, state: Any) -> Any:
        return AskModel("Be brief.", NextStep) if thread.head == 4 else None

    found = only(replay(DEPLOYED, changed(wordy)))
    asked_now = ModelRequest(messages_of("Be brief."), schema=found_schema()).hash()

    assert (found.seq, found.kind) == (5, "prompt")
    assert found.recorded == f"prompt {DEPLOYED.events[4].data['prompt']}"
    assert found.now == f"prompt {asked_now}"


def found_schema() -> str:
    [call] = begin(
        AskModel("", NextStep), AGENT.state(given()), given(), AGENT, now=DEPLOYED.events[0].at
    ).acts
    assert isinstance(call, CallModel)
    assert call.request.schema is not None
    return call.request.schema


def test_a_finished_thread_that_would_go_on_today_is_found():
    restless = changed(lambda t, state: AskModel("more?", NextStep) if state.finished else None)

    found = only(replay(DEPLOYED, restless))
    assert (found.seq, found.recorded) == (DEPLOYED.head, "Wait()")
    assert found.now.startswith("AskModel(prompt='more?'")


def test_a_waiting_thread_that_would_go_on_today_is_found():
    waits = DEPLOYED.upto(6)
    assert waits.events[-1].type == "contact_requested"
    hasty = changed(lambda t, s: Finish("never mind") if s.waiting else None)

    assert only(replay(waits, hasty)).now == "Finish(message='never mind')"


def test_what_nobody_has_decided_on_yet_is_no_difference():
    two = given(
        message("go"),
        chosen(Question(text="a"), Question(text="b")),
        began(lambda s: Ask(s, "a", to="anna"), step="s1"),
        asked("anna", step="s2"),
        approved(),
        agent=AGENT,
    )

    assert [d for d in replay(two, AGENT) if d.recorded == "Wait()"] == []


def test_recovery_and_limits_replay():
    few = Agent("bot", decide, NextStep, owner="olga", limits=Limits(steps=1))
    thread = given(
        message("go"),
        chosen(Look()),
        began(lambda s: run(look, s, retry_safe=True)),
        killed(),
        began(lambda s: run(look, s, retry_safe=True)),
        failed("no"),
        began_limit(few),
        agent=few,
    )

    assert [e.type for e in thread.events][-1] == "limit_reached"
    assert replay(thread, few) == []
    assert replay(thread, AGENT)[0].recorded.startswith("limit_reached")


def began_limit(agent: Any) -> Fact:
    def make(past: Past) -> list[Draft]:
        drafts = begin(AskModel("x", NextStep), past.state, past.thread, agent, now=past.now).drafts
        for draft in drafts:
            draft.after = past.thread.head
        return drafts

    return Fact(make)


@pytest.mark.parametrize("facts", [(chosen(Look()), started()), (event("paused"),), ()])
def test_a_thread_that_is_under_way_is_not_at_rest(facts: Any):
    thread = given(message("go"), *facts, agent=AGENT)
    restless = changed(lambda t, s: Finish("x"))

    assert [d for d in replay(thread, restless) if d.recorded == "Wait()"] == []


def test_a_reply_without_a_prompt_hash_is_not_compared():
    thread = given(message("go"), chosen(Look()), event("contact_sent"), finished(), agent=AGENT)
    bare = [replace(e, after=None) if e.type == "finished" else e for e in thread.events]

    assert replay(Thread("t1", "bot", bare), AGENT) == []
