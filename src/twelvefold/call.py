"""Call: what a tool may know and ask for besides its step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Protocol

from typing_extensions import TypeVar

from twelvefold.attachments import Attachment, described
from twelvefold.exceptions import ConfigurationError
from twelvefold.secrets import SecretRef, look_up

D_co = TypeVar("D_co", covariant=True, default=None)


class Cancelled(Protocol):
    """Set when the thread is cancelled, the engine is told to stop, or the time is over."""

    def is_set(self) -> bool: ...

    async def wait(self) -> None:
        """Until it is set. For async tools; a sync one asks `is_set` now and then."""
        ...


class _Never:
    """Of a call that nobody can cancel: one that a test has made."""

    def is_set(self) -> bool:
        return False

    async def wait(self) -> None:
        raise RuntimeError("nobody can cancel this call: it was made by hand")


def _no_secrets(ref: SecretRef | str) -> str:
    return look_up(None, ref, tenant="")


def _kept_nowhere(content: bytes | Path, media_type: str) -> Attachment:
    is_path = isinstance(content, Path)
    ref = content.name if is_path else None
    return described(content.read_bytes() if is_path else content, media_type, ref=ref)


@dataclass(frozen=True, slots=True)
class Call(Generic[D_co]):
    """What a tool may know besides its step.

    - `key` names the effect for the outside world; it is the same in every attempt and after a
      crash.
    - `attempt` counts the runs that the log knows, `tries` those of `run(attempts=...)` inside
    this
      one. Both count from 1.
    - `deadline`: when `run(timeout_s=...)` ends the run, all its tries; None without one.
    """

    key: str
    attempt: int
    tenant: str
    thread_id: str
    deps: D_co
    tries: int = 1
    deadline: datetime | None = None
    cancelled: Cancelled = field(default=_Never(), repr=False, compare=False)
    _secret: Callable[[SecretRef | str], str] = field(
        default=_no_secrets, repr=False, compare=False, kw_only=True
    )
    _attach: Callable[[Any, str], Attachment] = field(
        default=_kept_nowhere, repr=False, compare=False, kw_only=True
    )

    _connection: Any = field(default=None, repr=False, compare=False, kw_only=True)

    @property
    def connection(self) -> Any:
        """The open transaction of `run(..., in_transaction=True)`: on SQLite a `sqlite3.Connection`
        on the file of the log, on Postgres a `psycopg.Connection` to its database. Neither commit
        nor roll back: return to keep, raise to undo.

        Raises `ConfigurationError` in a run without one.
        """
        if self._connection is None:
            raise ConfigurationError(
                "call.connection is there only inside a transaction: run(tool, step,"
                " in_transaction=True)."
            )
        return self._connection

    def secret(self, ref: SecretRef | str) -> str:
        """The value from `App(secrets=...)`. Raises `NothingHappened` when there is none, so ask
        before the first effect."""
        return self._secret(ref)

    def attach(self, content: bytes | Path, media_type: str) -> Attachment:
        """Keep bytes, or a file, beside the log. They are durable when this returns.

        It waits for the disk: an async tool with much to keep calls it in a thread. Raises
        `BadAttachment` and `StoreError`.
        """
        return self._attach(content, media_type)
