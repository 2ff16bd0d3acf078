"""What is asked again, and when. A request that changes something carries its key each time, so it
is done once, however often it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass

TRIES_MAX = 8
RECONNECTS_MAX = 20
WAIT_FIRST_S = 0.2
WAIT_MAX_S = 30.0
"""Who is told to come back later than that is told so, and does not wait."""

PASSING = frozenset({429, 502, 503, 504})
"""Statuses that say nothing about the request itself."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How patient a client is: tries of one request, or of a stream that brings nothing
    (`reconnects_max`), and the pauses between them, which double."""

    tries_max: int = TRIES_MAX
    reconnects_max: int = RECONNECTS_MAX
    wait_first_s: float = WAIT_FIRST_S
    wait_max_s: float = WAIT_MAX_S

    def pause_s(
        self, tries: int, *, of: int, told_s: float | None = None, chance: float = 1.0
    ) -> float | None:
        """How long to wait after so many tries `of` those there are; None to give up.

        `told_s`: what the server says. `chance` is between 0 and 1, so that many clients do not
        come back at once.
        """
        if tries >= of or (told_s is not None and told_s > self.wait_max_s):
            return None
        own_s = min(self.wait_first_s * 2 ** (tries - 1), self.wait_max_s) * (1 + chance) / 2
        return own_s if told_s is None else max(told_s, own_s)


def told_s(headers: Mapping[str, str]) -> float | None:
    """The seconds of `Retry-After`. A date there is not read: the pauses of our own do."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def may_pass(status: int, problem: Mapping[str, object]) -> bool:
    """Whether the same request may succeed a little later."""
    return status in PASSING or problem.get("retryable") is True
