"""The queue in the database: jobs fetched, finished, given back, and made where one is missing.

Every statement is a transaction of its own but those of the sweeps, which lock what they find, so
that of several workers one makes the job. What the driver or its pool raises is `StoreUnavailable`.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.resources import files
from typing import Any, cast

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as Row
from procrastinate.manager import JobManager
from psycopg.rows import dict_row

from twelvefold.engine.procrastinate.jobs import (
    ALONE,
    PREFIX,
    QUEUE,
    QUEUES,
    Job,
    advance_job,
    job_of,
    lock_of,
    lock_of_job,
    timer_job,
)
from twelvefold.engine.procrastinate.together import Together
from twelvefold.exceptions import StoreUnavailable
from twelvefold.store import Due, Ref
from twelvefold.tables.queries import parse_queries
from twelvefold.thread import from_iso, to_iso

SQL = parse_queries(
    files("twelvefold.engine.procrastinate").joinpath("queries.sql").read_text(encoding="utf-8")
)
CONNECTIONS_MAX = 4
CONNECT_TIMEOUT_S = 5.0
IDLE_S_MAX = 5.0
"""In a transaction, after which the server ends it."""
DEAD_S = 3600.0
"""After that long the row of a silent worker is dropped."""
SWEPT_MAX = 500
"""Jobs made in one transaction; the next look goes on."""

REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)

Rows = list[dict[str, Any]]

log = logging.getLogger("twelvefold")


class Queue:
    """The jobs of one log. `worker` is what Procrastinate calls this process, once registered."""

    def __init__(self, url: str) -> None:
        self._url, self.worker = url, 0
        self._connector = PsycopgConnector(
            conninfo=url,
            min_size=1,
            max_size=CONNECTIONS_MAX,
            timeout=CONNECT_TIMEOUT_S,
            configure=_configure,
        )
        self._jobs = JobManager(self._connector)
        self._finished = Together(self._finish)

    async def open(self) -> None:
        async with _translated():
            await self._connector.open_async()
            self.worker = await self._jobs.register_worker()

    async def close(self) -> None:
        async with _translated():
            await self._connector.close_async()

    async def leave(self) -> None:
        async with _translated():
            await self._jobs.unregister_worker(self.worker)

    async def beat(self) -> bool:
        """Say that this worker lives; False when it had been taken for dead, and is a new one."""
        if await self._all("beat", worker=self.worker):
            return True
        async with _translated():
            self.worker = await self._jobs.register_worker()
        return False

    async def fetch(self, most: int, *, alone: bool) -> list[Job]:
        """The next jobs; `alone`: one of them may be one that is suspected."""
        queues, first = [QUEUE], [QUEUE, ALONE] if alone else [QUEUE]
        given = {"queues": queues, "first": first, "worker": self.worker, "most": most}
        rows = await self._all("fetch", **given)
        return [
            job_of(r["id"], r["task_name"], r["args"], r["attempts"], r["queue_name"]) for r in rows
        ]

    async def finish(self, job: Job) -> None:
        await self._finished.add(job.id)

    async def mine(self) -> list[int]:
        rows = await self._all("mine", worker=self.worker, queues=list(QUEUES))
        return [row["id"] for row in rows]

    async def release(self, ids: Collection[int]) -> None:
        await self._do("release", ids=list(ids), worker=self.worker)
        await self.tell()

    async def postpone(self, job: Job, *, delay_s: float) -> None:
        """Give a job back that is to be tried later. While it waits, no other is made in its place,
        and an advance holds up nothing that comes meanwhile."""
        again = job.task == "advance"
        task, lock = ("again", lock_of(job.ref, "again")) if again else (job.task, lock_of_job(job))
        await self._turn(job, task, lock, tries=job.tries + 1, delay_s=delay_s)

    async def advance_now(self, job: Job) -> None:
        """It was to be tried later, and that is now."""
        await self._turn(job, "advance", lock_of(job.ref), tries=job.tries, delay_s=0.0)
        await self.tell()

    async def versions(self, refs: Sequence[Ref]) -> dict[Ref, int]:
        """Of the wakes of these threads, those that have one."""
        if not refs:
            return {}
        tenants, ids = [ref.tenant for ref in refs], [ref.id for ref in refs]
        rows = await self._all("versions", tenants=tenants, ids=ids)
        return {_ref(row): row["version"] for row in rows}

    async def tell(self) -> None:
        """Every worker looks at the queue, which jobs that come back would not make them do."""
        await self._do("tell")

    async def reap(self, *, stall_s: float, kills_max: int) -> list[Job]:
        """Give jobs of silent workers to others; those that had too many are returned instead."""
        async with self._transaction() as db:
            rows = await _rows(db, "stalled", queues=list(QUEUES), stall_s=stall_s)
            jobs = [
                job_of(r["id"], r["task_name"], r["args"], r["attempts"] + 1, r["queue_name"])
                for r in rows
            ]
            for job in (job for job in jobs if job.kills < kills_max):
                await db.execute(_sql("requeue"), {"id": job.id, "queue": _after(job.kills)})
                said = "%s: its worker was silent for more than %g s; another one goes on with it"
                log.warning(said, job.ref.id, stall_s)
            if jobs:
                await db.execute(_sql("tell"))
        return [job for job in jobs if job.kills >= kills_max]

    async def give_up(self, job: Job) -> None:
        await self._do("give_up", id=job.id)

    async def sweep(self, now: datetime) -> int:
        """Make the jobs of wakes that have none, and of timers that are due; how many."""
        return await self._made("unheard", lambda row: advance_job(_ref(row))) + await self._made(
            "due", _timer, now=to_iso(now)
        )

    async def sweep_deep(self, now: datetime) -> int:
        """Wake threads that were forgotten, and set timers that are missing; how many."""
        async with self._transaction() as db:
            rows = await _rows(db, "forgotten")
            for row in rows:
                await db.execute(_sql("wake"), row)
            missing = await _rows(db, "overdue", now=to_iso(now))
            for row in missing:
                await db.execute(_sql("set_timer"), row)
            await db.execute(_sql("bury"), {"dead_s": DEAD_S})
        return len(rows) + len(missing)

    async def sleepless(self) -> list[Ref]:
        """Threads that sleep and have lost their timer."""
        async with self._transaction() as db:
            return [_ref(row) for row in await _rows(db, "sleepless")]

    async def logs(self, after: int, most: int) -> list[tuple[int, Ref]]:
        """The next threads in the order in which they began, each with its place in it."""
        rows = await self._all("logs", after=after, most=most)
        return [(row["n"], _ref(row)) for row in rows]

    async def timers(self, refs: Sequence[Ref]) -> set[tuple[Ref, str]]:
        """The timers that these threads have."""
        tenants, ids = [ref.tenant for ref in refs], [ref.id for ref in refs]
        rows = await self._all("timers", tenants=tenants, ids=ids)
        return {(_ref(row), row["key"]) for row in rows}

    async def set_timers(self, timers: Sequence[Due]) -> None:
        """Those that are there by now stay as they are."""
        async with self._transaction() as db:
            for ref, key, due in timers:
                given = {"tenant": ref.tenant, "id": ref.id, "key": key, "due": to_iso(due)}
                await db.execute(_sql("set_timer"), given)

    async def forget(self, ref: Ref) -> None:
        """Drop the wake of a thread that is not there."""
        await self._do("forget", tenant=ref.tenant, id=ref.id)

    async def timer(self, ref: Ref, key: str, now: datetime) -> Due | None:
        """The timer, while it is due."""
        rows = await self._all("timer", tenant=ref.tenant, id=ref.id, key=key, now=to_iso(now))
        return Due(ref, key, from_iso(rows[0]["due"])) if rows else None

    async def next_due(self, now: datetime) -> datetime | None:
        [row] = await self._all("next_due", now=to_iso(now))
        return None if row["due"] is None else from_iso(row["due"])

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` whenever something was committed that concerns an engine, without end."""
        async with _translated():
            connect = psycopg.AsyncConnection.connect(
                self._url, autocommit=True, connect_timeout=int(CONNECT_TIMEOUT_S)
            )
            async with await connect as db:
                await db.execute("listen twelvefold")
                heard()  # what was committed before is looked for now
                async for _ in db.notifies():
                    heard()

    async def _finish(self, ids: Sequence[int]) -> None:
        await self._do("finish", ids=list(ids), worker=self.worker)

    async def _made(self, name: str, job: Callable[[dict[str, Any]], Row], **given: Any) -> int:
        async with self._transaction() as db:
            rows = await _rows(db, name, **given)
            if rows:
                await self._jobs.batch_defer_jobs_async(list(map(job, rows)), connection=db)
                await db.execute(_sql("tell"))
        return len(rows)

    async def _turn(self, job: Job, task: str, lock: str, *, tries: int, delay_s: float) -> None:
        given = {"task": PREFIX + task, "lock": lock, "tries": tries, "delay_s": delay_s}
        await self._do("turn", id=job.id, worker=self.worker, **given)

    async def _all(self, name: str, **given: Any) -> Rows:
        async with _translated():
            return await self._connector.execute_query_all_async(_sql(name), **given)

    async def _do(self, name: str, **given: Any) -> None:
        async with _translated():
            await self._connector.execute_query_async(_sql(name), **given)

    @asynccontextmanager
    async def _transaction(self) -> "AsyncGenerator[psycopg.AsyncConnection[Any]]":
        async with _translated(), self._connector.pool.connection() as db, db.transaction():
            yield db


async def _configure(db: "psycopg.AsyncConnection[Any]") -> None:
    """A process that is frozen in a transaction must not keep others from its rows."""
    await db.set_autocommit(True)
    await db.execute(_sql("configure"), {"idle_s": IDLE_S_MAX})


def _after(kills: int) -> str:
    """One kill may be anybody's; who was there at two is run alone."""
    return ALONE if kills > 1 else QUEUE


def _ref(row: dict[str, Any]) -> Ref:
    return Ref(row["tenant"], row["id"])


def _timer(row: dict[str, Any]) -> Row:
    return timer_job(Due(_ref(row), row["key"], from_iso(row["due"])))


async def _rows(db: "psycopg.AsyncConnection[Any]", name: str, **given: Any) -> Rows:
    cursor = db.cursor(row_factory=dict_row)
    await cursor.execute(_sql(name), given | {"most": SWEPT_MAX})
    return await cursor.fetchall()


def _sql(name: str) -> Any:  # a LiteralString, as far as the driver's types go
    return cast(Any, SQL[name])


@asynccontextmanager
async def _translated() -> AsyncGenerator[None]:
    try:
        yield
    except (ConnectorException, psycopg.Error) as error:
        said = " ".join(str(error.__cause__ or error).split())
        if isinstance(error.__cause__ or error, REFUSED):
            raise StoreUnavailable(
                f"this login may not write the queue: {said}. Grant it select, insert, update,"
                " delete on the tables and usage on the sequences.",
                retryable=False,
            ) from error
        raise StoreUnavailable(f"the queue did not answer: {said}. It is tried again.") from error
