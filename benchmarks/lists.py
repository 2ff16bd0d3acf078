"""How long lists take on Postgres when there is much: `python -m benchmarks.lists URL`.

The database at URL should be empty. It gets 1,000,000 events in 50,000 threads, and keeps them.
"""

import statistics
import sys
from collections.abc import Callable
from time import perf_counter

import psycopg

from twelvefold.stores.postgres import PostgresStore, migrate
from twelvefold.summary import Summary
from twelvefold.thread import to_text

THREADS, EVENTS_EACH = 50_000, 20
ROUNDS = 50
AT = "2026-11-20T09:55:33.123456Z"
DATA = to_text({"contact": "s1.1", "step": "s1", "text": "x" * 150})
FILLING = (
    (
        "insert into twelvefold_threads (tenant, id, agent, head, epoch, chain, status, summary)"
        " select 'default', '20261120-' || md5(n::text), 'a' || n %% 20, %s, 1, '',"
        " (array['running', 'waiting', 'finished', 'failed'])[1 + n %% 4], %s"
        " from generate_series(1, %s) n",
        (EVENTS_EACH, to_text(Summary(AT, AT).to_data()), THREADS),
    ),
    (
        "insert into twelvefold_events (thread, seq, type, v, key, at, data, salt, chain)"
        " select n, s, 'contact_requested', 1, 'k' || s, %s, %s, decode(md5(s::text), 'hex'),"
        " decode(md5(n::text) || md5(n::text), 'hex')"
        " from generate_series(1, %s) n, generate_series(1, %s) s",
        (AT, DATA, THREADS, EVENTS_EACH),
    ),
    (
        "insert into twelvefold_contacts (thread, id, tenant, seq, asked_at, deadline, risk, asks,"
        " outcome)"
        " select n, 's1.1', 'default', 1, %s, case n %% 3 when 0 then %s end, 'low', '',"
        " case when n %% 5 > 1 then 'approved' end from generate_series(1, %s) n",
        (AT, AT, THREADS),
    ),
)


def main(url: str) -> None:
    migrate(url)
    started = perf_counter()
    with psycopg.connect(url, autocommit=True) as db:
        for statement, values in FILLING:
            db.execute(statement, values)
        db.execute("vacuum analyze")
    print(f"{THREADS * EVENTS_EACH:,} events in {perf_counter() - started:.0f} s")
    store = PostgresStore(url)
    for name, look in looks(store).items():
        print(f"{name:28} {median_ms(look):8.2f} ms")
    store.close()


def looks(store: PostgresStore) -> dict[str, Callable[[], object]]:
    rows = store.threads(limit=100)
    newest, last = rows[0].ref.id, rows[-1].ref.id
    return {
        "100 threads": lambda: store.threads(limit=100),
        "the next 100": lambda: store.threads(limit=100, before=last),
        "100 of a status": lambda: store.threads(limit=100, status="failed"),
        "100 of an agent": lambda: store.threads(limit=100, agent="a7"),
        "100 of the inbox": lambda: store.contacts(limit=100),
        "1,000 of the inbox": lambda: store.contacts(limit=1000),
        "a thread by its end": lambda: store.ids_ending(newest[-6:]),
        "a whole thread": lambda: store.load(newest),
    }


def median_ms(look: Callable[[], object]) -> float:
    took: list[float] = []
    for _ in range(ROUNDS):
        started = perf_counter()
        look()
        took.append(perf_counter() - started)
    return statistics.median(took) * 1000


if __name__ == "__main__":
    main(sys.argv[1])
