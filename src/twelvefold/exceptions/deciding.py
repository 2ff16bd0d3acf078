"""What stops a decision, a tool, a model or a file."""

from typing import Any

from twelvefold.exceptions.root import TwelvefoldError


class WrongDecision(TwelvefoldError):
    """`decide` returned what cannot begin. Correct `decide`, then `twelvefold retry` the thread."""


class NotReady(WrongDecision):
    """An effect names a step that is not ready here. Pass the very object from `state.ready`."""


class RiskWall(WrongDecision):
    """A risky step would run unapproved: return `Approve(step, ...)` or `run(ungated="why")`."""


class DecideNeverWaits(WrongDecision):
    """`decide` made too many decisions, none that waits. Look for a step that is never settled."""


class NewerEvent(TwelvefoldError):
    """A newer twelvefold wrote in this thread. Upgrade this one, then `twelvefold retry` it."""


class InvalidFile(TwelvefoldError):
    """Not one whole exported thread, or a forbidden edit. Correct the line that is named."""


class InvalidCase(TwelvefoldError):
    """A file of cases is wrong, or a fact cannot happen there. Correct the line that it names."""


class Unstorable(TwelvefoldError):
    """JSON cannot hold this value exactly. Return text, numbers, lists and maps with text keys."""


class BadAttachment(TwelvefoldError):
    """No bytes, no file, no media type, or too large. The message says which; nothing was kept."""


class StepRefused(TwelvefoldError):
    """A model's reply is not one step of the union. `reason` is a word, `detail` for the model."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


class ModelFailed(TwelvefoldError):
    """A model call brought no reply, after every try it had: a counted event. Try again later, or
    put a second model behind it with `fallback`.

    `reason` is one word (`rate_limited`, `unavailable`, `timeout`, `bad_request`, ...). `passes`:
    the same call may succeed a little later. `attempts` are `messages.Attempt`.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        attempts: tuple[Any, ...] = (),
        status: int | None = None,
        passes: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail, self.attempts = reason, detail, attempts
        self.status, self.passes, self.retry_after_s = status, passes, retry_after_s


class NotRendered(TwelvefoldError):
    """`context.render` did not write this. Pass its text whole, and none of another renderer."""


class PromptError(TwelvefoldError):
    """A prompt file or one of its variables is wrong. The message names the file and line."""


class ToolFailed(TwelvefoldError):
    """A tool of an MCP server answered with an error. Read what it says; `errors_are_final` where
    that means that nothing happened."""


class NothingHappened(TwelvefoldError):
    """Raise this in a tool whose effect did certainly not take place: it may be chosen again."""
