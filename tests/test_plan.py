"""What an effect begins, what recovery adds, what a timer means."""

from datetime import datetime
from typing import Any, Literal

import pytest

from small import (
    AGENT,
    HOUR,
    Deploy,
    Done,
    Hand,
    Look,
    Merge,
    Nap,
    NextStep,
    Question,
    decide,
    deploy,
    look,
)
from twelvefold.agent import Agent
from twelvefold.effects import (
    All,
    Approve,
    Ask,
    AskModel,
    Choose,
    Delegate,
    Finish,
    Run,
    Settle,
    Sleep,
    Wait,
    WaitFor,
    run,
)
from twelvefold.exceptions import NotReady, RiskWall, Unstorable, WrongDecision
from twelvefold.limits import Limits
from twelvefold.plan import CallModel, CallTool, Plan, Reconcile, begin, fire, recover
from twelvefold.steps import Step
from twelvefold.store import Timer
from twelvefold.testing import (
    START,
    TICK,
    approved,
    asked,
    began,
    chosen,
    decision,
    edited,
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
from twelvefold.thread import Parent, Thread

NOW = START + HOUR


def here(*facts: Any, **more: Any) -> Thread:
    return given(message("go"), *facts, agent=AGENT, **more)


def planned(thread: Thread, effect_of: Any, *, agent: Any = AGENT) -> Plan:
    """What begins when decide returns `effect_of(*ready steps)`."""
    state = agent.state(thread)
    return begin(effect_of(*[c.step for c in state.ready]), state, thread, agent, now=NOW)


def types(plan: Plan) -> list[str]:
    return [draft.type for draft in plan.drafts]


DEPLOY = chosen(Deploy(tag="v1"))
YES = (DEPLOY, asked(["anna", "ben"]), approved())


def test_the_small_agent_decides_by_the_book():
    assert isinstance(decision(AGENT, here()), AskModel)
    assert decision(AGENT, here(DEPLOY)) == Approve(
        Deploy(tag="v1"), by=["anna", "ben"], within=HOUR
    )
    assert decision(AGENT, here(DEPLOY, asked("anna"))) == Wait()
    assert decision(AGENT, here(*YES)) == run(deploy, Deploy(tag="v1"))
    assert decision(AGENT, here(*YES, started(), returned("ok"), finished())) == Wait()
    tries = (chosen(Look()), started(), failed("no")) * 3
    assert isinstance(decision(AGENT, here(*tries)), Choose)


def test_waiting_begins_nothing():
    assert planned(here(), lambda: Wait()) == Plan(waits=True)
    assert planned(here(), lambda: All()) == Plan(waits=True)


@pytest.mark.parametrize("nonsense", [None, "deploy", Deploy(tag="v1"), [Wait()]])
def test_what_is_not_an_effect_is_refused(nonsense: Any):
    with pytest.raises(WrongDecision, match=r"decide in \S*/small\.py, line \d+, returned "):
        planned(here(), lambda: nonsense)


def test_a_model_call_is_an_act_without_events():
    plan = planned(here(), lambda: AskModel("hello", NextStep, model="small"))
    [call] = plan.acts

    assert isinstance(call, CallModel)
    assert (plan.drafts, plan.waits, call.model) == ([], False, "small")
    assert (call.request.text, call.request.turn, call.request.agent) == ("hello", 1, "bot")
    assert "deploy" in str(call.request.schema)


def test_turns_count_model_calls_and_not_choices_of_code():
    thread = here(chosen(Look()), chosen(Look(), by="code"), event("model_failed", error="x"))
    [call] = planned(thread, lambda *_: AskModel("hello", NextStep)).acts

    assert isinstance(call, CallModel)
    assert call.request.turn == 3


def test_a_model_is_not_asked_while_a_step_waits_unless_told_so():
    thread = here(DEPLOY, asked("anna"), message("hurry"))

    assert planned(thread, lambda: AskModel("x", NextStep)) == Plan(waits=True)
    assert planned(thread, lambda: AskModel("x", NextStep, while_waiting=True)).acts
    assert planned(thread, lambda: All(AskModel("x", NextStep))).waits


def test_a_limit_stops_the_next_model_call():
    few = Agent("bot", decide, NextStep, owner="olga", limits=Limits(steps=1, wall_clock=2 * HOUR))
    none = Agent("bot", decide, NextStep, owner="olga", limits=None)
    thread = here(chosen(Look()), started(), returned([]))
    plan = planned(thread, lambda: AskModel("x", NextStep), agent=few)

    assert (types(plan), plan.acts, plan.waits) == (["limit_reached"], [], True)
    assert plan.drafts[0].data == {"limit": "steps", "used": 1, "allowed": 1, "by": "advance"}
    assert planned(thread, lambda: AskModel("x", NextStep), agent=none).acts
    assert planned(
        given(message("on"), onto=thread), lambda: AskModel("x", NextStep), agent=few
    ).acts


def test_code_chooses_as_a_model_would():
    plan = planned(here(), lambda: Choose(Look(), Deploy(tag="v1")))

    assert [draft.data["intent"] for draft in plan.drafts] == ["look", "deploy"]
    assert {draft.data["by"] for draft in plan.drafts} == {"code"}


class Foreign(Step):
    intent: Literal["foreign"] = "foreign"


def test_code_may_choose_only_steps_of_the_agent():
    with pytest.raises(WrongDecision, match="Foreign is not a step of the agent bot"):
        planned(here(), lambda: Choose(Foreign()))
    with pytest.raises(WrongDecision, match="names no step"):
        planned(here(), lambda: Choose())


def test_a_run_is_started_before_it_is_called():
    plan = planned(here(chosen(Look())), lambda s: run(look, s))
    [call] = plan.acts

    assert isinstance(call, CallTool)
    assert plan.drafts[0].data == {"step": "s1", "intent": "look", "tool": "look", "attempt": 1}
    assert (call.step, call.step_id, call.attempt) == (Look(), "s1", 1)


def test_a_copy_of_a_step_is_another_step():
    with pytest.raises(NotReady):
        planned(here(chosen(Look())), lambda s: run(look, s.model_copy(update={"what": "x"})))
    with pytest.raises(NotReady):
        planned(here(chosen(Look())), lambda s: run(look, Look()))


@pytest.mark.parametrize(
    "effect",
    [
        lambda s: run(deploy, s),
        lambda s: Approve(s, by="anna"),
        lambda s: Ask(s, "?", to="anna"),
        lambda s: Settle(s),
        lambda s: Sleep(s, NOW),
        lambda s: WaitFor(s, "x"),
        lambda s: Delegate(s, "x", "y"),
        lambda s: Finish("x", s),
    ],
)
def test_no_effect_takes_a_step_that_is_not_ready(effect: Any):
    with pytest.raises(NotReady):
        planned(here(DEPLOY, asked("anna")), lambda: effect(Deploy(tag="v1")))


def test_a_risky_step_does_not_start_unapproved():
    with pytest.raises(RiskWall, match="s1 deploy has high risk"):
        planned(here(DEPLOY), lambda s: run(deploy, s))
    with pytest.raises(RiskWall):
        planned(
            here(chosen(Look(), Deploy(tag="v1"))), lambda a, b: All(run(look, a), run(deploy, b))
        )


def test_the_one_way_round_the_wall_is_logged():
    plan = planned(here(DEPLOY), lambda s: run(deploy, s, ungated="staging only"))

    assert plan.drafts[0].data["ungated"] == "staging only"


def test_an_approved_run_names_its_approval():
    plan = planned(here(*YES), lambda s: run(deploy, s))

    assert plan.drafts[0].data["approval"] == "s1.1"


def test_a_step_cannot_be_approved_twice():
    with pytest.raises(WrongDecision, match="approved already"):
        planned(here(*YES), lambda s: Approve(s, by="anna"))


@pytest.mark.parametrize("effect", [lambda s: run(deploy, s), lambda s: Approve(s, by="anna")])
def test_a_yes_to_other_arguments_is_voided_and_asked_again(effect: Any):
    thread = here(*YES)
    thread.events[1].data["args"]["tag"] = "evil"
    plan = planned(thread, effect)

    assert (types(plan), plan.acts) == (["contact_voided"], [])
    assert plan.drafts[0].key == "voided:s1.1"
    voided = thread.grown([plan.drafts[0].event(thread.head + 1)])
    assert types(planned(voided, lambda s: Approve(s, by="anna"))) == ["contact_requested"]


def test_ungated_does_not_run_what_a_person_saw_otherwise():
    thread = here(*YES)
    thread.events[1].data["args"]["tag"] = "evil"

    assert planned(thread, lambda s: run(deploy, s, ungated="why")).acts == []


def test_what_decide_did_to_a_nested_value_does_not_run():
    thread = here(chosen(Deploy(tag="v1", flags={"force": [False]})), asked("anna"), approved())

    def tampering(step: Deploy) -> Run[object]:
        step.flags["force"][0] = True
        step.flags["more"] = 1
        return run(deploy, step)

    [call] = planned(thread, tampering).acts
    assert isinstance(call, CallTool)
    assert call.step == Deploy(tag="v1", flags={"force": [False]})


def test_an_edited_step_runs_as_edited():
    edit = (asked("anna"), edited(tag="v2"), asked("anna"))
    [call] = planned(here(DEPLOY, *edit), lambda s: run(deploy, s)).acts

    assert isinstance(call, CallTool)
    assert call.step == Deploy(tag="v2")


def test_a_contact_with_a_deadline_sets_its_timer():
    plan = planned(here(DEPLOY), lambda s: Approve(s, by="anna", within=HOUR))

    assert plan.timers == [Timer("expire:s1.1", NOW + HOUR)]
    assert plan.drafts[0].data["deadline"] == "2026-01-01T14:00:00.000000Z"
    assert planned(here(DEPLOY), lambda s: Approve(s, by="anna")).timers == []


@pytest.mark.parametrize("effect", [lambda s: Approve(s, by=[]), lambda s: Ask(s, "?", to="")])
def test_nobody_cannot_be_asked(effect: Any):
    with pytest.raises(WrongDecision, match="needs somebody"):
        planned(here(DEPLOY), effect)


def test_a_step_can_be_settled_slept_and_waited_for():
    settled = planned(here(chosen(Look())), lambda s: Settle(s, {"n": 1})).drafts[0]
    waits = planned(here(chosen(Merge())), lambda s: WaitFor(s, "merged")).drafts[0]
    sleeps = planned(here(chosen(Nap())), lambda s: Sleep(s, NOW))

    assert (settled.type, settled.data["result"], settled.data["by"]) == (
        "step_settled",
        {"n": 1},
        "code",
    )
    assert (waits.type, waits.data["signal"]) == ("signal_awaited", "merged")
    assert (types(sleeps), sleeps.timers) == (["timer_set"], [Timer("sleep:s1", NOW)])


def test_a_sleep_until_a_time_without_an_offset_is_refused():
    with pytest.raises(Unstorable, match="no offset"):
        planned(here(chosen(Nap())), lambda s: Sleep(s, datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_delegated_step_launches_one_child():
    plan = planned(
        here(chosen(Hand(task="test it")), tenant="acme"), lambda s: Delegate(s, "child", "test it")
    )
    [launch] = plan.others

    assert plan.drafts[0].data["child"] == launch.thread_id == "t1.s1"
    assert launch.create is not None
    assert (launch.create.agent, launch.create.parent) == ("child", Parent("t1", "s1", "hand"))
    assert (launch.tenant, launch.wake, launch.drafts[0].key) == ("acme", True, "launch")


def test_finishing_closes_what_is_open():
    thread = here(DEPLOY, asked("anna", within=HOUR), chosen(Nap()), began(lambda s: Sleep(s, NOW)))
    plan = planned(thread, lambda: Finish("done"))

    assert types(plan) == ["contact_closed", "finished"]
    assert plan.drafts[0].data["outcome"] == "cancelled"
    assert plan.cancel == ["expire:s1.1", "sleep:s2"]


def test_done_covers_only_what_its_model_had_read():
    read = here(chosen(Done(message="ok")))
    unread = here(message("wait!"), chosen(Done(message="ok"), saw=1))
    by_code = here(message("wait!"), chosen(Done(message="ok"), by="code"))

    def saw(thread: Thread) -> int:
        return planned(thread, lambda s: Finish("ok", s)).drafts[-1].data["saw"]

    assert (saw(read), saw(unread), saw(by_code)) == (1, 1, 3)


def test_a_child_reports_when_it_is_done_but_not_while_a_message_is_unread():
    def child(*facts: Any) -> Plan:
        log = given(message("task"), *facts, agent=AGENT).events
        thread = Thread("t1.s1", "bot", log, tenant="acme", parent=Parent("t1", "s1", "hand"))
        return planned(thread, lambda s: Finish("ok", s))

    [report] = child(chosen(Done(message="ok"))).others
    assert (report.thread_id, report.tenant, report.wake) == ("t1", "acme", True)
    assert report.drafts[0].data == {
        "step": "s1",
        "intent": "hand",
        "child": "t1.s1",
        "status": "finished",
        "result": "ok",
    }
    assert report.drafts[0].key == "child:t1.s1"
    assert child(message("wait!"), chosen(Done(message="ok"), saw=1)).others == []


def test_side_by_side_effects_begin_together():
    plan = planned(
        here(chosen(Look(), Look(), Nap())),
        lambda a, b, c: All(run(look, a), run(look, b), Sleep(c, NOW)),
    )

    assert types(plan) == ["tool_started", "tool_started", "timer_set"]
    assert (len(plan.acts), len(plan.timers), plan.waits) == (2, 1, False)


@pytest.mark.parametrize(
    "effects",
    [
        lambda s: All(run(look, s), run(look, s)),
        lambda s: All(Approve(s, by="anna"), Approve(s, by="ben")),
        lambda s: All(Settle(s), run(look, s)),
        lambda s: All(AskModel("a", NextStep), AskModel("b", NextStep)),
        lambda s: All(run(look, s), Finish("ok")),
        lambda s: All(Wait()),
        lambda s: All(All(run(look, s))),
    ],
)
def test_side_by_side_is_only_what_can_be(effects: Any):
    with pytest.raises(WrongDecision, match="All"):
        planned(here(chosen(Look())), effects)


UNKNOWN = (chosen(Look()), started(), killed())


def outcome(thread: Thread, **how: Any) -> Plan:
    return planned(thread, lambda s: run(look, s, **how))


def test_a_retry_safe_run_is_run_again():
    plan = outcome(here(*UNKNOWN), retry_safe=True)

    assert (types(plan), plan.drafts[0].data["attempt"]) == (["tool_started"], 2)


def test_the_owner_is_asked_what_became_of_any_other_run():
    plan = outcome(here(*UNKNOWN))
    [draft] = plan.drafts

    assert (draft.data["kind"], draft.data["to"]["people"], plan.acts) == ("outcome", ["olga"], [])
    assert "Did it run?" in draft.data["question"]


def test_reconcile_is_asked_first_and_once_per_attempt():
    def looked(step: Look) -> Any: ...

    [act] = outcome(here(*UNKNOWN), reconcile=looked).acts
    assert isinstance(act, Reconcile)
    assert (act.tool, act.call.attempt) == (looked, 1)

    unsure = event("tool_outcome_unknown", step="s1", reconciled=True)
    assert types(outcome(here(*UNKNOWN, unsure), reconcile=looked)) == ["contact_requested"]

    again = (began(lambda s: run(look, s, retry_safe=True)), killed())
    assert outcome(here(*UNKNOWN, unsure, *again), reconcile=looked).acts


def test_a_person_may_let_a_run_begin_again():
    asks = began(lambda s: run(look, s))
    plan = outcome(here(*UNKNOWN, asks, said("run_again", by="olga")))

    assert (types(plan), plan.drafts[0].data["attempt"]) == (["tool_started"], 2)


def test_a_run_again_is_for_one_attempt():
    asks = began(lambda s: run(look, s))
    thread = here(*UNKNOWN, asks, said("run_again", by="olga"), started(), killed())

    assert types(outcome(thread)) == ["contact_requested"]


def test_an_approved_run_that_was_cut_off_keeps_its_yes():
    plan = planned(here(*YES, started(), killed()), lambda s: run(deploy, s, retry_safe=True))

    assert plan.drafts[0].data == {
        "step": "s1", "intent": "deploy", "tool": "deploy", "attempt": 2, "approval": "s1.1"
    }  # fmt: skip


def recovered(thread: Thread, **more: Any) -> Plan:
    return recover(AGENT.state(thread), AGENT, in_flight=more.pop("in_flight", ()), now=NOW)


def test_a_healthy_thread_needs_no_recovery():
    assert recovered(here(DEPLOY, asked("anna"))) == Plan()
    assert recovered(here(chosen(Look()), started()), in_flight={"s1"}) == Plan()


def test_an_orphaned_run_has_an_unknown_outcome():
    [draft] = recovered(here(chosen(Look()), started())).drafts

    assert (draft.type, draft.key, draft.data["by"]) == (
        "tool_outcome_unknown",
        "outcome:s1:1",
        "advance",
    )


def test_a_step_that_no_longer_parses_is_given_to_the_owner():
    old = event("next_step_chosen", intent="look", by="model", args={"where": "x"})
    [draft] = recovered(given(message("go"), old)).drafts

    assert (draft.data["kind"], draft.data["to"]["people"]) == ("repair", ["olga"])
    assert "where: Extra inputs are not permitted" in draft.data["question"]
    assert "digest" not in draft.data


def test_a_contact_whose_step_goes_on_without_it_is_closed():
    asks = began(lambda s: run(look, s))
    nothing = event("tool_failed", step="s1", attempt=1, error="x", run_again=True)
    plan = recovered(here(*UNKNOWN, asks, nothing))

    assert [(d.type, d.data["outcome"]) for d in plan.drafts] == [("contact_closed", "voided")]
    assert plan.cancel == ["expire:s1.1"]


def test_a_timer_that_still_matters_fires():
    asks = here(DEPLOY, asked("anna", within=HOUR))
    sleeps = here(chosen(Nap()), began(lambda s: Sleep(s, NOW)))

    expired, fired = fire(asks, "expire:s1.1", now=NOW + HOUR), fire(sleeps, "sleep:s1", now=NOW)

    assert (expired.drafts[0].data["outcome"], expired.expect, expired.wake) == ("expired", 3, True)
    assert (fired.drafts[0].type, fired.cancel) == ("timer_fired", ("sleep:s1",))


@pytest.mark.parametrize("key", ["expire:s1.1", "sleep:s1", "sleep:s9", "dance:s1"])
def test_a_timer_that_no_longer_matters_is_only_dropped(key: str):
    append = fire(here(DEPLOY, asked("anna"), approved(), started(), returned(1)), key, now=NOW)

    assert (list(append.drafts), append.wake, append.cancel) == ([], False, (key,))


def test_the_clock_of_the_fold_is_the_log():
    assert AGENT.state(here(chosen(Question(text="?")))).now == START + TICK


def test_a_repair_says_when_the_step_may_have_run_already():
    old = event("next_step_chosen", intent="look", by="model", args={"where": "x"})
    run = event("tool_started", step="s1", intent="look", attempt=1)
    [draft] = recovered(given(message("go"), old, run, killed())).drafts

    assert draft.data["question"].endswith("was cut off and may have happened.")
