"""The timeline of a thread: a row per step with all that became of it, in words for people."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from histories import history
from twelvefold.server.pages.rows import (
    EVENTS_PER_PAGE,
    SHOWS,
    chosen_rows,
    page_with,
    pages_of,
    rows_of,
)
from twelvefold.server.pages.told import TEXT_CHARS_MAX, Told, told
from twelvefold.thread import Draft, Thread

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
TO = {"people": ["anna", "ben"], "needed": 1}
HISTORIES, MOVES = 60, 30


def log(*facts: tuple[str, dict[str, Any]], every: timedelta = timedelta(minutes=1)) -> Thread:
    """A thread to which something happens each minute."""
    drafts = [Draft(type, data, START + n * every) for n, (type, data) in enumerate(facts)]
    return Thread("t", "bot").then(*drafts)


def lines(thread: Thread) -> list[Told]:
    return [told(row, "t", START + timedelta(hours=2)) for row in rows_of(thread)]


def chosen(intent: str = "deploy", **args: Any) -> tuple[str, dict[str, Any]]:
    return "next_step_chosen", {"intent": intent, "args": args, "by": "model"}


def asked(contact: str = "s1.1", kind: str = "approval") -> tuple[str, dict[str, Any]]:
    step = contact.partition(".")[0]
    return "contact_requested", {"contact": contact, "step": step, "kind": kind, "to": TO}


def closed(outcome: str, contact: str = "s1.1", **more: Any) -> tuple[str, dict[str, Any]]:
    step = contact.partition(".")[0]
    data = {"contact": contact, "step": step, "outcome": outcome, "by": "anna", **more}
    return "contact_closed", data


STARTED = ("tool_started", {"step": "s1", "intent": "deploy", "tool": "deploy", "attempt": 1})
RETURNED = ("tool_returned", {"step": "s1", "intent": "deploy", "attempt": 1, "result": "live"})
FAILED = ("tool_failed", {"step": "s1", "intent": "deploy", "attempt": 1, "error": "no disk"})


def test_a_step_is_one_row_with_its_wait_and_its_outcome():
    thread = log(chosen(tag="v1"), asked(), closed("approved", channel="web"), STARTED, RETURNED)

    [line] = lines(thread)
    assert (line.title, line.who, line.text) == ("deploy", "model", "tag: v1")
    [gap] = line.gaps
    assert (gap.what, gap.lasted) == ("waits for approval of anna or ben", "1 min")
    assert gap.ended == "approved by anna (web)"
    assert (line.outcome, line.took, line.state) == ("live", "1 min", "good")
    assert line.seqs == (1, 2, 3, 4, 5)


def test_a_wait_that_lasts_says_since_when():
    [line] = lines(log(chosen(), asked()))

    assert line.gaps[0].until is None
    assert line.gaps[0].lasted == "1 h"
    assert line.state == "open"


def test_a_no_says_who_and_why():
    [line] = lines(log(chosen(), asked(), closed("denied", comment="not on a friday")))

    assert (line.gaps[0].ended, line.gaps[0].comment) == ("denied by anna", "not on a friday")
    assert line.state == "bad"


def test_what_happened_while_people_were_asked_is_told():
    refused = ("answer_refused", {"contact": "s1.1", "by": "eve", "why": "eve may not answer"})
    lost = ("contact_not_sent", {"contact": "s1.1", "to": "a@b", "error": "no host", "tries": 1})
    [line] = lines(log(chosen(), asked(), refused, lost))

    assert line.gaps[0].notes == ("refused eve: eve may not answer", "not sent to a@b: no host")


@pytest.mark.parametrize(
    ("begins", "ends", "what", "ended"),
    [
        (("timer_set", {"timer": "s1", "due": "noon"}), ("timer_fired", {"timer": "s1"}),
         "sleeps until noon", "woke"),
        (("child_launched", {"child": "t.s1", "agent": "bot", "task": "dig"}),
         ("child_finished", {"child": "t.s1", "status": "finished", "result": "dug"}),
         "waits for a thread of bot: dig", "ended"),
        (("signal_awaited", {"signal": "merged"}), ("step_settled", {"result": 1}),
         "waits for the signal merged", "came"),
    ],
)  # fmt: skip
def test_each_kind_of_wait_begins_and_ends(begins: Any, ends: Any, what: str, ended: str):
    of_step = [(type, data | {"step": "s1", "intent": "nap"}) for type, data in (begins, ends)]
    [line] = lines(log(chosen("nap"), *of_step))

    [gap] = line.gaps
    assert (gap.what, gap.ended, gap.lasted) == (what, ended, "1 min")


def test_two_steps_at_once_keep_their_events_apart():
    other = ("tool_returned", {"step": "s2", "intent": "look", "attempt": 1, "result": "seen"})
    thread = log(chosen(), chosen("look"), other, FAILED)

    assert [(line.title, line.outcome) for line in lines(thread)] == [
        ("deploy", "no disk"),
        ("look", "seen"),
    ]


def test_a_message_says_who_wrote_it():
    [line] = lines(log(("message_received", {"text": "hello", "from": "cleo", "channel": "mail"})))

    assert (line.title, line.who, line.text) == ("mail message", "cleo", "hello")


def test_a_long_text_says_how_much_is_not_shown():
    [line] = lines(log(("message_received", {"text": "x" * (TEXT_CHARS_MAX + 7)})))

    assert line.text.endswith("(+7 characters)")


def test_an_event_of_the_users_own_is_a_row_of_its_own():
    thread = log(chosen(), ("invoice_paid", {"step": "s1", "euros": 3}))

    assert [line.title for line in lines(thread)] == ["deploy", "invoice_paid"]


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_no_history_loses_an_event_or_breaks_a_row(seed: int):
    thread = history(random.Random(seed).choices(range(1000), k=MOVES))
    rows = rows_of(thread)

    assert sorted(seq for row in rows for seq in row.seqs) == list(range(1, thread.head + 1))
    for show in SHOWS:
        for row in chosen_rows(thread, rows, show, ""):
            assert told(row, thread.id, START).title


def test_filters_keep_what_they_say():
    thread = log(
        ("message_received", {"text": "go"}), chosen(), FAILED, chosen("look"), asked("s2.1")
    )
    rows = rows_of(thread)

    def found(show: Any, search: str = "") -> list[int]:
        return [row.first.seq for row in chosen_rows(thread, rows, show, search)]

    assert found("all") == [1, 2, 4]
    assert found("messages") == [1]
    assert found("errors") == [2]
    assert found("people") == [4]
    assert found("all", "NO DISK") == [2]
    assert found("all", "nothing like it") == []


def test_a_full_page_stays_as_it_is_when_more_comes():
    messages = [("message_received", {"text": str(n)}) for n in range(EVENTS_PER_PAGE + 20)]
    before = pages_of(rows_of(log(*messages)))
    after = pages_of(rows_of(log(*messages, chosen(), FAILED)))

    assert len(before) == len(after) == 2
    assert [row.seqs for row in before[0]] == [row.seqs for row in after[0]]
    assert page_with(after, EVENTS_PER_PAGE) == 1
    assert page_with(after, EVENTS_PER_PAGE + 22) == 2
    assert page_with(after, 10_000) is None


def test_there_is_always_a_page():
    assert pages_of([]) == [[]]


def test_an_event_of_another_shape_is_shown_as_it_is():
    thread = log(chosen(), ("contact_requested", {"contact": "s1.1", "to": 7}))

    [line] = lines(thread)
    assert (line.title, line.seqs) == ("next_step_chosen", (1, 2))
