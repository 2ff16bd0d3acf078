"""What goes wrong, as one short line that a model can read. No stack traces."""

import errno
import inspect
from collections.abc import Callable
from functools import partial
from pathlib import PurePath
from types import CodeType
from typing import Any

from twelvefold.exceptions import NothingHappened, StepRefused
from twelvefold.policy import Risk

ERROR_CHARS_MAX = 500
CAUSES_MAX = 8
"""How many errors behind an error are looked at."""

_TRANSIENT = (ConnectionError, TimeoutError, BlockingIOError, InterruptedError)
_TRANSIENT_ERRNOS = frozenset(
    {errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH}
    | {errno.EBUSY}
)


def short(error: BaseException, *, without: Callable[[str], str] = str) -> str:
    """`Type: message` on one line; what is cut off is said. `without` takes secrets out first."""
    if isinstance(error, StepRefused):
        return clip(error.detail)
    message = " ".join(without(_text(error)).split())
    name = type(error).__name__
    return clip(f"{name}: {message}" if message else name)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # a broken __str__ must not cost the outcome
        return f"its text raises {type(broken).__name__}"


def clip(text: str) -> str:
    if len(text) <= ERROR_CHARS_MAX:
        return text
    return f"{text[:ERROR_CHARS_MAX]} ... ({len(text) - ERROR_CHARS_MAX} more characters)"


def place_of(function: Callable[..., Any]) -> str:
    """`folder/file.py, line 12`: where a function begins; "" for one that is not written in
    Python. Not the whole path, so that a log says the same on every machine."""
    code = _code_of(function)
    return "" if code is None else _place(code, code.co_firstlineno)


def raised_in(error: BaseException, function: Callable[..., Any]) -> str:
    """The innermost line of the file of `function` that the error came through; "" for none."""
    code, trace, place = _code_of(function), error.__traceback__, ""
    while code is not None and trace is not None:
        if trace.tb_frame.f_code.co_filename == code.co_filename:
            place = _place(code, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _code_of(function: Callable[..., Any]) -> CodeType | None:
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    written = function if hasattr(function, "__code__") else type(function).__call__
    return getattr(written, "__code__", None)


def _place(code: CodeType, line: int) -> str:
    return f"{'/'.join(PurePath(code.co_filename).parts[-2:])}, line {line}"


def is_certain(error: BaseException, *, risk: Risk, retry_safe: bool) -> bool:
    """Whether this exception of a tool proves that its effect did not take place.

    A tool of medium or high risk that cannot simply be repeated must say so with `NothingHappened`;
    anything else it raises (a timeout after the request was sent, say) leaves the outcome unknown.
    """
    return risk == "low" or retry_safe or isinstance(error, NothingHappened)


def is_transient(error: BaseException) -> bool:
    """Whether trying once more may help: a connection or a time that failed, in the error itself
    or behind it (`raise ... from`), as HTTP libraries wrap them.

    A missing file or permission is not transient, and neither is what a tool called certain.
    """
    for _ in range(CAUSES_MAX):
        if isinstance(error, NothingHappened):
            return False
        if isinstance(error, _TRANSIENT):
            return True
        if isinstance(error, OSError) and error.errno in _TRANSIENT_ERRNOS:
            return True
        behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if behind is None:
            return False
        error = behind
    return False
