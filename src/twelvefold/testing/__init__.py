"""Fakes and proofs for tests of agents: stores, models and channels that need nothing outside."""

from twelvefold.testing.channels import Postbox
from twelvefold.testing.clock import Clock
from twelvefold.testing.crash import Fault, Matrix, crash_matrix
from twelvefold.testing.finishing import finishes
from twelvefold.testing.given import (
    answered,
    approved,
    asked,
    began,
    chose,
    chosen,
    decision,
    denied,
    edited,
    event,
    failed,
    finished,
    given,
    killed,
    later,
    message,
    overdue,
    returned,
    said,
    started,
)
from twelvefold.testing.logs import put
from twelvefold.testing.memory import MemoryStore
from twelvefold.testing.past import OWNER, START, TICK, Fact, Past
from twelvefold.testing.playing import ended, play, told
from twelvefold.testing.race import Race, race
from twelvefold.testing.receivers import Letterbox
from twelvefold.testing.replays import replays
from twelvefold.testing.scenario import Build, Point, Scenario
from twelvefold.testing.snapshots import snapshot

__all__ = [
    "OWNER",
    "START",
    "TICK",
    "Build",
    "Clock",
    "Fact",
    "Fault",
    "Letterbox",
    "Matrix",
    "MemoryStore",
    "Past",
    "Point",
    "Postbox",
    "Race",
    "Scenario",
    "answered",
    "approved",
    "asked",
    "began",
    "chose",
    "chosen",
    "crash_matrix",
    "decision",
    "denied",
    "edited",
    "ended",
    "event",
    "failed",
    "finished",
    "finishes",
    "given",
    "killed",
    "later",
    "message",
    "overdue",
    "play",
    "put",
    "race",
    "replays",
    "returned",
    "said",
    "snapshot",
    "started",
    "told",
]
