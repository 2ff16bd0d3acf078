"""Schedules: cron in a time zone, and what is done about slots that passed unseen. Pure.

A slot is a moment at which a schedule is due. One slot is one thread, whose id names it, so however
often a slot is found due it is launched once.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from twelvefold.exceptions import ConfigurationError
from twelvefold.store import Append, Create, Due, Timer
from twelvefold.thread import DEFAULT_TENANT, Draft, Json, to_iso

Missed = Literal["run_once", "skip"]

CRON_FIELDS = 5
SLOTS_MAX = 100
"""Missed slots that are named; of more, the newest."""
LOOK_BACK = timedelta(hours=1)
"""How far back missed slots are looked for at first; each further look goes four times as far."""
LATE_MAX = timedelta(minutes=1)
"""A slot that is found due later than this has been missed."""

_TIMERS = "cron:"
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: no i, l, o, u
_ENDING_CHARS = 6


@dataclass(frozen=True, slots=True)
class Schedule:
    """Launch `agent` with `input` at every slot of `cron` (five fields) in `zone` (an IANA name).

    `missed` says what follows when nothing ran at a slot. "run_once": the newest missed slot is
    launched, and its message names those that it stands for. "skip": nothing runs; the missed slots
    are kept in a thread that has already ended. Raises `ConfigurationError`.
    """

    name: str
    agent: str
    cron: str
    input: str
    zone: str = "UTC"
    missed: Missed = "run_once"
    tenant: str = DEFAULT_TENANT

    def __post_init__(self) -> None:
        if not self.name.replace("-", "").replace("_", "").isalnum():
            raise ConfigurationError(
                f"{self.name!r} cannot name a schedule: use letters, digits, - and _."
            )
        if self.missed not in ("run_once", "skip"):
            raise ConfigurationError(
                f"{self.name}: missed={self.missed!r} is neither 'run_once' nor 'skip'."
            )
        self.next_after(_ANY_TIME)

    @property
    def timer(self) -> str:
        """The key of its timer. It changes with the cron line, so that a new line is armed anew."""
        line = hashlib.sha256(f"{self.cron} {self.zone}".encode()).hexdigest()
        return f"{_TIMERS}{self.name}:{line[:12]}"

    def next_after(self, at: datetime) -> datetime:
        """The first slot after `at`, in UTC.

        Times of day that the clocks skip in spring run when the clocks have jumped; those that come
        twice in autumn run once. With a star in the minutes or hours it is the clock on the wall
        that counts: skipped hours have no slots, and hours that come twice have them twice.
        """
        for slot in self._slots(at):
            return slot
        raise ConfigurationError(f"{self.name}: cron {self.cron!r} is never due.")

    def slots(self, first: datetime, upto: datetime) -> list[datetime]:
        """The slots from `first`, which is one, up to `upto`: the newest `SLOTS_MAX` of them."""
        back = LOOK_BACK
        while back < upto - first:
            found = self._between(upto - back, upto)
            if len(found) >= SLOTS_MAX:
                return found[-SLOTS_MAX:]
            back *= 4
        return [first, *self._between(first, upto)][-SLOTS_MAX:]

    def thread_id(self, slot: datetime) -> str:
        """One slot, one thread. Its ending differs from slot to slot, as people name threads by
        it."""
        named = hashlib.sha256(f"{self.name} {to_iso(slot)}".encode()).digest()
        ending = "".join(_ALPHABET[byte % 32] for byte in named[:_ENDING_CHARS])
        return f"{self.name}-{slot:%Y%m%dT%H%MZ}-{ending}"

    def _between(self, after: datetime, upto: datetime) -> list[datetime]:
        found: list[datetime] = []
        for slot in self._slots(after):
            if slot > upto:
                break
            found.append(slot)
        return found

    def _slots(self, after: datetime) -> Iterator[datetime]:
        """Slots after `after`, without end, each once and in order."""
        newest = after
        for slot in self._cron(after):
            # cronsim names a skipped time of day where the clocks have jumped to, even where that
            # is a slot already, and gives the first 02:30 to who asks after the second 02:00.
            if (at := slot.astimezone(UTC)) > newest:
                newest = at
                yield at

    def _cron(self, after: datetime) -> Iterator[datetime]:
        try:
            from cronsim import CronSim
        except ImportError as error:
            raise ConfigurationError("Schedules need: pip install 'twelvefold[cron]'") from error
        try:
            zone = ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError) as error:
            raise ConfigurationError(f"{self.name}: no time zone {self.zone!r}: {error}") from error
        if len(self.cron.split()) != CRON_FIELDS:
            raise ConfigurationError(
                f"{self.name}: cron {self.cron!r} has not five fields: minute, hour, day of the"
                " month, month, day of the week."
            )
        try:
            return CronSim(self.cron, after.astimezone(zone))
        except Exception as error:  # strange fields make it fail in its own ways
            raise ConfigurationError(f"{self.name}: cron {self.cron!r}: {error}") from error


@dataclass(frozen=True, slots=True)
class Firing:
    """What a due schedule means: an append that launches a thread (or, unless `runs`, only records)
    and arms the next slot."""

    append: Append
    missed: tuple[datetime, ...]
    runs: bool


def fire_schedule(schedule: Schedule, due: datetime, *, now: datetime) -> Firing:
    """Launch the newest slot that is due, or record that it was missed; arm the next one.

    All in one append: no slot without its successor.
    """
    slots = schedule.slots(due, now)
    newest = slots[-1]
    late = now - newest > LATE_MAX
    missed = tuple(slots if late else slots[:-1])
    runs = not (late and schedule.missed == "skip")
    drafts = [Draft("message_received", _told(schedule, slots, missed), now, key="launch")]
    if not runs:
        note = f"Nothing ran: {_counted(len(missed))} missed and skipped."
        drafts.append(Draft("finished", {"message": note, "saw": 1}, now))
    append = Append(
        schedule.thread_id(newest),
        drafts,
        tenant=schedule.tenant,
        create=Create(schedule.agent),
        wake=runs,
        arms=(Timer(schedule.timer, schedule.next_after(now)),),
    )
    return Firing(append, missed, runs)


def _told(
    schedule: Schedule, slots: list[datetime], missed: Collection[datetime]
) -> dict[str, Json]:
    told: dict[str, Json] = {
        "channel": "schedule",
        "schedule": schedule.name,
        "slot": to_iso(slots[-1]),
        "text": schedule.input,
    }
    if missed:
        told["missed"] = [to_iso(slot) for slot in missed]
    return told


def _counted(slots: int) -> str:
    if slots == 1:
        return "1 slot was"
    return f"{slots} slots were" if slots < SLOTS_MAX else f"{slots} slots or more were"


def says_missed(schedule: Schedule, firing: Firing) -> str:
    """For the log: which slots passed unseen, and what is done about it."""
    named = ", ".join(f"{slot:%Y-%m-%dT%H:%MZ}" for slot in firing.missed)
    done = "the newest slot runs" if firing.runs else "nothing runs"
    return f"schedule {schedule.name}: {_counted(len(firing.missed))} missed ({named}); {done}"


def checked(schedules: Iterable[Schedule], agents: Collection[str]) -> tuple[Schedule, ...]:
    """The schedules of an application. Raises `ConfigurationError`."""
    given = tuple(schedules)
    for n, schedule in enumerate(given):
        if schedule.agent not in agents:
            known = ", ".join(agents) or "none"
            raise ConfigurationError(
                f"schedule {schedule.name}: there is no agent {schedule.agent!r}; known: {known}."
            )
        if any(schedule.name == other.name for other in given[:n]):
            raise ConfigurationError(f"two schedules have the name {schedule.name}; rename one.")
    return given


@dataclass(frozen=True, slots=True)
class Arming:
    """Timers to set and to drop, so that a store has those of today's schedules and no others."""

    arm: tuple[tuple[Schedule, Timer], ...]
    drop: tuple[Due, ...]


def arming(schedules: Iterable[Schedule], armed: Iterable[Due], *, now: datetime) -> Arming:
    """A schedule that is armed stays so, due or not: what it missed meanwhile is found when it
    fires.

    One that is armed for later than its next slot was armed by a clock that was ahead, and moves.
    """
    by_key: Mapping[Any, Due] = {(due.ref.tenant, due.key): due for due in armed}
    arm: list[tuple[Schedule, Timer]] = []
    kept: set[Any] = set()
    for schedule in schedules:
        place = (schedule.tenant, schedule.timer)
        kept.add(place)
        following = schedule.next_after(now)
        if place not in by_key or by_key[place].due > following:
            arm.append((schedule, Timer(schedule.timer, following)))
    drop = tuple(
        due for place, due in by_key.items() if place not in kept and due.key.startswith(_TIMERS)
    )
    return Arming(tuple(arm), drop)
