"""Replay: decide again at every head that decide saw, and compare with what the log says. Runs
nothing.

Who may decide is asked of nobody: the log says whose yes no longer counted, and when.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from twelvefold.agent import Agent
from twelvefold.plan.begin import begin
from twelvefold.plan.parts import CallModel
from twelvefold.plan.replies import is_reply
from twelvefold.reducer import fold
from twelvefold.state import State
from twelvefold.thread import DELIVERY_RECORDS, Event, Json, Thread, canonical

# Events that begin() makes. Those that recovery makes, and facts, carry `after` too and are not
# listed.
_BEGUN = frozenset(
    """
    tool_started contact_requested contact_voided timer_set signal_awaited child_launched finished
    step_settled limit_reached
    """.split()
)


@dataclass(frozen=True, slots=True)
class Difference:
    """Today's code decides otherwise. `seq`: the first recorded event of that decision.

    `kind`: "decision" when other events would be begun, "prompt" when only the bytes sent to the
    model would differ.
    """

    seq: int
    kind: str
    recorded: str
    now: str

    def __str__(self) -> str:
        return (
            f"event {self.seq} ({self.kind})\n  recorded: {self.recorded}\n  now:      {self.now}"
        )


def replay(thread: Thread, agent: Agent[Any, Any]) -> list[Difference]:
    """Every recorded decision that today's `decide` would not make, oldest first."""
    recorded, barred = _recorded(thread)
    state: State[Any] = State(thread.upto(0), agent.steps, upcasters=agent.upcasters)
    origins = list(_origins(thread))
    differences: list[Difference] = []
    for event in thread.events:
        fold(state, event)
        if events := recorded.get(event.seq):
            origin = next(origin for last, origin in origins if events[0].seq <= last)
            state.thread_id = origin.id
            without = barred.get(event.seq, ())
            difference = _compare(events, state, origin.upto(event.seq), agent, without)
            differences += [] if difference is None else [difference]
    state.thread_id = thread.id
    return differences + _at_rest(thread, state, agent)


def _recorded(thread: Thread) -> tuple[dict[int, list[Event]], dict[int, set[str]]]:
    """What was decided at each head, and the steps that could not run since somebody was gone."""
    recorded: dict[int, list[Event]] = {}
    barred: dict[int, set[str]] = {}
    for event in thread.events:
        if event.after is None:
            continue
        if event.type == "contact_voided" and "gone" in event.data:
            barred.setdefault(event.after, set()).add(event.data["step"])
        elif _is_begun(event) or is_reply(event):
            recorded.setdefault(event.after, []).append(event)
    return recorded, barred


def _origins(thread: Thread) -> Iterator[tuple[int, Thread]]:
    """The threads that recorded these events, each with the last event that it recorded.

    Digests and the ids of children name the thread, so what a fork copied is compared as that of
    the thread it was copied from.
    """
    for event in thread.events:
        if event.type == "forked":
            source: str = event.data["from"]
            yield event.seq, Thread(source, thread.agent, thread.events, tenant=thread.tenant)
    yield thread.head, thread


def _is_begun(event: Event) -> bool:
    if event.type == "next_step_chosen":
        return event.data["by"] == "code"
    if event.type == "contact_requested":
        return event.data["kind"] != "repair"
    return event.type in _BEGUN


def _compare(
    events: Sequence[Event],
    state: State[Any],
    prefix: Thread,
    agent: Agent[Any, Any],
    barred: Collection[str],
) -> Difference | None:
    begun = [event for event in events if _is_begun(event)]
    replies = [event for event in events if is_reply(event)]
    first = events[0]
    effect: Any = None
    try:
        effect = agent.decide(prefix, state)
        plan = begin(effect, state, prefix, agent, now=first.at, directory=None)
    except Exception as error:  # whatever the user's code raises today is the difference
        return Difference(first.seq, "decision", _text(events), f"{type(error).__name__}: {error}")
    calls = [act for act in plan.acts if isinstance(act, CallModel)]
    drafted = [(d.type, d.data) for d in plan.drafts if d.data.get("step") not in barred]
    if _alike(drafted) != _alike((e.type, e.data) for e in begun) or bool(calls) != bool(replies):
        return Difference(first.seq, "decision", _text(events), _shown(effect))
    return _compare_prompt(replies, calls)


def _at_rest(thread: Thread, state: State[Any], agent: Agent[Any, Any]) -> list[Difference]:
    """A thread that came to rest must still be at rest. What arrived last may be undecided yet."""
    running = any((chosen.waiting or "").startswith("run:") for chosen in state.open)
    if state.stopped or running or not (state.finished or state.waiting):
        return []
    newest = [e for e in thread.events if e.type not in DELIVERY_RECORDS][-1]
    if newest.after is None:
        return []
    try:
        effect: Any = agent.decide(thread, state)
        plan = begin(effect, state, thread, agent, now=newest.at, directory=None)
    except Exception as error:
        return [Difference(thread.head, "decision", "Wait()", f"{type(error).__name__}: {error}")]
    if plan.waits and not plan.drafts:
        return []
    return [Difference(thread.head, "decision", "Wait()", _shown(effect))]


def _alike(facts: Iterable[tuple[str, dict[str, Json]]]) -> list[tuple[str, dict[str, Json]]]:
    """What `decide` alone accounts for: not what ends besides, nor who was who by then."""
    return [
        (type, {name: value for name, value in data.items() if name != "directory"})
        for type, data in facts
        if type != "contact_closed"
    ]


def _compare_prompt(replies: Sequence[Event], calls: Sequence[CallModel]) -> Difference | None:
    for reply, call in zip(replies, calls, strict=False):
        recorded, today = reply.data.get("prompt"), call.request.hash()
        if recorded is not None and recorded != today:
            return Difference(reply.seq, "prompt", f"prompt {recorded}", f"prompt {today}")
    return None


def _shown(effect: Any) -> str:
    """The effect with what it says, and nothing it leaves to chance: the same text in every
    process, functions without their addresses."""
    said = [
        (field.name, getattr(effect, field.name))
        for field in fields(effect)
        if _says(effect, field)
    ]
    return f"{type(effect).__name__}({', '.join(f'{n}={_addressless(v)}' for n, v in said)})"


def _says(effect: Any, field: Field[Any]) -> bool:
    return field.default is MISSING or getattr(effect, field.name) != field.default


def _addressless(value: Any) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _text(events: Sequence[Event]) -> str:
    return "; ".join(f"{event.type} {canonical(event.data)}" for event in events)
