"""Golden threads of your own: a log that was kept goes on under the code of today, on a copy.

- The log is put into memory as it is, and the time is that of the log: no deadline has passed.
- No tool runs, no message is sent, and no model is asked over a network. A tool returns what the
  test says, else what it returned in the log, else None.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, cast

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.effects import All, Effect, Run
from twelvefold.exceptions import ConfigurationError
from twelvefold.files import read_lines
from twelvefold.messages import Model
from twelvefold.plan import outgrown, replay
from twelvefold.steps import intent_of
from twelvefold.store import ContactRow
from twelvefold.testing.clock import Clock
from twelvefold.testing.logs import put
from twelvefold.testing.memory import MemoryStore
from twelvefold.testing.playing import ended, name_of, told, who_may
from twelvefold.testing.rounds import work
from twelvefold.testing.scenario import Scenario
from twelvefold.thread import Json, Thread

LATER = timedelta(minutes=1)
"""How long after its last event a log goes on."""

WAITS_MAX = timedelta(days=365)
"""Timers due within this time come, one after the other."""

DECIDES_OTHERWISE = "Today's code decides otherwise than the log says."
IF_MEANT = (
    "If that is meant: finishes(..., decides_alike=False), or export the thread again. What is"
    " decided otherwise:"
)

Says = Callable[[ContactRow], Mapping[str, Any] | None]


def finishes(
    app: App,
    *logs: Path | str,
    answer: Says | None = None,
    returns: Mapping[str, Any] | None = None,
    model: Model | None = None,
    decides_alike: bool = True,
) -> str:
    """Let kept threads go on until the first of them has finished; the message it ends with.

    - `logs`: what `twelvefold threads export` wrote: the thread, then those it launched.
    - `answer`: what is said to an open contact, as in a `Scenario`. Without it the first who may
      says yes; answers a question with its first choice, or "go on"; says that a run took place.
    - `returns`: what a tool returns, by the intent of its step: a value, or a function of the step.
    - `model`: in place of all models of the app, which must otherwise be offline.
    - `decides_alike`: whether each decision in the log must be the one that is made today.

    Raises `AssertionError`, which tells what differs or where the thread stands.
    """
    __tracebackhide__ = True
    threads = [read_lines(Path(log).read_text(encoding="utf-8")) for log in logs]
    if decides_alike:
        _check_decisions(app, threads)
    tools = _Tools(threads, returns or {})
    copy = _copy(app, threads, tools, model)
    tenant = threads[0].tenant
    says = answer or _Agreeing(app.people(tenant), tools)
    asyncio.run(work(Scenario(copy, _launched, says, dict), _no_point, tenant=tenant))
    return _ended(copy, threads[0], tools)


def _check_decisions(app: App, threads: Sequence[Thread]) -> None:
    __tracebackhide__ = True
    found, why = list[str](), list[str]()
    for thread in threads:
        agent = app.agent(thread.agent)
        differences = [one for one in replay(thread, agent) if one.kind == "decision"]
        found += [f"{thread.id}, {difference}" for difference in differences]
        why += outgrown(thread, agent, differences)
    if found:
        raise AssertionError("\n".join([*(why or [DECIDES_OTHERWISE]), IF_MEANT, *found]))


def _ended(app: App, thread: Thread, tools: "_Tools") -> str:
    __tracebackhide__ = True
    if app.store.thread_row(thread.id, tenant=thread.tenant).status == "finished":
        return ended(app, thread.id, tenant=thread.tenant)
    said = f"{thread.id} does not finish.\n{told(app, thread.id, tenant=thread.tenant)}"
    if tools.made_up:
        names = ", ".join(f'"{intent}": ...' for intent in sorted(tools.made_up))
        said += f"\nTools do not run here, and returned None: say what, by returns={{{names}}}."
    raise AssertionError(said)


def _copy(app: App, threads: Sequence[Thread], tools: "_Tools", model: Model | None) -> App:
    newest = max(event.at for thread in threads for event in thread.events) + LATER
    copy = App(
        [_harmless(agent, tools) for agent in app.agents.values()],
        store=MemoryStore(),
        models={name: _offline(name, one, model) for name, one in app.models.items()},
        directory=app.people,
        redact=app.redact,
        clock=Clock(newest, end=newest + WAITS_MAX),
    )
    put(copy.store, *threads)
    return copy


def _offline(name: str, own: Model, given: Model | None) -> Model:
    if given is not None:
        return given
    if not getattr(own, "offline", False):
        raise ConfigurationError(
            f"The model {name!r} of the app would be asked over a network. Give one that is"
            " offline: finishes(app, log, model=ScriptedModel(...))."
        )
    return own


class _Tools:
    """What tools return, where none runs. `made_up` are the intents of which nothing is known."""

    def __init__(self, threads: Sequence[Thread], returns: Mapping[str, Any]) -> None:
        self._returns, self.made_up = returns, set[str]()
        self._before: dict[str, Json] = {
            event.data["intent"]: event.data.get("result")
            for thread in threads
            for event in thread.events
            if event.type == "tool_returned"
        }

    def result(self, intent: str, step: object = None) -> Any:
        if intent in self._returns:
            known = self._returns[intent]
            return known(step) if callable(known) else known
        if intent not in self._before:
            self.made_up.add(intent)
        return self._before.get(intent)


def _harmless(agent: Agent[Any, Any], tools: _Tools) -> Agent[Any, Any]:
    """The same agent, whose effects name tools that do nothing."""

    @wraps(agent.decide)
    def decide(thread: Thread, state: Any) -> Effect[Any, Any]:
        return _without_tools(agent.decide(thread, state), tools)

    return Agent(
        agent.name,
        decide,
        agent.steps,
        owner=agent.owner,
        limits=agent.limits,
        upcasters=agent.upcasters,
    )


def _without_tools(effect: Effect[Any, Any], tools: _Tools) -> Effect[Any, Any]:
    if isinstance(effect, All):
        each = cast("tuple[Any, ...]", effect.effects)
        return All(*(cast("Any", _without_tools(part, tools)) for part in each))
    if not isinstance(effect, Run):
        return effect
    intent = intent_of(type(effect.step))

    def returned(step: Any) -> Any:
        return tools.result(intent, step)

    return replace(effect, tool=returned, reconcile=None, in_transaction=False)


class _Agreeing:
    """Each who may says yes, one after the other, until nobody is asked any more."""

    def __init__(self, directory: Directory, tools: _Tools) -> None:
        self._directory, self._tools, self._said = directory, tools, set[tuple[str, str]]()

    def __call__(self, contact: ContactRow) -> Mapping[str, Any] | None:
        name = name_of(contact)
        for person in who_may(contact, self._directory):
            if (name, person) not in self._said:
                self._said.add((name, person))
                return {"by": person, **self._says(contact.data)}
        return None

    def _says(self, data: Mapping[str, Json]) -> Mapping[str, Any]:
        form: Mapping[str, Json] = data.get("form") or {}
        match data["kind"]:
            case "approval":
                return {"decision": "approve"}
            case "outcome":
                return {"decision": "it_ran", "value": self._tools.result(data["intent"])}
            case "repair":
                return {"decision": "give_up"}
            case _:
                choices = ["yes"] if form.get("kind") == "yes_no" else form.get("choices")
                return {"decision": "answer", "value": (choices or ["go on"])[0]}


async def _launched(_: App) -> None:
    """The threads are there."""


def _no_point(_: str) -> None:
    """Nobody is killed here."""
