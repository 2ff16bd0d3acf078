"""Events, drafts and threads: the log itself."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from small import AGENT, Deploy, Look
from test_encoding import anything
from twelvefold.exceptions import Conflict, Unstorable
from twelvefold.forks import fork
from twelvefold.testing import (
    START,
    approved,
    asked,
    chosen,
    edited,
    event,
    finished,
    given,
    killed,
    message,
    returned,
    started,
)
from twelvefold.thread import Draft, Event, Parent, Thread, from_jsonl

HISTORY = (message("hi"), chosen(Look()), started(), returned(["v1"]))


def types(drafts: Any) -> list[str]:
    return [draft.type for draft in drafts]


def test_a_draft_holds_what_will_be_read_back():
    draft = Draft("note", {"pair": (1, 2), 3: "x"}, START)  # pyright: ignore

    assert draft.data == {"pair": [1, 2], "3": "x"}
    assert draft.event(7) == Event(7, "note", {"pair": [1, 2], "3": "x"}, START)


def test_a_draft_that_cannot_be_stored_is_no_draft():
    with pytest.raises(Unstorable):
        Draft("note", {"x": object()}, START)


def test_a_snapshot_stays_as_it_is_when_the_thread_grows():
    short = given(*HISTORY)
    long = given(finished(), onto=short)

    assert (short.head, long.head) == (4, 5)
    assert len(short.events) == 4
    assert long.upto(4) == short


def test_two_ways_to_grow_part_ways():
    short = given(*HISTORY)
    one, other = given(message("a"), onto=short), given(message("b"), onto=short)

    assert [t.events[-1].data["text"] for t in (one, other)] == ["a", "b"]
    assert one.events[:4] == other.events[:4]


def test_a_prefix_is_cut_at_the_ends_of_the_log():
    thread = given(*HISTORY)

    assert (thread.upto(-3).head, thread.upto(2).head, thread.upto(99).head) == (0, 2, 4)


def test_the_events_of_a_snapshot_are_a_sequence():
    events = given(*HISTORY).upto(3).events

    assert events[-1].seq == 3
    assert [e.seq for e in events[1:]] == [2, 3]
    assert events == list(events)
    assert events != 3
    assert repr(events) == repr(list(events))
    with pytest.raises(IndexError):
        events[3]


def test_each_event_is_computed_once_per_log():
    seen: list[int] = []

    def compute(event: Event) -> int:
        seen.append(event.seq)
        return event.seq * 10

    thread = given(*HISTORY)
    assert thread.upto(2).each(compute) == [10, 20]
    assert thread.each(compute) == [10, 20, 30, 40]
    assert thread.upto(1).each(compute) == [10]
    assert seen == [1, 2, 3, 4]


def test_what_is_computed_can_begin_after_a_place():
    def place(event: Event) -> int:
        return event.seq

    thread = given(*HISTORY)

    assert thread.each(place, after=2) == [3, 4]
    assert thread.upto(3).each(place, after=2) == [3]
    assert thread.each(place, after=5) == []


def test_what_grows_with_a_log_is_made_once_per_log():
    def place() -> list[str]:
        return []

    thread, note = given(*HISTORY), Draft("note", {}, START)
    place_of_log = thread.once(place)

    assert thread.upto(1).once(place) is thread.then(note).once(place) is place_of_log
    assert thread.upto(1).then(note).once(place) is not place_of_log  # it parted ways


def test_drafts_take_the_next_places_of_a_thread():
    thread = given(*HISTORY)
    drafts = [Draft("note", {"n": n}, START) for n in (1, 2)]

    grown = thread.then(*drafts)

    head = thread.head
    assert list(grown.events[head:]) == [d.event(head + n) for n, d in enumerate(drafts, start=1)]
    assert thread.head == head
    assert grown.then() == grown


def test_threads_are_equal_by_what_they_hold():
    one, other = given(*HISTORY), given(*HISTORY)

    assert one == other
    assert one != given(*HISTORY, tenant="acme")
    assert one != given(*HISTORY[:-1])
    assert one != "t1"


row = st.tuples(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.dictionaries(st.text(), anything, max_size=3),
    st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.none() | st.text(),
    st.none() | st.integers(0, 9),
    st.integers(1, 3),
)


@forall(st.lists(row, min_size=1, max_size=4), st.text(), st.booleans())
def test_jsonl_is_lossless(rows, name, is_child):
    drafts = [Draft(t, d, at, key=k, after=a, v=v) for t, d, at, k, a, v in rows]
    events = [draft.event(n) for n, draft in enumerate(drafts, start=1)]
    parent = Parent(name, "s1") if is_child else None
    thread = Thread(name, "bot", events, tenant="acme", parent=parent)

    again = from_jsonl(thread.to_jsonl())

    assert again == thread
    assert again.to_jsonl() == thread.to_jsonl()


def test_line_separators_inside_texts_do_not_cut_lines():
    thread = given(message("a\u2028b\u0085c\rd\ne"))

    assert from_jsonl(thread.to_jsonl()) == thread


LINE = given(message("hi")).to_jsonl()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1 is not"),
        (LINE + "nonsense\n", "line 2 is not"),
        (LINE + "[]\n", "line 2 is not"),
        (LINE + LINE, "line 2 holds event 1"),
        (LINE.replace("2026-01-01T12:00:00.000000Z", "yesterday"), "line 1 is not"),
        (LINE.replace("000000Z", "000000"), "no offset"),
        (LINE.replace('"hi"', "[" * 100_000), "line 1 is not"),
    ],
)
def test_a_line_that_is_no_event_is_named(text, complaint):
    with pytest.raises(Unstorable, match=complaint):
        from_jsonl(text)


def test_a_fork_is_a_copy_up_to_there_and_says_so():
    thread = given(*HISTORY, tenant="acme")

    new, drafts = fork(thread, 2, new_id="t2", now=START)

    assert (new.id, new.head, new.tenant, new.agent) == ("t2", 0, "acme", thread.agent)
    assert types(drafts) == ["message_received", "next_step_chosen", "forked"]
    assert drafts[-1].data == {"from": "t1", "at": 2}
    assert [d.event(n) for n, d in enumerate(drafts[:-1], 1)] == list(thread.events[:2])


def test_a_fork_does_not_cut_one_decision_in_two():
    thread = given(message("go"), chosen(Look(what="a"), Look(what="b"), by="code"), finished())

    assert types(fork(thread, 2, new_id="t2", now=START)[1])[:-1] == [
        "message_received",
        "next_step_chosen",
        "next_step_chosen",
    ]


def test_a_fork_does_not_cut_an_edit_from_the_step_it_made():
    thread = given(message("go"), chosen(Deploy(tag="v1")), asked("anna"), edited(tag="v2"))
    closed = next(e.seq for e in thread.events if e.type == "contact_closed")

    assert fork(thread, closed, new_id="t2", now=START)[1][-1].data["at"] == closed + 1


def test_a_fork_just_before_a_later_decision_stays_there():
    thread = given(message("go"), message("more"), chosen(Look()))

    assert fork(thread, 1, new_id="t2", now=START)[1][-1].data["at"] == 1


def test_a_fork_cannot_cut_a_run():
    thread = given(*HISTORY)

    with pytest.raises(Conflict, match=r"inside the run of s1 .* Fork at 2, or after"):
        fork(thread, 3, new_id="t2", now=START)
    assert fork(thread, 4, new_id="t2", now=START)


def test_a_fork_after_a_run_whose_outcome_is_unknown_is_possible():
    thread = given(message("hi"), chosen(Look()), started(), killed())

    assert fork(thread, 4, new_id="t2", now=START)


@pytest.mark.parametrize("at", [0, 5, -1])
def test_a_fork_outside_the_log_is_refused(at):
    with pytest.raises(Conflict, match="events 1 to 4"):
        fork(given(*HISTORY), at, new_id="t2", now=START)


def test_an_answer_into_the_original_does_not_open_the_fork():
    thread = given(message("go"), chosen(Deploy(tag="v1")), asked("anna"), agent=AGENT)
    new, drafts = fork(thread, 3, new_id="t2", now=START)
    copied = new.grown([draft.event(n) for n, draft in enumerate(drafts, 1)])
    given(approved(), onto=thread, agent=AGENT)

    [step] = AGENT.state(copied).ready

    assert not step.approved
    assert given(asked("anna"), onto=copied, agent=AGENT).events[-1].data["contact"] == "s1.2"


def test_an_unknown_event_type_is_kept():
    thread = given(message("hi"), event("weather_changed", to="rain"))

    assert from_jsonl(thread.to_jsonl()).events[1].type == "weather_changed"
