"""How far the next request of a thread is from what was foretold, with and without calibration."""

from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.o200k import count
from twelvefold.context import render
from twelvefold.context.calibration import calibrate
from twelvefold.context.tokens import estimate
from twelvefold.thread import Draft, Json, Thread

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TURNS = 10
FIXED = "You are the assistant of a warehouse. Choose the next step, and say why.\n" * 6
"""What is sent besides the context."""


@dataclass(frozen=True)
class Foretold:
    """Tokens of a thread's next request: by o200k, by the estimator, by its own calibration."""

    true: int
    estimated: int
    calibrated: int

    @property
    def off_estimated(self) -> float:
        return self.estimated / self.true - 1

    @property
    def off_calibrated(self) -> float:
        return self.calibrated / self.true - 1


def foretold(text: str) -> Foretold:
    """The last request of a thread in which tools returned this text in pieces, as it was foretold
    from the requests before it."""
    thread = _thread(text)
    context = estimate(render(thread))
    return Foretold(
        true=_true(thread),
        estimated=estimate(FIXED) + context,
        calibrated=calibrate(thread).tokens(context),
    )


def _thread(text: str) -> Thread:
    """Each turn reports what its request had in truth."""
    thread = Thread("t", "bot").then(_draft("message_received", text="What of the order?"))
    for turn in range(TURNS):
        piece = text[turn * len(text) // TURNS : (turn + 1) * len(text) // TURNS]
        data: dict[str, Json] = {"intent": "look", "args": {"page": turn}, "model": "m"}
        chosen = _draft("next_step_chosen", **data, usage={"input": _true(thread)})
        chosen.after = thread.head
        thread = thread.then(chosen, _draft("tool_returned", intent="look", result=piece))
    return thread


def _true(thread: Thread) -> int:
    return count(FIXED) + count(render(thread))


def _draft(type: str, **data: Json) -> Draft:
    return Draft(type, data, NOON)
