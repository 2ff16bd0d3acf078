"""What a lead is told first, and that only of it which is so."""

from datetime import UTC, datetime, timedelta
from typing import Any

from twelvefold.app.limited import LOOKED_AT_MAX, limited_of, limited_threads
from twelvefold.loop import Stats
from twelvefold.server.pages.health_view import (
    People,
    agents_of,
    people_of,
    stopped_of,
    worries,
)
from twelvefold.store import ContactRow, Ref, ThreadRow
from twelvefold.summary import Summary
from twelvefold.testing import MemoryStore
from twelvefold.thread import to_iso

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOBODY = People(0, 0, [], None, 0, 0)
IDLE = Stats("embedded", queue=0, oldest_wait_s=0.0, under_way=None, workers=0, lag_s=0.0)


def row(name: str, *, hours_ago: int, due_in_min: int | None = None, **more: Any) -> ContactRow:
    due = None if due_in_min is None else to_iso(NOW + timedelta(minutes=due_in_min))
    to = {"people": ["anna"], "needed": 1}
    data = {"kind": "approval", "intent": name, "to": to, "deadline": due, **more}
    return ContactRow(Ref("default", name), "bot", "s1.1", NOW - timedelta(hours=hours_ago), data)


def test_nothing_is_said_when_all_goes_well():
    assert worries(NOBODY, 0, 0, IDLE) == []
    assert worries(NOBODY, 0, 0, None) == []


def test_work_that_nobody_does_comes_first():
    stats = Stats("embedded", queue=2, oldest_wait_s=3.0, under_way=None, workers=0, lag_s=90.0)
    found = worries(NOBODY, 1, 0, stats)

    assert found[0].startswith("2 threads could go on, and no worker runs")
    assert found[1] == "1 thread failed: look why, then try again."


def test_late_timers_are_said_when_somebody_works():
    stats = Stats("embedded", queue=1, oldest_wait_s=3.0, under_way=1, workers=1, lag_s=150.0)

    assert worries(NOBODY, 0, 0, stats) == ["Timers are 2 min late."]


def test_what_expires_and_what_has_expired_are_told_apart():
    rows = [row("a", hours_ago=1, due_in_min=30), row("b", hours_ago=2, due_in_min=-5)]
    people = people_of([*rows, row("c", hours_ago=9)], open=3, now=NOW)

    assert (people.expiring, people.expired) == (1, 1)
    assert worries(people, 0, 3, IDLE) == [
        "1 question not answered in time.",
        "1 question to be answered within the hour.",
        "3 messages did not reach those who are asked.",
    ]


def test_the_oldest_is_the_one_that_was_asked_first():
    people = people_of([row("new", hours_ago=1), row("old", hours_ago=30)], open=7, now=NOW)

    assert people.oldest is not None
    assert (people.oldest.what, people.oldest.path) == ("old", "/contacts/old.s1.1")
    assert (people.open, people.seen) == (7, 2)


def limited(agent: str, *, hours_ago: int, **more: Any) -> ThreadRow:
    at = to_iso(NOW - timedelta(hours=hours_ago))
    summary = Summary(limited=True, updated_at=at, **more)
    return ThreadRow(Ref("default", f"{agent}-{hours_ago}"), agent, 1, None, summary)


def test_what_a_limit_stopped_is_no_good_health_and_what_a_person_paused_is():
    rows = [limited("bot", hours_ago=1), limited("bot", hours_ago=3), limited("desk", hours_ago=9)]
    rows.append(limited("desk", hours_ago=99, paused=True))
    stopped = stopped_of(limited_of(rows, at_least=False), tenant="default")

    assert worries(NOBODY, 0, 0, IDLE, stopped=stopped) == [
        "A limit stopped 2 threads of bot: see below how to go on.",
        "A limit stopped 1 thread of desk: see below how to go on.",
    ]
    assert [one.since for one in stopped] == [NOW - timedelta(hours=3), NOW - timedelta(hours=9)]
    assert stopped[0].command == "twelvefold resume --all --agent bot"
    assert stopped[0].path == "/threads?status=paused&agent=bot"


def test_a_name_of_two_words_is_one_word_for_the_shell():
    [one] = limited_of([limited("front desk", hours_ago=1)], at_least=False)

    assert one.command == "twelvefold resume --all --agent 'front desk'"


def test_commands_know_one_tenant_so_another_one_is_shown_none():
    [other] = stopped_of(limited_of([limited("bot", hours_ago=1)], at_least=False), tenant="acme")

    assert other.command is None


def test_however_many_are_paused_no_more_than_a_thousand_rows_are_read():
    class Paused(MemoryStore):
        def threads(self, **asked: Any) -> list[ThreadRow]:
            assert (asked["status"], asked["limit"]) == ("paused", LOOKED_AT_MAX + 1)
            return [limited("bot", hours_ago=1)] * asked["limit"]

    assert [one.said for one in limited_threads(Paused())] == ["at least 1000 threads of bot"]


def test_who_used_most_comes_first():
    def thread(agent: str, cost: float, **more: Any) -> ThreadRow:
        return ThreadRow(Ref("default", agent), agent, 1, None, Summary(cost=cost, steps=2, **more))

    rows = [thread("cheap", 0.01), thread("dear", 2.0), thread("cheap", 0.02, finished=True)]
    dear, cheap = agents_of(rows)

    assert (dear.agent, dear.threads) == ("dear", 1)
    assert (cheap.threads, cheap.steps, round(cheap.cost, 3)) == (2, 4, 0.03)
    assert cheap.statuses == {"running": 1, "finished": 1}
