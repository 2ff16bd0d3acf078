"""Logs made comparable, and logs put into a store as they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from twelvefold.files import facts
from twelvefold.plan import waits
from twelvefold.store import Append, Create, Store
from twelvefold.thread import Draft, Json, Thread


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
        timers=waits(thread),
    )
