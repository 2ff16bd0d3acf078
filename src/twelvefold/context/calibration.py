"""What estimates of this thread are worth: the usage that its replies report, against the estimates
of what they had read. Pure: the same log gives the same calibration.

The least squares of `reported = fixed + factor * estimated` over a few replies of the newest model;
`fixed` is all that is sent besides the context: the prompt, the schema, what the provider adds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twelvefold.context import render
from twelvefold.context.budget import Count
from twelvefold.context.tokens import estimate
from twelvefold.thread import Event, Json, Thread

REPLIES_MAX = 8
"""So many contexts are rendered and counted again, spread over the log; the newest is one."""

FACTOR_MIN, FACTOR_MAX = 0.5, 2.0
"""Beyond these, something else than the tokenizer differs, and the factor is not believed."""

SIZES_MIN = 0.05
"""Contexts that differ less than by this share say little about the factor."""

Point = tuple[int, int]
"""The estimate of a context, and the tokens that the reply to it reported."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How estimates become tokens. `replies`: how many it rests on; without any it changes
    nothing."""

    factor: float = 1.0
    fixed: int = 0
    replies: int = 0

    def tokens(self, estimated: int) -> int:
        """What a whole request with a context of so many estimated tokens will take."""
        return self.fixed + round(self.factor * estimated)

    def room(self, tokens_max: int) -> int:
        """How many estimated tokens a context may have in a request of `tokens_max`: what
        `within` takes."""
        return max(int((tokens_max - self.fixed) / self.factor), 0)


def calibrate(
    thread: Thread,
    context: Callable[[Thread], str] = render,
    *,
    count: Count = estimate,
) -> Calibration:
    """From the replies in a thread. `context` must render what was sent, without a calibration of
    its own."""
    points = [
        (count(context(thread.upto(event.after or 0))), event.data["usage"]["input"])
        for event in _spread(_replies(thread.events))
    ]
    return _fitted(points) if points else Calibration()


def _replies(events: Sequence[Event]) -> list[Event]:
    """Those to the question of the next step, by the model that answered last."""
    found = [e for e in events if e.type == "next_step_chosen" and _input(e) and e.after]
    return [e for e in found if e.data.get("model") == found[-1].data.get("model")]


def _input(event: Event) -> int:
    usage: Json = event.data.get("usage") or {}
    return usage.get("input", 0)


def _spread(replies: list[Event]) -> list[Event]:
    """At most `REPLIES_MAX`, evenly from the newest to the oldest."""
    if len(replies) <= REPLIES_MAX:
        return replies
    newest, steps = len(replies) - 1, REPLIES_MAX - 1
    return [replies[newest * n // steps] for n in range(REPLIES_MAX)]


def _fitted(points: Sequence[Point]) -> Calibration:
    """The less the contexts differ in size, the more the factor stays at 1, and all that differs is
    taken for what is fixed."""
    n = len(points)
    mean_estimated, mean_reported = (sum(column) / n for column in zip(*points, strict=True))
    spread = sum((estimated - mean_estimated) ** 2 for estimated, _ in points)
    common = sum((e - mean_estimated) * (r - mean_reported) for e, r in points)
    prior = n * (SIZES_MIN * mean_estimated) ** 2
    factor = (common + prior) / (spread + prior) if prior else 1.0
    if factor * mean_estimated > mean_reported:  # nothing fixed can be less than nothing
        factor = mean_reported / mean_estimated
    factor = min(max(factor, FACTOR_MIN), FACTOR_MAX)
    fixed = max(round(mean_reported - factor * mean_estimated), 0)
    return Calibration(factor, fixed, n)
