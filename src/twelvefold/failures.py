"""What goes wrong, as one short line that a model can read. No stack traces."""

from twelvefold.exceptions import NothingHappened, StepRefused
from twelvefold.policy import Risk

ERROR_CHARS_MAX = 500


def short(error: BaseException) -> str:
    """`Type: message` on one line; what is cut off is said."""
    if isinstance(error, StepRefused):
        return clip(error.detail)
    message = " ".join(str(error).split())
    name = type(error).__name__
    return clip(f"{name}: {message}" if message else name)


def clip(text: str) -> str:
    if len(text) <= ERROR_CHARS_MAX:
        return text
    return f"{text[:ERROR_CHARS_MAX]} ... ({len(text) - ERROR_CHARS_MAX} more characters)"


def is_certain(error: BaseException, *, risk: Risk, retry_safe: bool) -> bool:
    """Whether this exception of a tool proves that its effect did not take place.

    A tool of medium or high risk that cannot simply be repeated must say so with `NothingHappened`;
    anything else it raises (a timeout after the request was sent, say) leaves the outcome unknown.
    """
    return risk == "low" or retry_safe or isinstance(error, NothingHappened)
