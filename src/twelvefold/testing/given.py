"""Histories as sentences, for tests of agents.

    thread = given(message("deploy v2"), chosen(Deploy(tag="v2")), asked("anna"), approved())

    assert decision(AGENT, thread) == run(deploy, Deploy(tag="v2"))

- Facts are made by the code that makes them in production (`begin`, `judge`, `recover`): what
  cannot happen there cannot be given here, and a run past the risk wall raises `RiskWall`.
- Time is virtual: the first fact is at `START`, each later one a second after.
- A fact is about the newest step or contact that fits, unless `step` or `contact` names another.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.contacts import Answer, Decision, expiry_timer, judge
from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.effects import Approve, Ask, Choose, Effect, Finish, run
from twelvefold.failures import short
from twelvefold.plan import fire, no_effect, recover
from twelvefold.policy import By, Settles
from twelvefold.steps import args_of, intent_of
from twelvefold.testing.past import Fact, Past, agent_of, begun, missing, ready
from twelvefold.thread import DEFAULT_TENANT, Draft, Json, Thread
from twelvefold.tools import result_data


def given(
    *facts: Fact,
    agent: Agent[Any, Any] | None = None,
    onto: Thread | None = None,
    thread_id: str = "t1",
    tenant: str = DEFAULT_TENANT,
    directory: Directory = NAMES_ALONE,
) -> Thread:
    """The thread in which these facts happened, at the end of `onto` where that is given.

    Without an `agent`, the steps that the facts name are its union, and `OWNER` owns it.
    `directory`: who is who meanwhile.
    """
    agent = agent or agent_of(facts)
    past = Past(onto or Thread(thread_id, agent.name, tenant=tenant), agent, directory)
    for fact in facts:
        past.append(fact.make(past))
    return past.thread


def decision(agent: Agent[Any, Any], thread: Thread) -> Effect[Any, Any]:
    """What the agent decides now. Raises `WrongDecision` where that is nothing."""
    state = agent.state(thread)
    effect = agent.decide(thread, state)
    if cast("object", effect) is None:  # what pyright would have found
        raise no_effect(effect, state, agent)
    return effect


def message(text: str, *, sender: str | None = None, channel: str | None = None) -> Fact:
    """Somebody writes."""
    said = {"channel": channel, "from": sender, "text": text}
    return event("message_received", **{k: v for k, v in said.items() if v is not None})


def chosen(*steps: BaseModel, by: str = "model", saw: int | None = None, **more: Json) -> Fact:
    """A model chooses a step, having read the log up to event `saw` (all of it), or code does.

    `more`: other data of `next_step_chosen`, such as `usage={"input": 100}`.
    """

    def make(past: Past) -> list[Draft]:
        if by == "code":
            return begun(past, Choose(*steps))
        after = past.thread.head if saw is None else saw
        data = [{"intent": intent_of(type(s)), "args": args_of(s), "by": by} for s in steps]
        return [Draft("next_step_chosen", d | more, past.now, after=after) for d in data]

    return Fact(make, tuple(type(step) for step in steps))


def began(effect: Callable[[Any], Effect[Any, Any]], *, step: str | None = None) -> Fact:
    """decide returned `effect(ready step)`, for example `began(lambda s: WaitFor(s, "merged"))`."""
    return Fact(lambda past: begun(past, effect(ready(past, step).step)))


def asked(
    people: By,
    question: str = "",
    *,
    within: timedelta | None = None,
    step: str | None = None,
    **more: Any,
) -> Fact:
    """People are asked whether the step may run, or `question` when there is one. `more`: of
    `Approve` or `Ask`."""
    more["within"] = within
    if question:
        return began(lambda ready: Ask(ready, question, to=people, **more), step=step)
    return began(lambda ready: Approve(ready, by=people, **more), step=step)


def said(decision: Decision, *, by: str = "", contact: str = "", **more: Any) -> Fact:
    """A person (the first who may) answers; what is refused is recorded so. `more`: of `Answer`."""

    def make(past: Past) -> Sequence[Draft]:
        state = past.state
        id = contact or _newest(past)
        answer = Answer(contact=id, decision=decision, by=by or _first(past, id), **more)
        anyone, directory = Settles({"local": "high"}), past.directory
        return judge(state, answer, now=past.now, settles=anyone, directory=directory).drafts

    return Fact(make)


def _newest(past: Past) -> str:
    return next(reversed(past.state.open_contacts), None) or missing("open contact")


def _first(past: Past, contact: str) -> str:
    """The first who may decide it and has said nothing yet, or else the first who may."""
    asked, directory = past.state.contacts[contact], past.directory
    chosen = past.state.by_id(asked.step)
    initiators = () if chosen is None else chosen.initiators
    names = (*asked.policy.names, *sorted(asked.policy.everybody(directory)))
    may = [n for n in names if asked.policy.allows(n, directory, initiators=initiators)]
    voted = {vote.by for vote in asked.votes}
    return next((name for name in may if name not in voted), [*may, *names][0])


def approved(*, by: str = "") -> Fact:
    return said("approve", by=by)


def denied(comment: str, *, by: str = "") -> Fact:
    return said("deny", by=by, comment=comment)


def edited(*, by: str = "", **changes: Json) -> Fact:
    """A person changes arguments: the changed step is chosen."""
    return said("edit", by=by, changes=changes)


def answered(value: Json, *, by: str = "") -> Fact:
    return said("answer", by=by, value=value)


def chose(option: str, *, by: str = "", comment: str | None = None) -> Fact:
    """A person ends the contact by one of its options."""
    return said("choose", by=by, value=option, comment=comment)


def overdue(contact: str = "") -> Fact:
    """Nobody decides until the deadline, and its timer fires."""

    def make(past: Past) -> Sequence[Draft]:
        id = contact or _newest(past)
        deadline = past.state.contacts[id].deadline or missing(f"deadline of {id}")
        past.now = max(past.now, deadline)
        return fire(past.thread, expiry_timer(id), now=past.now).drafts

    return Fact(make)


def started(*, step: str | None = None, ungated: str | None = None) -> Fact:
    """The tool of the step is under way."""
    return began(lambda ready: run(_never, ready, ungated=ungated), step=step)


def returned(result: object = None, *, step: str | None = None) -> Fact:
    """The tool under way returns."""
    return _ended("tool_returned", result_data(result), step)


def failed(error: str | Exception, *, step: str | None = None) -> Fact:
    """The tool under way certainly did nothing."""
    why = error if isinstance(error, str) else short(error)
    return _ended("tool_failed", {"error": why}, step)


def killed() -> Fact:
    """The process died, and another one took the thread up: what recovery adds."""
    return Fact(
        lambda past: (
            recover(
                past.state, past.agent, in_flight=(), now=past.now, directory=past.directory
            ).drafts
        )
    )


def finished(text: str = "done", *, step: str | None = None) -> Fact:
    """The thread ends for now, by `step` when that is named."""
    return Fact(
        lambda past: begun(past, Finish(text, None if step is None else ready(past, step).step))
    )


def later(time: timedelta) -> Fact:
    """Nothing happens for this long."""

    def make(past: Past) -> tuple[Draft, ...]:
        past.now += time
        return ()

    return Fact(make)


def event(type: str, **data: Json) -> Fact:
    """Any other fact, from outside."""
    return Fact(lambda past: [Draft(type, data, past.now)])


def _never(step: BaseModel) -> None:
    """A tool of which only the start is recorded."""


def _ended(type: str, outcome: Mapping[str, Json], step: str | None) -> Fact:
    def make(past: Past) -> list[Draft]:
        flying = [c for c in past.state.open if (c.waiting or "").startswith("run:")]
        found = [c for c in flying if step in (None, c.id)] or missing(f"run of {step or 'a step'}")
        run = found[-1]
        data = {"step": run.id, "intent": run.intent, "attempt": run.attempts, **outcome}
        key = f"outcome:{run.id}:{run.attempts}"
        return [Draft(type, data, past.now, key=key, after=past.thread.head)]

    return Fact(make)
