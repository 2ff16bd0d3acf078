"""Schedules without a clock: slots, time changes, what was missed, what is armed."""

import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twelvefold.exceptions import ConfigurationError
from twelvefold.schedules import (
    LATE_MAX,
    SLOTS_MAX,
    Schedule,
    arming,
    checked,
    fire_schedule,
    says_missed,
)
from twelvefold.store import Due, Ref, Timer

HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def cron(line: str, zone: str = "UTC", **options: Any) -> Schedule:
    return Schedule("nightly", "crew", line, "Look around.", zone=zone, **options)


def following(schedule: Schedule, after: datetime, count: int) -> list[str]:
    """The next slots, in UTC."""
    found: list[str] = []
    for _ in range(count):
        after = schedule.next_after(after)
        found.append(f"{after:%d %H:%M}")
    return found


# Slots


def test_a_slot_is_after_the_moment_that_is_asked_about():
    nine = cron("0 9 * * *")

    assert nine.next_after(at("2026-11-20 08:59:59.999999")) == at("2026-11-20 09:00")
    assert nine.next_after(at("2026-11-20 09:00")) == at("2026-11-21 09:00")
    assert nine.next_after(at("2026-11-20 09:00:00.000001")) == at("2026-11-21 09:00")


def test_a_slot_is_a_time_of_day_in_its_zone():
    workdays = cron("30 9 * * 1-5", "Asia/Kolkata")

    # Friday, then Monday, at 09:30 in Kolkata
    assert following(workdays, at("2026-11-20 00:00"), 2) == ["20 04:00", "23 04:00"]


@pytest.mark.parametrize(
    ("line", "zone", "after", "slots"),
    [
        # Spring: Berlin jumps from 02:00 to 03:00 at 01:00 UTC on 2026-03-29.
        ("0 2 * * *", "Europe/Berlin", "2026-03-28 12:00", ["29 01:00", "30 00:00"]),
        ("30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", ["29 01:00", "30 00:30"]),
        ("15,45 2 * * *", "Europe/Berlin", "2026-03-28 12:00", ["29 01:00", "30 00:15"]),
        ("0 2,3 * * *", "Europe/Berlin", "2026-03-28 12:00", ["29 01:00", "30 00:00"]),
        ("0 * * * *", "Europe/Berlin", "2026-03-28 23:30", ["29 00:00", "29 01:00", "29 02:00"]),
        ("*/30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", ["30 00:00", "30 00:30"]),
        # New York, 07:00 UTC on 2026-03-08.
        ("0 2 * * *", "America/New_York", "2026-03-07 12:00", ["08 07:00", "09 06:00"]),
        # Cairo jumps at midnight: 2026-04-24 begins at 01:00.
        ("0 0 * * *", "Africa/Cairo", "2026-04-23 12:00", ["23 22:00", "24 21:00"]),
        # Lord Howe jumps by half an hour: 02:00 to 02:30 at 15:30 UTC on 2026-10-03.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03 00:00", ["03 15:30", "04 15:15"]),
        # Autumn: Berlin has 02:00-03:00 twice, at 00:00 and at 01:00 UTC on 2026-10-25.
        ("0 2 * * *", "Europe/Berlin", "2026-10-24 12:00", ["25 00:00", "26 01:00"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", ["25 00:30", "26 01:30"]),
        ("0 3 * * *", "Europe/Berlin", "2026-10-24 12:00", ["25 02:00", "26 02:00"]),
        ("0 * * * *", "Europe/Berlin", "2026-10-24 23:30", ["25 00:00", "25 01:00", "25 02:00"]),
        (
            "*/30 2 * * *",
            "Europe/Berlin",
            "2026-10-24 12:00",
            ["25 00:00", "25 00:30", "25 01:00", "25 01:30", "26 01:00"],
        ),
        ("30 1 * * *", "America/New_York", "2026-10-31 12:00", ["01 05:30", "02 06:30"]),
        # UTC knows no change.
        ("30 2 * * *", "UTC", "2026-10-24 12:00", ["25 02:30", "26 02:30"]),
    ],
)
def test_slots_around_a_time_change(line: str, zone: str, after: str, slots: list[str]):
    assert following(cron(line, zone), at(after), len(slots)) == slots


def test_who_asks_in_the_second_double_hour_gets_no_slot_of_the_first():
    half_past_two = cron("30 2 * * *", "Europe/Berlin")

    # 01:10 UTC is 02:10 for the second time; the slot was at 00:30 UTC.
    assert half_past_two.next_after(at("2026-10-25 01:10")) == at("2026-10-26 01:30")


LINES = st.sampled_from(
    ["0 2 * * *", "30 2 * * *", "*/15 * * * *", "0 * * * *", "5,50 1-3 * * *", "*/20 2 * * 0"]
)
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe"]
)
CHANGES = st.sampled_from(["2026-03-08", "2026-03-29", "2026-04-24", "2026-10-25", "2026-11-01"])


@settings(max_examples=80, deadline=None)
@given(line=LINES, zone=ZONES, day=CHANGES, minutes=st.integers(-600, 600))
def test_slots_do_not_depend_on_when_they_are_asked_for(line, zone, day, minutes):
    schedule = cron(line, zone)
    now = at(day) + timedelta(minutes=minutes)
    slots = [schedule.next_after(at(day) - timedelta(hours=36))]
    while slots[-1] < now + HOUR:
        slots.append(schedule.next_after(slots[-1]))

    assert all(one < other for one, other in pairwise(slots))
    assert schedule.next_after(now) == next(slot for slot in slots if slot > now)
    assert schedule.slots(slots[0], slots[-1]) == slots[-SLOTS_MAX:]
    later = slots[len(slots) // 2 :]
    assert schedule.slots(later[0], later[-1]) == later[-SLOTS_MAX:]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"line": "0 9 * *"}, "has not five fields"),
        ({"line": "0 0 9 * * *"}, "has not five fields"),
        ({"line": "61 9 * * *"}, "Bad minute"),
        ({"line": "0 0 31 2 *"}, "Bad day-of-month"),
        ({"line": "0 9 * * MON#2/3"}, "cron '0 9"),
        ({"line": "0 0 */31 2 MON#5"}, "is never due"),
        ({"zone": "Europe/Bern"}, "no time zone 'Europe/Bern'"),
        ({"zone": ""}, "no time zone"),
        ({"zone": "../zone"}, "no time zone"),
        ({"missed": "all"}, "neither 'run_once' nor 'skip'"),
    ],
)
def test_a_wrong_schedule_says_what_is_wrong(options: dict[str, Any], says: str):
    with pytest.raises(ConfigurationError, match=says):
        cron(**({"line": "0 9 * * *"} | options))


@pytest.mark.parametrize("name", ["", "-", "a.b", "@last", "a b"])
def test_a_name_must_do_as_the_beginning_of_thread_ids(name: str):
    with pytest.raises(ConfigurationError, match="cannot name a schedule"):
        Schedule(name, "crew", "0 9 * * *", "go")


def test_without_cronsim_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "cronsim", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'twelvefold\[cron\]'"):
        cron("0 9 * * *")


# Firing


def launched(schedule: Schedule, due: str, now: str) -> dict[str, Any]:
    """The message of the thread that is launched."""
    append = fire_schedule(schedule, at(due), now=at(now)).append
    return append.drafts[0].data


def test_a_slot_that_is_met_launches_a_thread_and_arms_the_next():
    hourly = cron("0 * * * *", tenant="acme")

    firing = fire_schedule(hourly, at("2026-11-20 09:00"), now=at("2026-11-20 09:00:00.04"))

    append = firing.append
    assert [(draft.type, draft.key) for draft in append.drafts] == [("message_received", "launch")]
    assert append.drafts[0].data == {
        "channel": "schedule",
        "schedule": "nightly",
        "slot": "2026-11-20T09:00:00.000000Z",
        "text": "Look around.",
    }
    assert (append.tenant, append.create.agent, append.wake) == ("acme", "crew", True)
    assert append.arms == (Timer(hourly.timer, at("2026-11-20 10:00")),)
    assert (firing.missed, firing.runs) == ((), True)


def test_a_slot_names_its_thread_and_every_ending_differs():
    daily = cron("0 2 * * *")
    slots = daily.slots(at("2026-01-01 02:00"), at("2026-03-01 02:00"))
    ids = [daily.thread_id(slot) for slot in slots]

    assert ids[0].startswith("nightly-20260101T0200Z-")
    assert len({id[-6:] for id in ids}) == len(ids) == 60
    assert daily.thread_id(slots[0].astimezone(ZoneInfo("Asia/Tokyo")).astimezone(UTC)) == ids[0]


def test_of_three_missed_slots_the_newest_runs_and_names_them():
    hourly = cron("0 * * * *")

    firing = fire_schedule(hourly, at("2026-11-20 09:00"), now=at("2026-11-20 11:20"))

    slots = [at(f"2026-11-20 {hour}:00") for hour in ("09", "10", "11")]
    assert firing.missed == tuple(slots)
    assert firing.append.thread_id == hourly.thread_id(slots[-1])
    told = firing.append.drafts[0].data
    assert told["slot"] == "2026-11-20T11:00:00.000000Z"
    assert told["missed"] == [f"2026-11-20T{hour}:00:00.000000Z" for hour in ("09", "10", "11")]
    assert firing.append.arms[0].due == at("2026-11-20 12:00")
    assert says_missed(hourly, firing) == (
        "schedule nightly: 3 slots were missed (2026-11-20T09:00Z, 2026-11-20T10:00Z,"
        " 2026-11-20T11:00Z); the newest slot runs"
    )


def test_skip_keeps_what_was_missed_in_a_thread_that_has_ended():
    hourly = cron("0 * * * *", missed="skip")

    firing = fire_schedule(hourly, at("2026-11-20 09:00"), now=at("2026-11-20 11:20"))

    assert (firing.runs, firing.append.wake, len(firing.missed)) == (False, False, 3)
    assert [draft.type for draft in firing.append.drafts] == ["message_received", "finished"]
    note = "Nothing ran: 3 slots were missed and skipped."
    assert firing.append.drafts[1].data == {"message": note, "saw": 1}
    assert "1 slot was missed" in says_missed(
        hourly, fire_schedule(hourly, at("2026-11-20 09:00"), now=at("2026-11-20 09:20"))
    )


@pytest.mark.parametrize("missed", ["run_once", "skip"])
def test_the_newest_slot_runs_when_it_is_met_in_time(missed: Any):
    hourly = cron("0 * * * *", missed=missed)

    firing = fire_schedule(hourly, at("2026-11-20 09:00"), now=at("2026-11-20 11:00") + LATE_MAX)

    assert firing.runs
    assert [f"{slot:%H}" for slot in firing.missed] == ["09", "10"]


def test_of_many_missed_slots_the_newest_are_named():
    minutely = cron("* * * * *")

    firing = fire_schedule(minutely, at("2024-11-20 09:00"), now=at("2026-11-20 09:30:30"))

    assert len(firing.missed) == SLOTS_MAX - 1  # the newest is in time
    assert firing.missed[-1] == at("2026-11-20 09:29")
    late = fire_schedule(cron("0 * * * *"), at("2024-11-20 09:00"), now=at("2026-11-20 09:30"))
    assert len(late.missed) == SLOTS_MAX
    assert "100 slots or more were missed" in says_missed(cron("0 * * * *"), late)


def test_firing_a_slot_twice_is_the_same_launch():
    daily = cron("30 2 * * *", "Europe/Berlin")

    # In the second double hour, when cronsim would name the slot that has just been.
    once, twice = (
        fire_schedule(daily, at("2026-10-25 00:30"), now=at("2026-10-25 01:10")) for _ in range(2)
    )

    assert once == twice
    assert once.append.arms[0].due == at("2026-10-26 01:30")


# The schedules of an application


def test_an_application_checks_its_schedules():
    nine = cron("0 9 * * *")

    assert checked([nine], ["crew"]) == (nine,)
    with pytest.raises(ConfigurationError, match="no agent 'crew'; known: other"):
        checked([nine], ["other"])
    with pytest.raises(ConfigurationError, match="two schedules have the name nightly"):
        checked([nine, cron("0 10 * * *")], ["crew"])


NOW = at("2026-11-20 08:30")


def armed(schedule: Schedule, due: str) -> Due:
    return Due(Ref(schedule.tenant, ""), schedule.timer, at(due))


def test_what_is_not_armed_is_armed_for_the_next_slot():
    nine = cron("0 9 * * *")

    change = arming([nine], [], now=NOW)

    assert (change.arm, change.drop) == (((nine, Timer(nine.timer, at("2026-11-20 09:00"))),), ())


@pytest.mark.parametrize("due", ["2026-11-20 09:00", "2026-11-18 09:00"])
def test_what_is_armed_stays_so_even_when_it_is_long_due(due: str):
    nine = cron("0 9 * * *")

    change = arming([nine], [armed(nine, due)], now=NOW)

    assert (change.arm, change.drop) == ((), ())


def test_what_a_clock_ahead_of_time_armed_moves_to_the_next_slot():
    nine = cron("0 9 * * *")

    change = arming([nine], [armed(nine, "2031-01-01 09:00")], now=NOW)

    assert change.arm == ((nine, Timer(nine.timer, at("2026-11-20 09:00"))),)


def test_a_new_line_is_armed_anew_and_what_nobody_has_is_dropped():
    old, new = cron("0 9 * * *"), cron("0 10 * * *")
    gone, foreign = armed(old, "2026-11-20 09:00"), Due(Ref("default", ""), "other:x", NOW)
    elsewhere = Due(Ref("acme", ""), new.timer, NOW)

    change = arming([new], [gone, foreign, elsewhere], now=NOW)

    assert change.arm == ((new, Timer(new.timer, at("2026-11-20 10:00"))),)
    assert change.drop == (gone, elsewhere)
