"""How the gateway behaves."""

from dataclasses import dataclass

from twelvefold.exceptions import ConfigurationError

POLL_MS = 1_000
WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set.

    - `name`: what it calls itself to clients.
    - `poll_ms`: how often a client is to look at a task.
    - `wait_s`: how long a call without a task waits for its thread.
    """

    name: str = "twelvefold"
    poll_ms: int = POLL_MS
    wait_s: float = WAIT_S

    def __post_init__(self) -> None:
        if self.poll_ms < 1 or self.wait_s < 0:
            raise ConfigurationError("poll_ms is at least 1, and wait_s not negative.")
