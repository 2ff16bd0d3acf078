"""How long a worker may be silent, and how often everybody looks."""

from dataclasses import dataclass

STALL_S = 9.0
"""A worker that was silent for that long is taken for dead."""
BEATS_PER_STALL = 3
REAP_S_MAX = 1.0
DEEP_SWEEP_S = 15.0
"""How often the threads themselves are looked through, not only their wakes."""
POLL_S = 1.0
"""How often a worker looks at the queue although it heard nothing."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Takeover after a kill takes up to `stall_s` and a look, which comes every `reap_s`."""

    stall_s: float = STALL_S
    deep_sweep_s: float = DEEP_SWEEP_S

    @property
    def beat_s(self) -> float:
        return self.stall_s / BEATS_PER_STALL

    @property
    def reap_s(self) -> float:
        return min(REAP_S_MAX, self.beat_s)
