"""A connection lent to a tool, so that its rows commit with the event that says what it did.

The database itself refuses a commit that is not ours: the transaction holds a row of
`twelvefold_loans`, and a deferred trigger raises while it is there. After a rollback that was not
ours the row is gone, and nothing that came later is kept.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from twelvefold.exceptions import NothingHappened
from twelvefold.stores.postgres.connections import connect
from twelvefold.stores.postgres.failures import shown, translated

TRANSACTION_TIMEOUT_S = 3.0
"""Less than `LOCK_TIMEOUT_S`: whoever waits for a row meanwhile still gets it."""

_MEDDLED = (
    "it tried to commit, roll back or close call.connection, which commits by itself with the"
    " outcome of the tool: return to keep what was written, raise to undo it"
)
_FAILED = "a statement on call.connection failed, and Postgres refused the rest of the transaction"
_ENDED = (errors.IdleInTransactionSessionTimeout, errors.QueryCanceled)


class Lent(psycopg.Connection[Any]):
    """A connection whose borrower cannot end its transaction. `refused` says that it was tried."""

    refused: str | None = None

    def commit(self) -> None:
        self._refuse()

    def rollback(self) -> None:
        self._refuse()

    def close(self) -> None:
        self._refuse()

    def take_back(self) -> None:
        """Undo what was not committed, and close."""
        super().close()

    def _refuse(self) -> None:
        if self.closed:  # psycopg itself, after the server had ended the connection
            return super().close()
        self.refused = _MEDDLED
        raise NothingHappened(f"{_MEDDLED}.")


@contextmanager
def lent(
    url: str, *, lock_timeout_s: float, timeout_s: float = TRANSACTION_TIMEOUT_S
) -> Generator[Lent]:
    """What the block did is committed, or undone when it raises, meddles with the transaction, or
    takes longer than `timeout_s`: `NothingHappened`."""
    loan = _Loan(url, lock_timeout_s=lock_timeout_s, timeout_s=timeout_s)
    try:
        loan.begin()
        yield loan.connection
        loan.keep()
    except Exception as error:
        why = loan.refused_by(error)
        if why is not None:
            raise nothing_kept(why) from error
        raise
    finally:
        with suppress(psycopg.Error):
            loan.connection.take_back()


def nothing_kept(why: str) -> NothingHappened:
    return NothingHappened(f"{why}. Nothing was kept.")


class _Loan:
    """One transaction, from its row in the table of loans to its commit."""

    def __init__(self, url: str, *, lock_timeout_s: float, timeout_s: float) -> None:
        self._db = connect(url, lock_timeout_s=lock_timeout_s, kind=Lent)
        self._name, self._timeout_s = shown(url), timeout_s
        self._number: int | None = None
        self._began = time.monotonic()

    @property
    def connection(self) -> Lent:
        raw = self._db.raw
        assert isinstance(raw, Lent)  # as `connect` was told
        return raw

    def begin(self) -> None:
        self.connection.autocommit = False
        self._began = time.monotonic()
        try:
            self._db.rows("limit_transaction", (f"{self._timeout_s:g}s",))
            ((self._number,),) = self._db.rows("lend")
        except psycopg.Error as error:
            raise translated(error, self._name) from error

    def keep(self) -> None:
        """Commit. Raises `NothingHappened` when it may not be kept."""
        why = self._refused()
        if why is None and not self._db.rows("give_back", (self._number,)):
            why = _MEDDLED  # this is another transaction than the one that was lent
        if why is not None:
            raise nothing_kept(why)
        try:
            psycopg.Connection.commit(self.connection)
        except errors.IntegrityError:
            raise  # a deferred constraint of the borrower's rows
        except psycopg.Error as error:
            raise translated(error, self._name) from error

    def refused_by(self, error: Exception) -> str | None:
        """Why nothing may be kept; None when `error` says it already, or is the borrower's own."""
        if isinstance(error, errors.InvalidTransactionTermination):
            return _MEDDLED
        return self._too_long() if isinstance(error, _ENDED) else self.connection.refused

    def _refused(self) -> str | None:
        connection = self.connection
        if connection.refused is not None:
            return connection.refused
        if time.monotonic() - self._began > self._timeout_s:
            return self._too_long()
        match connection.info.transaction_status:
            case TransactionStatus.INERROR:
                return _FAILED
            case TransactionStatus.INTRANS:
                return None
            case _:
                return _MEDDLED

    def _too_long(self) -> str:
        return (
            f"it held its transaction for more than {self._timeout_s:g} s. Do slow work before it"
        )
