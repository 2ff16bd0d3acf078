"""Jobs for woken threads, in the transaction of the append that woke them.

Timers get theirs when they are due: the row that the store wrote is the timer. See ADR 16.
"""

from typing import Any

from procrastinate import SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from psycopg import errors

from twelvefold.engine.procrastinate.jobs import advance_job
from twelvefold.engine.procrastinate.schema import not_migrated
from twelvefold.store import Ref, Timer


class JobWakes:
    """`Wakes` beside the rows of the store; `tx` is its connection, with its transaction open."""

    def __init__(self) -> None:
        self._jobs = JobManager(SyncPsycopgConnector())  # never opened: each job brings its own

    def wake(self, tx: Any, ref: Ref) -> None:
        try:
            self._jobs.defer_job(advance_job(ref), connection=tx)
        except ConnectorException as error:
            cause = error.__cause__ or error.__context__ or error
            if isinstance(cause, errors.UndefinedObject | errors.UndefinedFunction):
                raise not_migrated() from cause
            raise cause from None  # the store knows what the driver's errors mean

    def wake_at(self, tx: Any, ref: Ref, timer: Timer) -> None:
        """Nothing: every worker looks for what is due."""

    def cancel_wake(self, tx: Any, ref: Ref, key: str) -> None:
        """Nothing: a job without its timer does nothing."""

    def served(self, tx: Any, ref: Ref, version: int) -> None:
        """Nothing: a job without a wake does nothing."""
