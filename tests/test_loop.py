"""advance: what is decided, what is run, what is kept whatever happens."""

import asyncio
import math
import threading
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator

from crew import (
    PATIENCE_S,
    STORES,
    Done,
    Errand,
    Gate,
    Look,
    Meddled,
    Pay,
    Question,
    Steps,
    app_of,
    approved_then,
    asking,
    chat,
    ended,
    events,
    pipeline,
    ran_by,
    ref,
    seen,
    settle,
    state,
    status,
    store_of,
    times,
    types,
)
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.effects import All, Approve, AskModel, Choose, Delegate, Finish, Settle, Wait, run
from twelvefold.exceptions import (
    Conflict,
    NothingHappened,
    StoreUnavailable,
    UnknownAgent,
    UnknownThread,
)
from twelvefold.loop import DECISIONS_MAX, Surroundings, advance
from twelvefold.messages import Attempt, ModelReply
from twelvefold.plan import replay
from twelvefold.store import Append
from twelvefold.thread import Draft

pytestmark = pytest.mark.anyio

SLOW = Attempt("slow", 429, 0.5)


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


def look(_: Any) -> str:
    return "seen"


async def launched(app: App, text: str = "go", thread_id: str = "t") -> None:
    await app.launch("crew", text, thread_id=thread_id)


# Messages


async def test_a_message_mid_approval_neither_loses_nor_releases_the_step(store):
    paid = []
    app = app_of(chat(approved_then(lambda s: paid.append(s.to))), store, Pay(to="x"), Done())
    await launched(app)
    await settle(app)

    await app.send("t", "hurry up")
    await settle(app)
    assert (list(state(app).open_contacts), paid, status(app)) == (["s1.1"], [], "waiting")

    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)
    assert (paid, status(app)) == (["x"], "finished")


async def test_a_message_while_the_model_thinks_is_answered_although_it_said_done(store):
    thinking, let_go = asyncio.Event(), asyncio.Event()

    async def model(request: Any) -> ModelReply:
        if "second" in request.text:
            return ModelReply('{"intent":"done_for_now","message":"both"}')
        thinking.set()
        await let_go.wait()
        return ModelReply('{"intent":"done_for_now","message":"first"}')

    app = App([chat(ran_by(look))], store=store, model=model)
    await launched(app, "first")
    running = asyncio.create_task(settle(app))
    await thinking.wait()
    await app.send("t", "second")
    let_go.set()
    await running

    finished = events(app, "finished")
    assert [event.data["message"] for event in finished] == ["first", "both"]
    assert status(app) == "finished"


async def test_a_second_yes_starts_its_tool_while_the_first_still_runs(store):
    first, second = Gate(), Gate()
    gates = {"x": first, "y": second}

    async def pay(step: Pay, call: Any) -> Any:
        return await gates[step.to](step, call)

    app = app_of(pipeline(Pay(to="x"), Pay(to="y"), carry_out=approved_then(pay)), store)
    await launched(app)
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    running = asyncio.create_task(settle(app))
    await first.has_begun()
    await app.answer("t.s2.1", "approve", by="bob")
    await app.send("t", "and quickly")
    await second.has_begun()
    second.let_go.set()
    await seen(app, "t", "tool_returned")
    first.let_go.set()
    await running

    assert [event.data["step"] for event in events(app, "tool_returned")] == ["s2", "s1"]
    assert status(app) == "finished"


@pytest.mark.parametrize("between", ["tool_started", "finished"])
async def test_a_delivery_record_right_before_a_commit_changes_no_decision(store, between):
    paid = []
    agent = pipeline(Pay(to="x"), carry_out=approved_then(lambda s: paid.append(s.to)))
    app = app_of(agent, store)
    await launched(app)
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")

    async def refuse_one() -> None:
        with pytest.raises(Conflict):
            await app.answer("t.s1.1", "deny", by="bob", comment="no")

    await settle(app_of(agent, Meddled(store, between, refuse_one)))

    log = types(app)
    assert "answer_refused" in log[log.index("contact_closed") : log.index("finished")]
    assert (paid, status(app), replay(app.thread("t"), agent)) == (["x"], "finished", [])


# Decide


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: "deploy!", "not an effect"),
        (lambda: Choose(Look()), f"{DECISIONS_MAX} decisions"),
        (lambda: run(look, Look()), "not a ready step"),
        (lambda: AskModel(lambda: 1 / 0, Look), "ZeroDivisionError"),  # pyright: ignore
    ],
)
async def test_a_decide_that_fails_parks_the_thread_with_the_reason(store, effect, words):
    app = app_of(Agent("crew", lambda *_: effect(), Steps, owner="olga"), store)
    await launched(app)

    await settle(app)

    assert types(app) == ["message_received", "advance_failed"]
    assert words in events(app, "advance_failed")[0].data["error"]
    assert (status(app), store.woken()) == ("failed", [])


@pytest.mark.parametrize("verb", ["send", "retry"])
async def test_a_parked_thread_is_tried_again_on_an_event_or_a_retry(store, verb):
    broken = [True]

    def decide(_, state: Any) -> Any:
        if broken:
            raise ValueError("not yet")
        return Wait() if state.finished else Finish("ok")

    app = app_of(Agent("crew", decide, Steps, owner="olga"), store)
    await launched(app)
    await settle(app)
    await (app.send("t", "again") if verb == "send" else app.retry("t"))
    await settle(app)
    assert types(app).count("advance_failed") == 2

    broken.clear()
    await (app.send("t", "again") if verb == "send" else app.retry("t"))
    await settle(app)
    assert status(app) == "finished"


async def test_a_decision_that_fails_takes_back_those_before_it_but_no_fact(store):
    def decide(_, state: Any) -> Any:
        if state.ready:
            return run(look, state.ready[0].step)
        if state.last(Look) is None:
            return Choose(Look())
        if state.last(Question) is None:
            return Choose(Question())
        raise ValueError("after a choice")

    def carry(thread: Any, state: Any) -> Any:
        if state.ready and isinstance(state.ready[0].step, Question):
            raise ValueError("after a choice")
        return decide(thread, state)

    app = app_of(Agent("crew", carry, Steps, owner="olga"), store)
    await launched(app)
    await settle(app)

    assert types(app)[1:] == ["next_step_chosen", "tool_started", "tool_returned", "advance_failed"]


async def test_a_risky_step_without_approval_parks_the_thread(store):
    app = app_of(pipeline(Pay(to="x"), carry_out=ran_by(look)), store)
    await launched(app)
    await settle(app)

    assert types(app)[-1] == "advance_failed"
    assert "ungated" in events(app, "advance_failed")[0].data["error"]


async def test_a_delegation_to_an_unknown_agent_parks_the_thread(store):
    carry_out = lambda chosen: Delegate(chosen.step, "nobody", "x")  # noqa: E731
    app = app_of(pipeline(Errand(), carry_out=carry_out), store)
    await launched(app)
    await settle(app)

    assert "'nobody'" in events(app, "advance_failed")[0].data["error"]
    assert [row.ref.id for row in app.threads()] == ["t"]


async def test_a_removed_agent_is_told_and_nothing_is_lost(store):
    app = app_of(pipeline(Question(), carry_out=asking), store)
    await launched(app)
    await settle(app)
    before = types(app)

    with pytest.raises(UnknownAgent, match="'crew'"):
        await advance(ref(), Surroundings({}, store, {}))
    with pytest.raises(UnknownThread):
        await advance(ref("other"), app.surroundings)
    assert types(app) == before


# Tools


class Opaque:
    def __repr__(self) -> str:
        return "<opaque>"


class Hidden:
    def __repr__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (Opaque(), "<opaque>"),
        (float("nan"), "nan"),
        ({(1, 2): Opaque()}, "opaque"),
        (Hidden(), "Hi"),
    ],
)
async def test_a_result_that_json_cannot_hold_is_returned_as_unstorable(store, result, shown):
    app = app_of(pipeline(Look(), carry_out=ran_by(lambda _: result)), store)
    await launched(app)
    await settle(app)

    [returned] = events(app, "tool_returned")
    assert shown in returned.data["unstorable"]
    assert (returned.data["why"] != "", status(app)) == (True, "finished")


@pytest.mark.parametrize("ends", [SystemExit(3), asyncio.CancelledError("not ours"), ValueError()])
@pytest.mark.parametrize("sync", [True, False])
async def test_whatever_a_tool_raises_is_an_outcome_and_the_engine_goes_on(store, ends, sync):
    def fails(_: Any) -> None:
        raise ends

    async def fails_later(_: Any) -> None:
        raise ends

    app = app_of(pipeline(Look(), carry_out=ran_by(fails if sync else fails_later)), store)
    await launched(app)
    await settle(app)

    assert type(ends).__name__ in events(app, "tool_failed")[0].data["error"]
    assert status(app) == "finished"


async def test_an_interrupt_in_a_tool_is_no_outcome(store):
    async def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    app = app_of(pipeline(Look(), carry_out=ran_by(interrupted)), store)
    await launched(app)
    with pytest.raises(KeyboardInterrupt):
        await advance(ref(), app.surroundings)

    assert types(app)[-1] == "tool_started"


@pytest.mark.parametrize("ends", [TimeoutError("slow"), SystemExit(1)])
async def test_a_risky_tool_that_does_not_know_what_happened_leaves_it_unknown(store, ends):
    def fails(_: Any) -> None:
        raise ends

    app = app_of(pipeline(Pay(to="x"), carry_out=approved_then(fails)), store)
    await launched(app)
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)

    assert types(app)[-2:] == ["tool_outcome_unknown", "contact_requested"]
    assert [row.data["to"]["people"] for row in app.inbox()] == [["olga"]]


async def test_a_tool_that_says_nothing_happened_has_failed(store):
    def refuses(_: Any) -> None:
        raise NothingHappened("no money")

    app = app_of(pipeline(Pay(to="x"), carry_out=approved_then(refuses)), store)
    await launched(app)
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)

    assert events(app, "tool_failed")[0].data["error"] == "NothingHappened: no money"


async def test_sync_tools_run_in_threads_side_by_side(store):
    both = threading.Barrier(2, timeout=PATIENCE_S)
    names = []

    def meet(_: Any) -> None:
        both.wait()
        names.append(threading.current_thread().name)

    app = app_of(pipeline(Look(at="a"), Look(at="b"), carry_out=ran_by(meet)), store)
    await launched(app)
    await settle(app)

    assert len(set(names)) == 2
    assert threading.current_thread().name not in names


async def test_a_sync_tool_may_return_an_awaitable(store):
    async def later() -> str:
        return "later"

    app = app_of(pipeline(Look(), carry_out=ran_by(lambda _: later())), store)
    await launched(app)
    await settle(app)

    assert events(app, "tool_returned")[0].data["result"] == "later"


async def test_a_tool_gets_its_deps_key_and_attempt(store):
    calls = []
    agent = pipeline(
        Look(), carry_out=ran_by(lambda _, call: calls.append(call)), deps=lambda tenant: [tenant]
    )
    app = app_of(agent, store)
    await app.launch("crew", "go", thread_id="t", tenant="acme")
    await settle(app)

    [call] = calls
    assert (call.key, call.attempt, call.tenant, call.thread_id) == ("acme/t/s1", 1, "acme", "t")
    assert call.deps == ["acme"]


async def test_deps_that_fail_leave_no_doubt_about_the_tool(store):
    called = []
    agent = pipeline(Pay(to="x"), carry_out=approved_then(called.append), deps=lambda _: 1 / 0)
    app = app_of(agent, store)
    await launched(app)
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)

    assert "ZeroDivisionError" in events(app, "tool_failed")[0].data["error"]
    assert called == []


@pytest.mark.parametrize("tool", [lambda a, b, c: 1, type])
async def test_what_cannot_be_called_as_a_tool_has_certainly_not_run(store, tool):
    app = app_of(pipeline(Pay(to="x"), carry_out=approved_then(tool)), store)
    await launched(app)
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)

    assert events(app, "tool_failed")[0].data["error"].startswith("NothingHappened")
    assert status(app) == "finished"


# Model calls


async def test_failed_model_calls_are_counted_and_the_limit_pauses_until_a_message(store):
    def model(_: Any) -> Any:
        raise ConnectionError("no route")

    app = app_of(chat(ran_by(look)), store, model)
    await launched(app)
    await settle(app)
    assert types(app).count("model_failed") == 20
    assert (types(app)[-1], status(app), state(app).failures_in_a_row) == (
        "limit_reached",
        "paused",
        20,
    )

    await app.send("t", "try again")
    await settle(app)
    assert types(app).count("model_failed") == 40
    await app.resume("t")
    await settle(app)
    assert types(app).count("model_failed") == 60


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (ModelReply("hello"), "not_json"),
        (ModelReply("{}", finish="truncated"), "truncated"),
        (ModelReply("I will not", finish="refused"), "refused"),
        (ModelReply('{"intent":"sing"}'), "unknown_intent"),
        (ModelReply('{"intent":"look","at":7}'), "invalid"),
        ("not a reply", "call_failed"),
    ],
)
async def test_a_reply_that_is_no_step_is_an_event_the_model_reads(store, reply, reason):
    replies = iter([reply])

    async def model(request: Any) -> Any:
        if bad := next(replies, None):
            return bad
        assert "<error>" in request.text
        return ModelReply('{"intent":"done_for_now","message":"ok"}', model="m", attempts=(SLOW,))

    app = App([chat(ran_by(look))], store=store, model=model)
    await launched(app)
    await settle(app)

    [failed] = events(app, "model_failed")
    assert (failed.data["reason"], status(app)) == (reason, "finished")
    chosen = events(app, "next_step_chosen")[0].data
    assert (chosen["model"], chosen["attempts"], "raw" in chosen) == (
        "m",
        [{"error": "slow", "status": 429, "waited_s": 0.5}],
        False,
    )


async def test_a_step_that_the_log_cannot_hold_is_a_failed_reply(store):
    class Weigh(Look):
        kg: Annotated[float, AfterValidator(lambda kg: kg if kg < 999 else math.inf)] = 0.0

    replies = iter(['{"intent":"look","kg":999}', '```json\n{"intent":"look","kg":1}\n```'])

    async def model(_: Any) -> ModelReply:
        return ModelReply(next(replies))

    def decide(_, state: Any) -> Any:
        if state.ready:
            return Settle(state.ready[0].step)
        return Finish("ok") if state.last(Weigh) else AskModel("weigh", Weigh)

    app = App([Agent("crew", decide, Weigh, owner="olga")], store=store, model=model)
    await launched(app)
    await settle(app)

    assert events(app, "model_failed")[0].data["reason"] == "unstorable"
    chosen = events(app, "next_step_chosen")[0].data
    assert chosen["repairs"] == ["code fence removed"]
    assert chosen["raw"].startswith("```")


async def test_an_effect_picks_its_model_by_name(store):
    async def small(_: Any) -> ModelReply:
        return ModelReply('{"intent":"look","at":"small"}')

    def decide(_, state: Any) -> Any:
        if state.ready:
            return Settle(state.ready[0].step)
        name = "huge" if state.last(Look) else "small"
        return AskModel("look", Look, model=name)

    agent = Agent("crew", decide, Look, owner="olga")
    app = App([agent], store=store, models={"large": small, "small": small})
    await launched(app)
    await settle(app)
    assert state(app).last(Look).args == {"at": "small"}
    assert (status(app), events(app, "model_failed")) == ("failed", [])
    assert "large, small" in events(app, "advance_failed")[0].data["error"]


async def test_an_app_without_a_model_says_so(store):
    app = App([chat(ran_by(look), limits=None)], store=store)
    await launched(app)
    await advance(ref(), app.surroundings)

    [failed] = events(app, "advance_failed")
    assert "no model to ask: App([...], model=...)" in failed.data["error"]
    assert types(app).count("model_failed") == 0


async def test_one_model_call_at_a_time_while_other_steps_run(store):
    gate, calls, let_go = Gate(), [], asyncio.Event()

    async def model(_: Any) -> ModelReply:
        calls.append(1)
        await let_go.wait()
        return ModelReply('{"intent":"done_for_now","message":"ok"}')

    def decide(_, state: Any) -> Any:
        if state.last(Done) or state.finished:
            return Wait() if state.finished or state.waiting else Finish("ok")
        if state.last(Look) is None:
            return Choose(Look(), Look())
        runs = [run(gate, chosen.step) for chosen in state.ready]
        return All(*runs, AskModel("hi", Done, while_waiting=True))

    app = App([Agent("crew", decide, Look | Done, owner="olga")], store=store, model=model)
    await launched(app)
    running = asyncio.create_task(settle(app))
    await gate.has_begun()
    gate.let_go.set()
    await seen(app, "t", "tool_returned", 2)
    let_go.set()
    await running

    assert (len(calls), status(app)) == (1, "finished")


# Outcomes that come late, and those that never come


async def cut_off(app: App, gate: Gate) -> None:
    """Start the tool of `t` and end the advance, as a dying process would."""
    running = asyncio.create_task(advance(ref(), app.surroundings))
    await gate.has_begun()
    await ended(running)
    gate.begun.clear()
    assert types(app)[-1] == "tool_started"


async def test_a_retry_safe_tool_that_was_cut_off_runs_again_with_the_same_key(store):
    gate = Gate()
    agent = pipeline(Look(), carry_out=ran_by(gate, retry_safe=True))
    app = app_of(agent, store)
    await launched(app)
    await cut_off(app, gate)

    gate.let_go.set()
    again = app_of(agent, store)
    await settle(again)

    assert gate.keys == ["default/t/s1"] * 2
    assert [event.data["attempt"] for event in events(again, "tool_started")] == [1, 2]
    assert status(again) == "finished"


@pytest.mark.parametrize(
    ("decision", "runs", "step_status"),
    [("it_ran", 1, "returned"), ("run_again", 2, "returned"), ("give_up", 1, "failed")],
)
async def test_the_owner_settles_what_nobody_knows(store, decision, runs, step_status):
    gate = Gate()
    agent = pipeline(Look(), carry_out=ran_by(gate))
    app = app_of(agent, store)
    await launched(app)
    await cut_off(app, gate)
    again = app_of(agent, store)
    gate.let_go.set()
    await settle(again)
    [asked] = again.inbox()
    assert asked.data["kind"] == "outcome"
    assert "Did it run?" in asked.data["question"]

    await again.answer("t.s1.1", decision, by="olga", value="by hand", comment="I looked")
    await settle(again)

    assert (len(gate.keys), state(again).by_id("s1").status) == (runs, step_status)
    assert status(again) == "finished"


@pytest.mark.parametrize("outcome", ["ran", "did_not", "unclear"])
async def test_reconcile_says_what_became_of_a_run_that_was_cut_off(store, outcome):
    gate, asked = Gate(), []

    def reconcile(_: Any, call: Any) -> str:
        asked.append(call.key)
        if outcome == "ran":
            return "found it"
        raise (NothingHappened("not there") if outcome == "did_not" else TimeoutError("no reply"))

    agent = pipeline(Look(), carry_out=ran_by(gate, reconcile=reconcile))
    app = app_of(agent, store)
    await launched(app)
    await cut_off(app, gate)
    again = app_of(agent, store)
    gate.let_go.set()
    await settle(again)

    step = state(again).by_id("s1")
    assert asked == ["default/t/s1"]
    expected = {
        "ran": ("returned", "found it", 1),
        "did_not": ("returned", "done", 2),
        "unclear": ("unknown", None, 1),
    }
    assert (step.status, step.result, len(gate.keys)) == expected[outcome]
    assert len(again.inbox()) == (outcome == "unclear")


async def test_each_cut_off_run_is_reconciled_once_side_by_side(store):
    gate, asked, last = Gate(), [], asyncio.Event()

    async def reconcile(step: Look, _: Any) -> str:
        asked.append(step.at)
        if step.at == "b":
            await last.wait()
        return step.at

    steps = (Look(at="a"), Look(at="b"))
    agent = pipeline(*steps, carry_out=ran_by(gate, reconcile=reconcile))
    app = app_of(agent, store)
    await launched(app)
    await store.commit(
        Append("t", [chosen_draft(app, step) for step in steps]),
    )
    starts = [{"step": f"s{n}", "intent": "look", "attempt": 1, "tool": "x"} for n in (1, 2)]
    now = app.clock()
    await store.commit(Append("t", [Draft("tool_started", start, now) for start in starts]))
    running = asyncio.create_task(settle(app))
    await seen(app, "t", "tool_returned")
    last.set()
    await running

    assert (sorted(asked), status(app)) == (["a", "b"], "finished")


def chosen_draft(app: App, step: Look) -> Draft:
    data = {"intent": "look", "args": {"at": step.at}, "by": "code"}
    return Draft("next_step_chosen", data, app.clock())


async def thawed(app: App, other: App, gate: Gate) -> Any:
    """Two advances on one thread: the first one's tool still runs when the second has come to
    rest."""
    first = asyncio.create_task(advance(ref(), app.surroundings))
    await gate.has_begun()
    async with asyncio.timeout(PATIENCE_S):
        await advance(ref(), other.surroundings)
    return first


@pytest.mark.parametrize(
    ("result", "settled"), [("done", "returned"), (NothingHappened("no"), "failed")]
)
async def test_the_late_outcome_of_a_thawed_advance_settles_the_step(store, result, settled):
    gate = Gate(result)
    agent = pipeline(Pay(to="x"), carry_out=approved_then(gate))
    app, other = app_of(agent, store), app_of(agent, store)
    await launched(app)
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    first = await thawed(app, other, gate)
    assert list(state(app).open_contacts) == ["s1.2"]
    gate.let_go.set()
    await first
    await settle(app)

    assert [e.key for e in app.thread("t").events if e.type.startswith("tool_")][1:] == [
        "outcome:s1:1",
        "late:outcome:s1:1",
    ]
    assert (state(app).by_id("s1").status, len(gate.keys)) == (settled, 1)
    assert (status(app), app.inbox()) == ("finished", [])


async def test_a_late_failure_does_not_settle_what_a_newer_attempt_runs(store):
    old, new = Gate(NothingHappened("the old one")), Gate("new")
    app = app_of(pipeline(Look(), carry_out=ran_by(old, retry_safe=True)), store)
    other = app_of(pipeline(Look(), carry_out=ran_by(new, retry_safe=True)), store)
    await launched(app)
    first = asyncio.create_task(advance(ref(), app.surroundings))
    await old.has_begun()
    second = asyncio.create_task(advance(ref(), other.surroundings))
    await new.has_begun()
    old.let_go.set()
    await first
    assert state(app).by_id("s1").status == "open"
    new.let_go.set()
    await second
    await settle(app)

    assert (state(app).by_id("s1").result, status(app)) == ("new", "finished")


async def test_a_fenced_advance_records_its_facts_and_stops(store):
    gates = {"a": Gate("a"), "b": Gate("b")}

    async def tool(step: Look, call: Any) -> Any:
        return await gates[step.at](step, call)

    app = app_of(pipeline(Look(at="a"), Look(at="b"), carry_out=ran_by(tool)), store)
    await launched(app)
    running = asyncio.create_task(advance(ref(), app.surroundings))
    await gates["a"].has_begun()
    await gates["b"].has_begun()
    await store.commit(Append("t", [], claim=True))
    gates["a"].let_go.set()
    await seen(app, "t", "tool_returned")
    assert not running.done()  # what it has in the air it still brings down
    gates["b"].let_go.set()
    await running

    assert [event.data["result"] for event in events(app, "tool_returned")] == ["a", "b"]
    assert types(app)[-1] == "tool_returned"
    assert len(store.woken()) == 1
    await settle(app)
    assert status(app) == "finished"


async def test_a_second_reply_to_one_call_is_kept_for_its_cost_only(store):
    entered, replies = [asyncio.Event(), asyncio.Event()], [asyncio.Event(), asyncio.Event()]
    calls = iter(range(2))

    async def model(_: Any) -> ModelReply:
        n = next(calls)
        entered[n].set()
        await replies[n].wait()
        return ModelReply(f'{{"intent":"done_for_now","message":"{n}"}}')

    app = App([chat(ran_by(look))], store=store, model=model)
    await launched(app)
    running = [asyncio.create_task(advance(ref(), app.surroundings)) for _ in range(2)]
    for event in entered:
        await event.wait()
    replies[1].set()
    await running[1]
    replies[0].set()
    await running[0]

    assert types(app)[1:] == ["next_step_chosen", "finished", "model_superseded"]
    assert events(app, "finished")[0].data["message"] == "1"


async def test_an_outcome_survives_a_store_that_failed_once(store):
    gates = {"a": Gate("a"), "b": Gate("b")}
    failed = asyncio.Event()
    fail_twice = times(2, StoreUnavailable("not now"))

    async def before() -> None:
        failed.set()
        await fail_twice()

    async def tool(step: Look, call: Any) -> Any:
        return await gates[step.at](step, call)

    agent = pipeline(Look(at="a"), Look(at="b"), carry_out=ran_by(tool))
    app = app_of(agent, Meddled(store, "tool_returned", before))
    await launched(app)
    running = asyncio.create_task(advance(ref(), app.surroundings))
    for gate in gates.values():
        await gate.has_begun()
    gates["a"].let_go.set()
    await failed.wait()
    gates["b"].let_go.set()
    with pytest.raises(StoreUnavailable):
        await running

    assert len(events(app, "tool_returned")) == 2


async def test_a_thread_at_rest_stays_as_it_is(store):
    app = app_of(pipeline(Question(), carry_out=asking), store)
    await launched(app)
    await settle(app)
    before = types(app)

    rested = await advance(ref(), app.surroundings)

    assert (rested.waiting, types(app)) == (True, before)


async def test_an_approval_that_no_longer_fits_is_voided_and_asked_again(store):
    paid = []

    class Other(Pay):
        cents: int = 1

    app = app_of(pipeline(Pay(to="x"), carry_out=approved_then(paid.append)), store)
    await launched(app)
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")

    def decide(_, state: Any) -> Any:
        if not state.ready:
            return Wait()
        step = state.ready[0].step
        return run(paid.append, step) if state.ready[0].approved else Approve(step, by="anna")

    changed = app_of(Agent("crew", decide, Other, owner="olga"), store)
    await settle(changed)

    assert types(changed)[-2:] == ["contact_voided", "contact_requested"]
    assert paid == []
