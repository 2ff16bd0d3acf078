"""What every store must do for those who list contacts: tests that any store can be put under."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.store import LATER, NOW, asked, closed, fact, launch, message
from twelvefold.exceptions import InvalidRequest
from twelvefold.inbox import Backlog
from twelvefold.store import Append
from twelvefold.thread import Draft

ANNA, OPS = {"people": ["anna"], "needed": 1}, {"people": [{"role": "ops"}], "needed": 1}
TO_ANNA, TO_OPS = (
    '{"needed":1,"people":["anna"]}',
    '{"needed":1,"people":[{"role":"ops"}]}',
)


def asks(contact: str, to: Any = ANNA, risk: str = "low", **more: Any) -> Draft:
    return fact("contact_requested", contact=contact, step="s1", to=to, risk=risk, **more)


def ids(rows: list[Any]) -> list[str]:
    return [row.id for row in rows]


def test_the_pages_of_an_inbox_hold_each_contact_once(store):
    deadlines = [None, "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z", None, "2026-11-20T10:00:00Z"]
    for n, deadline in enumerate(deadlines):
        launch(store, f"t{n}", asked("s1.1", deadline), asked("s2.1", deadline))

    rows = store.contacts(limit=3)
    while page := store.contacts(limit=3, after=rows[-1].place):
        rows += page

    assert rows == store.contacts()
    assert len({(row.ref, row.id) for row in rows}) == 10


def test_a_page_goes_on_where_it_was_whatever_became_of_its_last_row(store):
    for name in "abcd":
        launch(store, name, asked("s1.1"))
    *_, last = store.contacts(limit=2)
    store.commit_now(Append(last.ref.id, [closed("s1.1")]))
    store.commit_now(
        Append("a", [fact("contact_escalated", **asked("s1.1", "2026-11-20T10:00:00Z").data)])
    )

    assert [row.ref.id for row in store.contacts(after=last.place)] == ["c", "d"]


@pytest.mark.parametrize("place", ["x", "a b c d", "~ 2026 1", "~ 2026 1 2 3", f"~ 2026 1 {2**63}"])
def test_what_is_no_place_is_refused(store, place):
    with pytest.raises(InvalidRequest, match="no such place"):
        store.contacts(after=place)
    with pytest.raises(InvalidRequest, match="no such place"):
        store.closed(after=place + " x")


def test_lists_are_of_an_agent_a_risk_and_those_who_are_asked(store):
    launch(store, "t1", asks("s1.1"), asks("s2.1", OPS), asks("s3.1", risk="high"))
    launch(store, "t2", asks("s4.1"), asked("s5.1"), agent="other")

    assert ids(store.contacts(agent="other")) == ["s4.1", "s5.1"]
    assert ids(store.contacts(risk="high")) == ["s3.1"]
    assert ids(store.contacts(to=[TO_OPS])) == ["s2.1"]
    assert ids(store.contacts(to=[TO_ANNA], agent="deploybot", risk="low")) == ["s1.1"]
    assert store.contacts(to=[]) == []


def test_the_backlog_counts_what_is_open_by_what_filters_know(store):
    launch(store, "t1", asks("s1.1"), asks("s2.1", {"needed": 1, "people": ["anna"]}))
    launch(store, "t2", asks("s1.1", OPS, "high"), asks("s2.1"), closed("s2.1"))
    launch(store, "t3", asks("s1.1"), tenant="b")

    assert store.backlog() == [
        Backlog("deploybot", "high", TO_OPS, 1),
        Backlog("deploybot", "low", TO_ANNA, 2),
    ]


def test_whoever_is_asked_instead_is_who_lists_know(store):
    launch(store, "t1", asks("s1.1"))
    store.commit_now(Append("t1", [fact("contact_reassigned", **asks("s1.1", OPS).data)]))

    assert ids(store.contacts(to=[TO_OPS])) == ["s1.1"]
    assert store.contacts(to=[TO_ANNA]) == []


def test_what_has_ended_is_listed_by_its_end_with_how(store):
    launch(store, "t1", message(), asks("s1.1"), asks("s2.1"), asks("s3.1", OPS))
    for n, contact in enumerate(["s2.1", "s3.1", "s1.1"]):
        ended = {"contact": contact, "outcome": "denied", "by": "anna"}
        at = NOW + timedelta(minutes=n)
        store.commit_now(Append("t1", [fact("contact_closed", f"closed:{contact}", at, **ended)]))

    rows = store.closed()

    assert ids(rows) == ["s1.1", "s3.1", "s2.1"]
    assert (rows[0].outcome, rows[0].ended["by"]) == ("denied", "anna")
    assert ids(store.closed(limit=1, after=rows[0].place)) == ["s3.1"]
    assert ids(store.closed(to=[TO_OPS])) == ["s3.1"]
    assert store.contacts() == []


def test_the_contacts_of_a_copy_ended_without_anybody(store):
    launch(store, "fork", asks("s1.1"), Draft("forked", {"from": "t1", "at": 1}, LATER))

    [row] = store.closed()

    assert (row.outcome, row.ended) == ("voided", {})
