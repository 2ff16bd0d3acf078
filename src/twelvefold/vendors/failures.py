"""What a vendor's error means: tried again, counted, or something that only a person can mend."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isnan

from twelvefold.exceptions import ModelFailed, SchemaRefused, TwelvefoldError, UnusableModel
from twelvefold.failures import clip

CAUSES_MAX = 8
_PASSING = frozenset({408, 409, 429})
_SCHEMA = re.compile(r"schema|response_format|output_config|output_format|tool_choice", re.I)
_TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|prompt is too long|context window"
    r"|exceed context limit|exceeds the maximum number of tokens",
    re.I,
)
# Not "quota" or "billing": Gemini says both of a limit per minute.
_NO_CREDIT = re.compile(r"insufficient_quota|credit balance", re.I)
_BAD_KEY = re.compile(r"api.key.(?:not valid|invalid|expired)|invalid.api.key", re.I)


@dataclass(frozen=True, slots=True)
class Answered:
    """An error that a vendor answered with. `said` is its message, `code` its own word for it.

    `model` and `key_name` are for the person who reads it; `secret` is taken out of what it says.
    """

    vendor: str
    model: str
    status: int
    said: str
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    retry_after_s: float | None = None
    key_name: str = "the API key"
    secret: str | None = None
    schema_sent: bool = False

    @property
    def text(self) -> str:
        said = " ".join(self.said.split())
        if self.secret:
            said = said.replace(self.secret, "***")
        return clip(f"{self.vendor} answered {self.status}: {said}".removesuffix(": "))

    @property
    def sentence(self) -> str:
        """The text where another sentence follows."""
        return self.text if self.text.endswith((".", "!", "?")) else f"{self.text}."


def failure_of(answered: Answered) -> TwelvefoldError:
    """The exception to raise for this answer."""
    status, everything = answered.status, f"{answered.code} {answered.said}"
    if status == 402 or (status in {400, 403, 429} and _NO_CREDIT.search(everything)):
        return UnusableModel(
            f"{answered.sentence} The account has no credit for this call; add some."
        )
    if status in {401, 403} or (status == 400 and _BAD_KEY.search(everything)):
        return UnusableModel(
            f"{answered.sentence} Set {answered.key_name} to a key that may use it."
        )
    if status == 404:
        return UnusableModel(
            f"{answered.sentence} Is {answered.model!r} a model of this vendor, and the base_url"
            " right?"
        )
    if status == 413 or (status in {400, 422} and _TOO_LONG.search(everything)):
        return ModelFailed("too_long", answered.text, status=status)
    if status in {400, 422} and answered.schema_sent and _SCHEMA.search(everything):
        return SchemaRefused(
            f"{answered.sentence} Change the steps as it says, or use mode='prompt', which sends no"
            " schema."
        )
    return _passing(answered) or ModelFailed("bad_request", answered.text, status=status)


def _passing(answered: Answered) -> ModelFailed | None:
    status = answered.status
    if status not in _PASSING and status < 500:
        return None
    return ModelFailed(
        "rate_limited" if status == 429 else "unavailable",
        answered.text,
        status=status,
        passes=answered.headers.get("x-should-retry") != "false",
        retry_after_s=answered.retry_after_s or retry_after_s(answered.headers),
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The pause that a vendor asks for: in milliseconds, in seconds, or as a date."""
    with suppress(KeyError, ValueError):
        return _number(headers["retry-after-ms"]) / 1000
    given = headers.get("retry-after")
    if given is None:
        return None
    with suppress(ValueError):
        return _number(given)
    with suppress(ValueError):
        at = parsedate_to_datetime(given)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return (at - datetime.now(UTC)).total_seconds()
    return None


def _number(text: str) -> float:
    """Raises `ValueError`, also for a pause of NaN seconds, which would never end."""
    number = float(text)
    if isnan(number):
        raise ValueError("no number")
    return number


def unreachable(error: BaseException, vendor: str) -> ModelFailed | None:
    """What an error of the connection means; None when it is no such error.

    HTTP libraries are told by their names, since a vendor's SDK may change the one that it uses.
    """
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & {"APITimeoutError", "TimeoutException", "TimeoutError"}:
        detail = f"{vendor} did not answer in time."
        return ModelFailed("timeout", detail, passes=True)
    if names & {"APIConnectionError", "TransportError", "ConnectionError"}:
        detail = clip(f"{vendor} cannot be reached: {_innermost(error)}")
        return ModelFailed("unavailable", detail, passes=True)
    return None


def _innermost(error: BaseException) -> str:
    for _ in range(CAUSES_MAX):
        behind = error.__cause__ or error.__context__
        if behind is None:
            break
        error = behind
    if type(error).__name__ == "LocalProtocolError":  # it quotes headers, and so the key
        return "LocalProtocolError: the request is no HTTP"
    return f"{type(error).__name__}: {error}".removesuffix(": ")
