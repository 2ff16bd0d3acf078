"""Jobs for woken threads, in the transaction of the append that woke them.

Timers get theirs when they are due: the row that the store wrote is the timer. A job without its
row does nothing, so nobody is told of a wake that ends. See ADR 16.
"""

from collections.abc import Sequence
from typing import Any

from procrastinate import SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from psycopg import errors

from twelvefold.engine.procrastinate.jobs import advance_job
from twelvefold.engine.procrastinate.schema import not_migrated
from twelvefold.store import Ref


class JobWakes:
    """Called beside the rows of the store; `tx` is its connection, with its transaction open."""

    def __init__(self) -> None:
        self._jobs = JobManager(SyncPsycopgConnector())  # never opened: each job brings its own

    def __call__(self, tx: Any, refs: Sequence[Ref]) -> None:
        try:
            self._jobs.batch_defer_jobs(list(map(advance_job, refs)), connection=tx)
        except ConnectorException as error:
            cause = error.__cause__ or error.__context__ or error
            if isinstance(cause, errors.UndefinedObject | errors.UndefinedFunction):
                raise not_migrated() from cause
            raise cause from None  # the store knows what the driver's errors mean
