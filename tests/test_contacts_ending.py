"""Contacts that end by themselves: rules that say yes, messages that take back, several at once."""

from typing import Any

import pytest

from crew import STORES, Look, Pay, app_of, events, pipeline, ran_by, settle, state, store_of
from small import AGENT, HOUR, Deploy, Question
from small import Look as Glance
from twelvefold.agent import Agent
from twelvefold.contacts import MESSAGE_CAME, Answer, judge
from twelvefold.context import render
from twelvefold.context.provenance import outside
from twelvefold.effects import Approve, Ask, AskModel, Wait, rule, run
from twelvefold.exceptions import Conflict, WrongDecision
from twelvefold.plan import begin, recover, replay
from twelvefold.policy import Settles
from twelvefold.testing import (
    TICK,
    asked,
    began,
    chosen,
    given,
    killed,
    message,
    said,
    started,
)
from twelvefold.testing.past import Fact, begun
from twelvefold.thread import Thread

TRUSTED = outside(trusted=["user:anna"])
ANYTHING = Settles({"local": "high"})


def here(*facts: Any, onto: Thread | None = None) -> Thread:
    return given(*facts, agent=AGENT, onto=onto)


def look(step: Glance) -> None:
    """Never runs here."""


def cheap(holds: bool = True, name: str = "under 100 EUR") -> Any:
    return rule(name, holds, source=TRUSTED)


def ruled(*facts: Any, step: Any = None, unless: Any = None, sender: str = "anna") -> Thread:
    ask = began(lambda s: Approve(s, by="anna", within=HOUR, unless=unless or cheap()))
    return here(message("go", sender=sender), chosen(step or Glance()), *facts, ask)


def verdict(thread: Thread, decision: Any = "approve", **more: Any) -> Any:
    answer = Answer(**{"contact": "s1.1", "decision": decision, "by": "anna"} | more)
    now = thread.events[-1].at + TICK
    return judge(AGENT.state(thread), answer, now=now, settles=ANYTHING)


# Rules


def test_a_rule_that_holds_says_yes_in_the_same_commit():
    thread = ruled()
    asking, closed = thread.events[-2:]
    [step] = AGENT.state(thread).ready

    assert asking.data["unless"] == {"rule": "under 100 EUR", "held": True}
    assert closed.data["outcome"] == "approved"
    assert closed.data["by"] == "rule: under 100 EUR"
    assert closed.key == "closed:s1.1"
    assert step.approved
    assert "already approved by rule: under 100 EUR" in str(verdict(thread).refusal)


def test_a_rule_needs_no_timer():
    thread = here(message("go", sender="anna"), chosen(Glance()))
    now, now_state = thread.events[-1].at, AGENT.state(thread)
    effect = Approve(now_state.ready[0].step, by="anna", within=HOUR, unless=cheap())

    assert begin(effect, now_state, thread, AGENT, now=now).timers == []


def test_what_a_rule_let_through_runs():
    thread = given(began(lambda s: run(look, s)), onto=ruled(), agent=AGENT)

    assert thread.events[-1].data["approval"] == "s1.1"


def test_a_rule_that_does_not_hold_asks_people():
    thread = ruled(unless=cheap(holds=False))

    assert thread.events[-1].data["unless"] == {"rule": "under 100 EUR", "held": False}
    assert AGENT.state(thread).waiting
    assert verdict(thread).refusal is None


def test_no_rule_settles_high_risk():
    thread = ruled(step=Deploy(tag="v1"))

    assert thread.events[-1].data["unless"]["ignored"] == "the step has high risk"
    assert not AGENT.state(thread).ready


def test_no_rule_holds_while_outsiders_have_written():
    thread = ruled(message("approve it", sender="eve"), unless=cheap())

    assert thread.events[-1].data["unless"]["ignored"] == "words from outside: user:eve"
    assert not AGENT.state(thread).ready
    assert not AGENT.state(ruled(sender="eve")).ready


def test_no_rule_lets_run_again_what_may_have_run():
    thread = ruled(started(), killed())

    assert thread.events[-1].data["unless"]["ignored"] == "its last run may have happened"


def test_a_rule_without_a_name_is_none():
    with pytest.raises(WrongDecision, match="needs a name"):
        ruled(unless=cheap(name=""))


def test_what_a_rule_let_through_does_not_run_when_its_risk_was_raised(
    monkeypatch: pytest.MonkeyPatch,
):
    thread = ruled()
    monkeypatch.setattr(Glance, "risk", "high")
    now, now_state = thread.events[-1].at, AGENT.state(thread)
    effect = run(look, now_state.ready[0].step)

    [void] = begin(effect, now_state, thread, AGENT, now=now).drafts
    assert void.data["reason"] == "no rule settles high risk"


def test_nobody_can_pass_for_a_rule():
    thread = here(message("go"), chosen(Glance()), asked("rule: under 100 EUR"))
    yes = said("approve", by="rule: under 100 EUR")

    assert AGENT.state(here(yes, onto=thread)).contacts["s1.1"].rule == ""


def by_rule(thread: Thread, state: Any) -> Any:
    for one in state.ready:
        return run(look, one.step) if one.approved else Approve(one.step, by="a", unless=cheap())
    return Wait() if state.open else AskModel("next?", Glance | Question)


def decided() -> Fact:
    return Fact(lambda past: begun(past, past.agent.decide(past.thread, past.state)))


def test_a_replay_finds_a_rule_that_holds_no_longer():
    agent = Agent("bot", by_rule, Glance | Question, owner="olga")
    facts = (message("go", sender="anna"), chosen(Glance()), decided(), decided())
    thread = given(*facts, agent=agent)

    def strict(thread: Thread, state: Any) -> Any:
        effect = by_rule(thread, state)
        if isinstance(effect, Approve):
            return Approve(effect.step, by="a", unless=cheap(holds=False))
        return effect

    assert replay(thread, agent) == []
    [difference] = replay(thread, Agent("bot", strict, Glance | Question, owner="olga"))
    assert '"held":true' in difference.recorded


# Messages that take back


def withdrawable(*facts: Any, effect: Any = None) -> Thread:
    ask = began(effect or (lambda s: Approve(s, by="anna", remind=HOUR, withdraw_on_message=True)))
    return here(message("go"), chosen(Deploy(tag="v1")), ask, *facts)


def recovered(thread: Thread) -> Any:
    now = thread.events[-1].at + TICK
    return recover(AGENT.state(thread), AGENT, in_flight=(), now=now)


def test_a_message_withdraws_what_was_asked_before_it():
    thread = withdrawable(message("stop, wrong tag"))
    plan = recovered(thread)
    [closed] = plan.drafts
    after = thread.then(closed)
    deploy = AGENT.state(after).last(Deploy)

    assert (closed.data["outcome"], closed.data["comment"]) == ("withdrawn", MESSAGE_CAME)
    assert plan.cancel == ["expire:s1.1", "remind:s1.1"]
    assert deploy is not None
    assert (deploy.status, deploy.error) == ("withdrawn", f"withdrawn: {MESSAGE_CAME}")
    assert "decision: withdrawn" in render(after)


@pytest.mark.parametrize("decision", ["approve", "deny", "edit"])
def test_no_answer_comes_between_a_message_and_the_withdrawal(decision: Any):
    thread = withdrawable(message("stop"))
    found = verdict(thread, decision, comment="x")

    assert isinstance(found.refusal, Conflict)
    assert "is withdrawn: a message came" in str(found.refusal)
    assert [draft.type for draft in found.drafts] == ["answer_refused"]


def test_what_came_before_the_question_takes_nothing_back():
    assert recovered(withdrawable()).drafts == []
    assert verdict(withdrawable()).refusal is None


def test_without_being_asked_to_a_message_takes_nothing_back():
    thread = here(message("go"), chosen(Deploy(tag="v1")), asked("anna"), message("stop"))

    assert recovered(thread).drafts == []
    assert "withdraw_on_message" not in thread.events[2].data
    assert verdict(thread).refusal is None


def test_a_question_can_be_taken_back_too():
    thread = withdrawable(
        message("never mind"),
        effect=lambda s: Ask(s, "sure?", to="anna", withdraw_on_message=True),
    )

    assert recovered(thread).drafts[0].data["outcome"] == "withdrawn"


# Several at once


def two() -> Thread:
    steps = chosen(Deploy(tag="a"), Deploy(tag="b"))
    return here(message("go"), steps, asked("anna", step="s1"), asked("ben", step="s2"))


def test_several_contacts_of_one_thread_end_each_alone():
    thread = here(said("approve", by="ben", contact="s2.1"), onto=two())
    state = AGENT.state(thread)

    assert [c.id for c in state.ready] == ["s2"]
    assert list(state.open_contacts) == ["s1.1"]
    other = here(said("deny", by="anna", contact="s1.1", comment="no"), onto=thread)
    assert AGENT.state(other).by_id("s1").status == "denied"  # pyright: ignore
    assert AGENT.state(other).ready[0].approved


def test_an_edit_of_one_leaves_the_other_open():
    thread = here(said("edit", by="anna", contact="s1.1", changes={"tag": "c"}), onto=two())

    assert [c.id for c in AGENT.state(thread).ready] == ["s3"]
    assert list(AGENT.state(thread).open_contacts) == ["s2.1"]


def test_the_yes_to_one_is_no_yes_to_the_other():
    first = two().events[3].data["digest"]

    assert "other arguments" in str(verdict(two(), contact="s2.1", by="ben", digest=first).refusal)


@pytest.fixture(params=STORES)
def store(request: Any, tmp_path: Any):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


@pytest.mark.anyio
async def test_several_approvals_of_one_turn_are_asked_and_run_side_by_side(store: Any):
    paid: list[str] = []

    def carry_out(chosen: Any) -> Any:
        if isinstance(chosen.step, Look):
            return ran_by(lambda step: "seen")(chosen)
        if chosen.approved:
            return ran_by(lambda step: paid.append(step.to))(chosen)
        return Approve(chosen.step, by="anna")

    app = app_of(pipeline(Pay(to="x"), Look(), Pay(to="y"), carry_out=carry_out), store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    assert [row.id for row in app.inbox()] == ["s1.1", "s3.1"]
    await app.answer("t.s3.1", "approve", by="anna")
    await settle(app)
    assert paid == ["y"]
    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)

    assert paid == ["y", "x"]
    assert state(app).finished


@pytest.mark.anyio
async def test_a_message_withdraws_the_approval_and_decide_goes_on(store: Any):
    def carry_out(chosen: Any) -> Any:
        return Approve(chosen.step, by="anna", withdraw_on_message=True)

    app = app_of(pipeline(Pay(to="x"), carry_out=carry_out), store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.send("t", "stop")
    with pytest.raises(Conflict, match="is withdrawn"):
        await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)

    assert [e.data["outcome"] for e in events(app, "contact_closed")] == ["withdrawn"]
    assert app.inbox() == []
    assert state(app).finished
