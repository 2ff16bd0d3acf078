"""The options of `run(...)`: what cannot be meant is refused before anything has begun."""

from typing import Any

from twelvefold.effects import Run
from twelvefold.exceptions import WrongDecision

ATTEMPTS_MAX = 10
TIMEOUT_S_MAX = 7 * 24 * 3600.0


def check_options(run: Run[Any]) -> None:
    """Raises `WrongDecision`."""
    attempts, timeout_s = run.attempts, run.timeout_s
    if not 1 <= attempts <= ATTEMPTS_MAX:
        raise WrongDecision(
            f"run({run.name}, attempts={attempts}): between 1 and ATTEMPTS_MAX = {ATTEMPTS_MAX}."
        )
    if attempts > 1 and not run.retry_safe:
        raise WrongDecision(
            f"run({run.name}, attempts={attempts}) would repeat an effect: add retry_safe=True if"
            " the outside world honours call.key, or leave attempts out."
        )
    if timeout_s is not None and not 0 < timeout_s <= TIMEOUT_S_MAX:
        raise WrongDecision(
            f"run({run.name}, timeout_s={timeout_s}): more than 0 and at most TIMEOUT_S_MAX ="
            f" {TIMEOUT_S_MAX:.0f} s."
        )
