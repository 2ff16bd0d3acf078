"""Transactions: the rows of their threads are locked in one order, then checked, then written.

Two transactions that meet are told apart by the database, which undoes one of them; that one is
done again. An error of the commit itself is ambiguous and is never repeated here: whoever asked
does that, with the same keys.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import psycopg

from twelvefold.exceptions import StoreUnavailable
from twelvefold.store import Append, Ref, Wakes
from twelvefold.stores.postgres.beginning import Birth, begin_together, birth
from twelvefold.stores.postgres.connections import Busy, Pool
from twelvefold.stores.postgres.failures import PASSING, ambiguous, is_lost, translated
from twelvefold.stores.postgres.kept import Growth, Kept, write_together
from twelvefold.stores.postgres.queries import Named
from twelvefold.stores.postgres.wakes import RowWakes
from twelvefold.tables.appends import Pending, Plan, plan, read_thread, ref_of, write
from twelvefold.tables.rows import Row
from twelvefold.thread import Event

TRIES_MAX = 10
"""Of one transaction that was undone because it met others."""

INLINE_S_MAX = 0.002
"""What an event loop may wait for a commit."""
AVERAGE_OVER = 5  # commits, for the running average of their duration

Events = list[list[Event]]
Short = Growth | Birth
"""What may be written in one statement."""
T = TypeVar("T")


class Writer:
    """Commits on connections of `pool`, from any thread."""

    def __init__(self, pool: Pool, wakes: RowWakes) -> None:
        self._pool, self._wakes = pool, wakes
        self._kept = Kept()
        self._average_s = 0.0

    def commit(self, appends: Sequence[Append]) -> Events:
        for one in self._written([self._short(appends)]):
            return one.events
        planned = self.write(lambda db: applied(db, appends, self._wakes))
        self._kept.put(planned.threads.values())
        return planned.events

    def commit_at_once(self, appends: Sequence[Append]) -> Events | None:
        """None: whoever asks would have to wait for more than a fast disk."""
        if self._average_s > INLINE_S_MAX:
            return None
        short = self._short(appends)
        if isinstance(short, Birth) and not self._wakes.tells_nobody:
            return None
        try:
            written = self._written([short], wait=False)
        except Busy:
            return None
        return written[0].events if written else None

    def commit_together(self, requests: Sequence[Sequence[Append]]) -> list[Events | None]:
        """Appends to different threads, in two transactions at most. None: not written, as it
        cannot be done in one statement."""
        shorts = [self._short(appends) for appends in requests]
        written = set(self._written(shorts))
        return [one.events if one is not None and one in written else None for one in shorts]

    def learn(self, ref: Ref, row: Row) -> None:
        self._kept.learn(ref, row)

    def write(self, work: Callable[[Named], T]) -> T:
        """Do `work` in a transaction of its own, again when it was undone by the database."""
        tries, fresh = 0, False
        while True:
            tries += 1
            try:
                return self._once(work, fresh=fresh)
            except PASSING as error:
                if tries == TRIES_MAX:
                    raise self._met_others(error) from error
            except _Dropped as error:
                if fresh:
                    raise translated(error.cause, self._pool.name) from error.cause
                fresh = True
            except (psycopg.Error, UnicodeEncodeError) as error:
                raise translated(error, self._pool.name) from error

    def _short(self, appends: Sequence[Append]) -> Short | None:
        return self._kept.growth(appends) or birth(appends)

    def _written(self, shorts: Sequence[Short | None], *, wait: bool = True) -> list[Short]:
        """Those that could be written in one statement with others of their kind."""
        growths = [one for one in shorts if isinstance(one, Growth)]
        births = [one for one in shorts if isinstance(one, Birth)]
        written: list[Short] = []
        if growths:
            written += self._at_once(lambda db: write_together(db, growths), wait=wait)
        if births:
            written += self._at_once(lambda db: self._begun(db, births), wait=wait)
        self._kept.put(one.pending for one in written)
        return written

    def _at_once(self, write: Callable[[Named], Sequence[Short]], *, wait: bool) -> Sequence[Short]:
        try:
            with self._pool.connection(wait=wait) as db:
                return self._timed(lambda: write(db))
        except (psycopg.Error, UnicodeEncodeError) as error:
            if is_lost(error):  # the statement was a commit as well
                raise ambiguous(self._pool.name, error) from error
            return []  # one of them is at fault: alone, each hears of its own

    def _begun(self, db: Named, births: Sequence[Birth]) -> Sequence[Birth]:
        author = self._wakes.author
        if self._wakes.tells_nobody:
            return begin_together(db, births, author)
        with db.raw.transaction():
            begun = begin_together(db, births, author)
            if begun:
                self._wakes.tell(db.raw, [one.pending.ref for one in begun])
        return begun

    def _timed(self, write: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return write()
        finally:
            self._average_s += (time.perf_counter() - started - self._average_s) / AVERAGE_OVER

    def _once(self, work: Callable[[Named], T], *, fresh: bool) -> T:
        with self._pool.connection(fresh=fresh) as db:
            try:
                db.raw.execute("begin isolation level read committed, read write")
                done = work(db)
            except BaseException as error:
                self._undo(db)
                if db.raw.closed and isinstance(error, psycopg.Error):
                    raise _Dropped(error) from error  # before the commit: nothing was saved
                raise
            self._commit(db)
            return done

    def _commit(self, db: Named) -> None:
        try:
            db.raw.execute("commit")
        except PASSING:
            raise  # undone, for certain
        except psycopg.OperationalError as error:
            raise ambiguous(self._pool.name, error) from error

    def _undo(self, db: Named) -> None:
        with suppress(psycopg.Error):
            db.raw.rollback()

    def _met_others(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self._pool.name}: {TRIES_MAX} tries met other transactions: {error}. Nothing was"
            " saved; try again."
        )


class _Dropped(Exception):
    """The server had dropped this connection; nothing was saved on it."""

    def __init__(self, cause: psycopg.Error) -> None:
        super().__init__(str(cause))
        self.cause = cause


def applied(db: Named, appends: Sequence[Append], wakes: Wakes) -> Plan:
    """Check and write inside the open transaction."""
    begun = {ref_of(append) for append in appends if append.create is not None}
    refs = sorted({ref_of(append) for append in appends})
    locked = {ref: _locked(db, ref, may_begin=ref in begun) for ref in refs}
    planned = plan(db, appends, locked.get)
    write(db, planned, wakes)
    return planned


def _locked(db: Named, ref: Ref, *, may_begin: bool) -> Pending | None:
    """The thread, which nobody else appends to or begins until this transaction ends."""
    if may_begin:  # then there may be no row to lock
        db.rows("begin_in_turn", ref)
    return read_thread(db, ref)
