"""Long lists: how they are filled, and what is looked up in them."""

import sys
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import LiteralString

import psycopg

from twelvefold.stores.postgres import PostgresStore
from twelvefold.summary import Summary
from twelvefold.thread import to_text

THREADS, EVENTS_EACH, OPEN = 50_000, 20, 5_000
AGENTS = 20
ROUNDS = 100
PAGE = 100
AT = "2026-11-20T09:55:33.123456Z"
ASKED = {
    "contact": "s1.1",
    "step": "s1",
    "intent": "pay",
    "kind": "approval",
    "risk": "high",
    "to": ["ops"],
    "digest": "d" * 64,
    "shown": {"intent": "pay", "to": "anna", "text": "x" * 100},
}
NOTED = to_text({"text": "x" * 200})


def fill(url: str) -> None:
    started = perf_counter()
    with psycopg.connect(url, autocommit=True) as db:
        for statement, values in filling():
            db.execute(statement, values)
        db.execute("vacuum analyze")
    print(f"{THREADS * EVENTS_EACH:,} events in {perf_counter() - started:.0f} s", file=sys.stderr)


def filling() -> Iterable[tuple[LiteralString, tuple[object, ...]]]:
    return (
        (
            "insert into twelvefold_threads"
            " (tenant, id, agent, head, epoch, chain, status, summary)"
            " select 'default', '20261120-' || md5(n::text), 'a' || n %% %s, %s, 1, '',"
            " (array['running', 'waiting', 'finished', 'failed'])[1 + n %% 4], %s"
            " from generate_series(1, %s) n",
            (AGENTS, EVENTS_EACH, to_text(Summary(AT, AT).to_data()), THREADS),
        ),
        (
            "insert into twelvefold_events (thread, seq, type, v, key, at, data, salt, chain)"
            " select n, s, case s when 1 then 'contact_requested' else 'noted' end, 1, 'k' || s,"
            " %s,"
            " case s when 1 then %s else %s end, decode(md5(s::text), 'hex'),"
            " decode(md5(n::text) || md5(n::text), 'hex')"
            " from generate_series(1, %s) n, generate_series(1, %s) s",
            (AT, to_text(ASKED), NOTED, THREADS, EVENTS_EACH),
        ),
        (
            "insert into twelvefold_contacts"
            " (thread, id, tenant, seq, asked_at, deadline, risk, asks, outcome, closed_at)"
            " select n, 's1.1', 'default', 1, %s, case n %% 3 when 0 then %s end, 'high', %s,"
            " case when n > %s then 'approved' end, case when n > %s then %s end"
            " from generate_series(1, %s) n",
            (AT, AT, to_text(["ops"]), OPEN, OPEN, AT, THREADS),
        ),
    )


def looks(store: PostgresStore) -> dict[str, Callable[[], object]]:
    rows = store.threads(limit=PAGE)
    newest, last = rows[0].ref.id, rows[-1].ref.id
    return {
        "threads": lambda: store.threads(limit=PAGE),
        "next threads": lambda: store.threads(limit=PAGE, before=last),
        "threads of a status": lambda: store.threads(limit=PAGE, status="failed"),
        "threads of an agent": lambda: store.threads(limit=PAGE, agent="a7"),
        "inbox": lambda: store.contacts(limit=PAGE),
        "inbox, 1,000": lambda: store.contacts(limit=10 * PAGE),
        "a thread by its end": lambda: store.ids_ending(newest[-6:]),
        "a whole thread": lambda: store.load(newest),
    }


def took_ms(look: Callable[[], object]) -> list[float]:
    took: list[float] = []
    for _ in range(ROUNDS):
        started = perf_counter()
        look()
        took.append(1000 * (perf_counter() - started))
    return took
