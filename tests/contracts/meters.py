"""What every store must do with meters; `test_meter_stores.py` puts each store under it."""

import threading
from datetime import UTC, datetime, timedelta

from twelvefold.meters import WAIT_MAX, Rate

NOW = datetime(2026, 11, 20, 9, 55, 33, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def waits(store, rate: Rate, calls: int, *, name: str = "main", at: datetime = NOW):
    found = [store.take_turn(name, rate, at) for _ in range(calls)]
    return [None if one is None else round(one, 3) for one in found]


def test_turns_come_one_step_after_the_other(store):
    assert waits(store, Rate(60), 4) == [0, 1, 2, 3]


def test_a_burst_goes_at_once_and_the_rate_holds_after_it(store):
    assert waits(store, Rate(60, burst=3), 6) == [0, 0, 0, 1, 2, 3]


def test_what_was_not_used_is_not_saved_up_beyond_the_burst(store):
    rate = Rate(60, burst=2)
    waits(store, rate, 2)

    assert waits(store, rate, 4, at=NOW + timedelta(hours=5)) == [0, 0, 1, 2]


def test_a_clock_that_is_behind_waits_for_the_turns_taken(store):
    waits(store, Rate(60), 2)

    assert waits(store, Rate(60), 1, at=NOW - 10 * SECOND) == [12]


def test_two_rates_know_nothing_of_each_other(store):
    waits(store, Rate(60), 5)

    assert waits(store, Rate(60), 1, name="other") == [0]


def test_a_turn_that_comes_too_late_is_not_taken(store):
    rate = Rate(1, per=WAIT_MAX)

    assert waits(store, rate, 4) == [0, WAIT_MAX.total_seconds(), None, None]
    assert waits(store, rate, 1, at=NOW + 2 * WAIT_MAX) == [0]


def test_nobody_gets_the_turn_of_another(store):
    taken: list[float | None] = []
    rate = Rate(60)
    threads = [
        threading.Thread(target=lambda: taken.extend(waits(store, rate, 5))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == list(range(40))


def test_what_is_spent_adds_up_by_name(store):
    until = NOW + timedelta(days=1)
    for amount in (0.25, 1.5):
        store.spend("a", amount, until=until, now=NOW)
    store.spend("b", 7.0, until=until, now=NOW)

    assert store.spent(["a", "b", "none"]) == [1.75, 7.0, 0.0]


def test_a_meter_that_is_over_is_forgotten_and_no_other(store):
    store.spend("yesterday", 1.0, until=NOW, now=NOW - SECOND)
    store.spend("today", 2.0, until=NOW + SECOND, now=NOW)
    store.spend("this week", 3.0, until=NOW + timedelta(days=7), now=NOW + SECOND)

    assert store.spent(["yesterday", "today", "this week"]) == [0.0, 2.0, 3.0]
