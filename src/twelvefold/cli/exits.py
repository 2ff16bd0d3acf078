"""Exit codes, and what is said when a command fails: what happened, why, and one next command where
there is one that helps. What the message itself says to change needs none.
"""

from collections.abc import Iterable, Mapping

from twelvefold.cli.again import Again
from twelvefold.exceptions import (
    AlreadyThere,
    ConfigurationError,
    Conflict,
    InvalidAnswer,
    InvalidCase,
    InvalidFile,
    InvalidRequest,
    NoApplication,
    NotAllowed,
    NotFound,
    NotMigrated,
    NotWritable,
    PromptError,
    StoreError,
    StoreVersion,
    UnknownContact,
    UnknownKey,
    UnknownThread,
    Unstorable,
    UnusableModel,
)
from twelvefold.notices import visible
from twelvefold.summary import short

DONE = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
CONFLICT = 4
NOT_ALLOWED = 5
CONFIGURATION = 6
PAUSED_FOR_HUMAN = 10
PAUSED_FOR_EVENT = 11
TIMEOUT = 124
INTERRUPTED = 130
PIPE_CLOSED = 141
"""As a shell reports a program that SIGPIPE ended: nobody reads what is left to say."""

_CODES: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, NOT_FOUND),
    (Conflict, CONFLICT),
    (NotAllowed, NOT_ALLOWED),
    (InvalidAnswer, USAGE),
    (InvalidRequest, USAGE),
    (InvalidCase, USAGE),
    (InvalidFile, USAGE),
    (Unstorable, USAGE),
    (ConfigurationError, CONFIGURATION),
    (PromptError, CONFIGURATION),
    (StoreError, CONFIGURATION),
)

_NEXT: tuple[tuple[type[Exception], str], ...] = (
    (UnknownContact, "twelvefold inbox"),
    (UnknownKey, "twelvefold keys list"),
    (AlreadyThere, "the same command with --diff"),
    (NotWritable, "the same command, once that is done"),
    (InvalidAnswer, "twelvefold inbox"),
    (InvalidCase, "correct the file, then twelvefold test"),
    (StoreVersion, "twelvefold version"),
    (NoApplication, "twelvefold new bot"),
    (UnusableModel, "the same command, once that is done"),
)


def code_of(error: BaseException) -> int:
    """The exit code of an exception that ended a command."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def text_of(
    error: BaseException,
    *,
    thread_ids: Iterable[str] = (),
    then: Mapping[type[Exception], str] | None = None,
    again: Again = str,
) -> str:
    """One line or two: what happened and why; what to do next. Ids that were looked up are
    shortened. `then`: what to do next after such an error, where the command knows better. `again`
    repeats the options that a next command needs."""
    said = str(error) or type(error).__name__
    if code_of(error) == FAILED:
        said = f"{type(error).__name__}: {said}"
    thread_ids = list(thread_ids)
    for thread_id in thread_ids:
        said = said.replace(thread_id, short(thread_id))
    following = _next(error, thread_ids, then or {})
    return f"error: {visible(said)}" + (f"\nnext:  {again(following)}" if following else "")


def _next(
    error: BaseException, thread_ids: list[str], then: Mapping[type[Exception], str]
) -> str | None:
    for kind, command in then.items():
        if isinstance(error, kind):
            return command
    if isinstance(error, NotMigrated):
        return error.command
    if isinstance(error, UnknownThread):
        return "twelvefold threads list"
    if isinstance(error, Conflict | NotFound) and thread_ids:
        return f"twelvefold threads show {visible(short(thread_ids[-1]))}"
    for kind, command in _NEXT:
        if isinstance(error, kind):
            return command
    return "the same command with --debug, for the traceback" if code_of(error) == FAILED else None
