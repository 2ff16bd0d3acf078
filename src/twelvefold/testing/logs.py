"""Logs made comparable, and logs put into a store as they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from twelvefold.contacts import deadline_timers, remind_timer
from twelvefold.files import facts
from twelvefold.reducer import read
from twelvefold.store import Append, Create, Store, Timer
from twelvefold.thread import Draft, Json, Thread, from_iso


def comparable(events: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """Exported events (lines of `Thread.to_jsonl`) as {step or "": [[type, data], ...]}.

    What may differ after a crash is dropped, and nothing else (`files.comparing` says what). The
    order is kept within each step; steps of one `All` may end in any order.
    """
    kept: dict[str, Any] = {}
    for fact in facts([(event["type"], event["data"]) for event in events]):
        if fact is not None:
            kept.setdefault(str(fact[1].get("step", "")), []).append(list(fact))
    return kept


def put(store: Store, *threads: Thread) -> None:
    """Write these logs as they are, open contacts and timers included, as if they had grown there.

    For golden threads: `threads import` would void what is open. The threads are woken, so
    `app.run()` goes on with them.
    """
    store.commit_now(*map(_append, threads))


def _append(thread: Thread) -> Append:
    return Append(
        thread.id,
        [Draft(e.type, e.data, e.at, key=e.key, after=e.after, v=e.v) for e in thread.events],
        tenant=thread.tenant,
        create=Create(thread.agent, thread.parent),
        wake=True,
        timers=_timers(thread),
    )


def _timers(thread: Thread) -> list[Timer]:
    """The timers that the store beside this log held."""
    state = read(thread)
    timers: list[Timer] = []
    for contact in state.open_contacts.values():
        timers += deadline_timers(contact)
        if contact.remind is not None:
            timers.append(Timer(remind_timer(contact.id), thread.events[-1].at + contact.remind))
    for chosen in state.open:
        kind, _, name = (chosen.waiting or "").partition(":")
        if kind == "timer":
            timers.append(Timer(f"sleep:{name}", _due(thread, name)))
    return timers


def _due(thread: Thread, timer: str) -> Any:
    dues = [
        e.data["due"] for e in thread.events if e.data.get("timer") == timer and "due" in e.data
    ]
    return from_iso(dues[-1])
