"""Decide as `advance` would, without any I/O, until a model, a tool or a wait is reached. Pure."""

import re
from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from twelvefold.agent import Agent
from twelvefold.directory import Directory
from twelvefold.effects import Approve, AskModel, Run, Wait
from twelvefold.plan import CallModel, CallTool, Reconcile, begin, recover
from twelvefold.policy import Policy, policy_of
from twelvefold.state import State
from twelvefold.thread import Draft, Thread

DECISIONS_MAX = 100
"""Decisions without I/O; more is a `decide` that never waits."""


@dataclass(frozen=True, slots=True)
class Decided:
    """How far code goes alone. `effects` in words, in their order, without the `Wait` at the end.

    `thread` holds what was decided as well. `ask` is the model call that comes next, `runs` are the
    tools that have begun.
    """

    thread: Thread
    effects: tuple[str, ...] = ()
    ask: CallModel | None = None
    runs: tuple[CallTool, ...] = ()
    stopped: str | None = None

    @property
    def waits(self) -> bool:
        """Nothing but what arrives from outside takes the thread further."""
        return self.ask is None and not self.runs

    def __str__(self) -> str:
        parts = (*self.effects, self.stopped) if self.stopped else self.effects
        return " > ".join(parts) or "Wait"


def decide_on(thread: Thread, agent: Agent[Any, Any]) -> Decided:
    """Go as far as code goes alone; tools that have begun count as under way, not as cut off.

    Raises whatever `decide` and `begin` raise.
    """
    effects: list[str] = []
    for _ in range(DECISIONS_MAX):
        state = agent.state(thread)
        if state.stopped or not thread.head:
            return Decided(thread, tuple(effects), stopped=_why_stopped(state))
        now = thread.events[-1].at
        flying = [c.id for c in state.open if (c.waiting or "").startswith("run:")]
        plan = recover(state, agent, in_flight=flying, now=now, directory=None)
        if not plan.drafts:
            effect = agent.decide(thread, state)
            who = _who_edited(effect, state)
            plan = begin(effect, state, thread, agent, now=now, directory=who)
            effects += () if plan.waits else _words(effect)  # a limit, or a step that waits
        after = thread.head
        thread = thread.then(*(_after(draft, after) for draft in plan.drafts))
        if plan.acts:
            return _with_acts(thread, tuple(effects), plan.acts)
        if plan.waits or not plan.drafts:
            return Decided(thread, tuple(effects), stopped=_why_stopped(agent.state(thread)))
    return Decided(thread, tuple(effects), stopped="decide never waits")


def people_of(policy: Policy, *also: str) -> Directory:
    """A case has no directory: a role is one person of its name, or whoever answers here and has
    answered."""
    roles = {one.name: (one.name, *also) for one in policy.roles}
    inside = [people_of(one, *also).roles for one in policy.policies]
    return Directory({**ChainMap({}, *map(dict, inside)), **roles})


def _who_edited(effect: Any, state: State[Any]) -> Directory | None:
    """An edit is a vote, and whose it was is asked where the changed step is approved."""
    if not isinstance(effect, Approve):
        return None
    editors = [chosen.person for chosen in state.ready if chosen.step is effect.step]
    person = editors[0] if editors else None
    return None if person is None else people_of(policy_of(effect.by), person)


def _with_acts(thread: Thread, effects: tuple[str, ...], acts: list[Any]) -> Decided:
    runs = [act.call if isinstance(act, Reconcile) else act for act in acts]
    ask = next((act for act in runs if isinstance(act, CallModel)), None)
    return Decided(thread, effects, ask, tuple(act for act in runs if isinstance(act, CallTool)))


def _why_stopped(state: Any) -> str | None:
    if state.failed is not None:
        return f"stopped: it failed: {state.failed}"
    if state.limited is not None:
        return f"stopped: a limit is reached: {state.limited}"
    if state.cancelled or state.paused:
        return "stopped: cancelled" if state.cancelled else "stopped: paused"
    return None


def _words(effect: Any) -> Iterator[str]:
    """`Approve deploy`, `Run deploy`, `AskModel`: what stands behind `effect` and `then`."""
    if isinstance(effect, Wait):
        return
    parts: Any = getattr(effect, "effects", (effect,))
    yield " + ".join(map(_word, parts))


def _word(effect: Any) -> str:
    name = type(effect).__name__
    if isinstance(effect, AskModel):
        return name if effect.model is None else f"{name} {effect.model}"
    steps: Any = getattr(effect, "steps", None) or [getattr(effect, "step", None)]
    intents: list[str] = [step.intent for step in steps if step is not None]
    shown = " ".join([name, *intents])
    return f"{shown} ungated" if isinstance(effect, Run) and effect.ungated else shown


def same_words(wanted: str, decided: Decided) -> bool:
    """Whether `wanted` is all that was decided, or its end: `Choose a > Run a`, or `Run a`."""
    parts = [part.strip() for part in re.split(r"\s*>\s*", wanted)]
    found = list(decided.effects) or ["Wait"]
    return [" ".join(part.split()) for part in parts] == found[-len(parts) :]


def _after(draft: Draft, head: int) -> Draft:
    draft.after = head
    return draft
