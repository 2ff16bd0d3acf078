"""What every store must do, as tests that any store can be put under.

A test module of a store imports these names and gives the fixture `store`; see `test_stores.py`.
"""

import asyncio
import hashlib
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twelvefold.audit import CONTACT_EVENTS, Verified, verify
from twelvefold.exceptions import (
    Conflict,
    Fenced,
    Stale,
    UnknownAttachment,
    UnknownThread,
    Unstorable,
)
from twelvefold.store import Append, Create, Ref, Timer
from twelvefold.summary import summarize
from twelvefold.thread import DELIVERY_RECORDS, Draft, Parent, from_jsonl

NOW = datetime(2026, 11, 20, 9, 55, 33, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def fact(type: str = "noted", key: str | None = None, at: datetime = NOW, **data: Any) -> Draft:
    return Draft(type, data, at, key=key)


def message(text: str = "go", key: str | None = "delivery:1") -> Draft:
    return fact("message_received", key, text=text)


def asked(contact: str, deadline: str | None = None, at: datetime = NOW) -> Draft:
    return fact("contact_requested", None, at, contact=contact, step="s1", deadline=deadline)


def closed(contact: str, outcome: str = "approved", at: datetime = NOW) -> Draft:
    return fact("contact_closed", f"closed:{contact}", at, contact=contact, outcome=outcome)


def launch(store: Any, id: str = "t1", *drafts: Draft, agent: str = "deploybot", **options: Any):
    drafts = drafts or (message(),)
    create = Create(agent, options.pop("parent", None))
    return store.commit_now(Append(id, drafts, create=create, **options))[0]


def types(store: Any, id: str = "t1", **options: Any) -> list[str]:
    return [event.type for event in store.load(id, **options).events]


# Appending


async def test_a_commit_returns_the_events_that_load_returns(store):
    launched = await store.commit(
        Append("t1", [message(), fact("noted", n=1)], create=Create("deploybot"))
    )

    thread = store.load("t1")
    assert list(thread.events) == launched[0]
    assert [event.seq for event in thread.events] == [1, 2]
    assert (thread.id, thread.agent, thread.tenant, thread.parent, thread.head) == (
        "t1",
        "deploybot",
        "default",
        None,
        2,
    )


def test_every_field_of_an_event_is_kept(store):
    at = datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC)
    draft = Draft("noted", {"b": 1, "a": [None, True, 1.5]}, at, key="k", after=0, v=7)

    launch(store, "t1", draft)

    (event,) = store.load("t1").events
    assert event == draft.event(1)
    assert list(event.data) == ["b", "a"]


def test_several_appends_are_one_list_of_events_each(store):
    launch(store)

    events = store.commit_now(
        Append("t1", [fact("child_asked")]),
        Append("t1.s4", [message()], create=Create("other", Parent("t1", "s4"))),
        Append("t1", [fact("child_known")]),
    )

    assert [[(e.seq, e.type) for e in group] for group in events] == [
        [(2, "child_asked")],
        [(1, "message_received")],
        [(3, "child_known")],
    ]
    assert store.load("t1.s4").parent == Parent("t1", "s4")
    assert store.thread_row("t1.s4").parent == Parent("t1", "s4")


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (Append("t2", [fact()], expect=0), Stale),
        (Append("t2", [fact()], epoch=9), Fenced),
        (Append("nowhere", [fact()]), UnknownThread),
        (Append("t2", [fact()], create=Create("a")), Conflict),
        (Append("t2", [fact(key="a"), fact(key="a")]), Conflict),
        (Append("t2", [fact("contact_requested")]), Unstorable),
    ],
    ids=["stale", "fenced", "unknown", "conflict", "key twice", "misshapen"],
)
def test_a_refused_append_takes_its_whole_transaction_with_it(store, refused, error):
    launch(store)
    launch(store, "t2")
    first = Append("t1", [asked("s1.1")], claim=True, wake=True, timers=[Timer("k", NOW)])
    new = Append("t3", [message()], create=Create("deploybot"))

    with pytest.raises(error) as raised:
        store.commit_now(first, new, refused)

    assert str(raised.value)
    assert types(store) == types(store, "t2") == ["message_received"]
    assert (store.epoch("t1"), store.woken(), store.due(LATER), store.contacts()) == (0, [], [], [])
    with pytest.raises(UnknownThread):
        store.load("t3")
    store.commit_now(first, new)  # nothing is in the way afterwards


async def test_a_refused_commit_harms_none_of_its_neighbours(store):
    launch(store)

    results = await asyncio.gather(
        store.commit(Append("t1", [fact("first")])),
        store.commit(Append("t1", [fact("stale")], expect=0)),
        store.commit(Append("nowhere", [fact()])),
        store.commit(Append("t1", [fact("misshapen")]), Append("t1", [fact("contact_closed")])),
        store.commit(Append("t1", [fact("last")])),
        return_exceptions=True,
    )

    refused = [type(result) for result in results[1:4]]
    assert refused == [Stale, UnknownThread, Unstorable]
    assert types(store) == ["message_received", "first", "last"]


def test_a_name_that_no_store_can_keep_is_refused_by_name(store):
    launch(store)

    for append in (
        Append("t1", [fact(key="\ud800")]),
        Append("t1", [fact("\ud800")]),
        Append("\ud800", [fact()], create=Create("a")),
    ):
        with pytest.raises(Unstorable, match="surrogate"):
            store.commit_now(append)
    with pytest.raises(UnknownThread):
        store.load("\ud800")
    assert types(store) == ["message_received"]


def test_a_nul_in_a_name_is_refused_and_one_in_the_data_is_kept(store):
    launch(store)

    for append in (
        Append("t1", [fact(key="a\0b")]),
        Append("t1", [fact("a\0b")]),
        Append("a\0b", [fact()], create=Create("a")),
        Append("t2", [fact()], create=Create("a\0b")),
    ):
        with pytest.raises(Unstorable, match="NUL"):
            store.commit_now(append)
    with pytest.raises(UnknownThread):
        store.load("a\0b")
    store.commit_now(Append("t1", [fact(**{"a\0b": "\0"})]))
    assert store.load("t1").events[-1].data == {"a\0b": "\0"}


# expect, epoch, claim


def test_what_saw_the_head_is_accepted(store):
    launch(store)

    store.commit_now(Append("t1", [fact("decided")], expect=1))

    assert types(store) == ["message_received", "decided"]


def test_what_saw_an_older_head_is_stale(store):
    launch(store)
    store.commit_now(Append("t1", [message("wait", "delivery:2")]))

    with pytest.raises(Stale, match="t1 is at event 2, not 1"):
        store.commit_now(Append("t1", [fact("decided")], expect=1))


def test_what_saw_more_than_there_is_is_stale(store):
    launch(store)

    with pytest.raises(Stale):
        store.commit_now(Append("t1", [fact("decided")], expect=2))


@pytest.mark.parametrize("record", sorted(DELIVERY_RECORDS))
def test_a_delivery_record_makes_nothing_stale(store, record):
    launch(store)
    store.commit_now(Append("t1", [fact(record), fact(record)]))

    store.commit_now(Append("t1", [fact("decided")], expect=1))

    assert types(store) == ["message_received", record, record, "decided"]


@pytest.mark.parametrize("record", sorted(DELIVERY_RECORDS))
def test_a_delivery_record_makes_stale_what_is_exact(store, record):
    launch(store)
    store.commit_now(Append("t1", [fact(record)], timers=[Timer("send:s1.1", LATER)]))

    with pytest.raises(Stale):
        store.commit_now(Append("t1", [], expect=1, exact=True, cancel=["send:s1.1"]))
    assert store.next_due() == LATER

    store.commit_now(Append("t1", [], expect=2, exact=True, cancel=["send:s1.1"]))
    assert store.next_due() is None


def test_anything_beside_delivery_records_makes_it_stale(store):
    launch(store)
    store.commit_now(Append("t1", [fact("contact_sent"), fact("noted"), fact("contact_sent")]))

    with pytest.raises(Stale):
        store.commit_now(Append("t1", [fact("decided")], expect=1))
    store.commit_now(Append("t1", [fact("decided")], expect=3))


def test_appends_of_one_transaction_see_each_other(store):
    launch(store)

    with pytest.raises(Stale):
        store.commit_now(Append("t1", [fact()]), Append("t1", [fact()], expect=1))
    store.commit_now(Append("t1", [fact("contact_sent")]), Append("t1", [fact()], expect=1))
    store.commit_now(Append("t1", [fact(key="k")], expect=3), Append("t1", [fact()], expect=4))
    repeated = store.commit_now(
        Append("t1", [fact("once", key="new")]), Append("t1", [fact("twice", key="new")])
    )
    assert repeated[0] == repeated[1]
    assert types(store)[-1] == "once"


def test_a_fact_is_accepted_whatever_arrived(store):
    launch(store)
    store.commit_now(Append("t1", [fact()], claim=True))

    store.commit_now(Append("t1", [fact("tool_returned", "outcome:s1:1", step="s1")]))

    assert types(store)[-1] == "tool_returned"


def test_a_claim_raises_the_epoch_and_fences_the_older_advance(store):
    launch(store)
    assert store.epoch("t1") == 0

    store.commit_now(Append("t1", [], epoch=0, claim=True))

    assert store.epoch("t1") == 1
    with pytest.raises(Fenced, match="epoch 1, not 0"):
        store.commit_now(Append("t1", [fact("decided")], epoch=0))
    with pytest.raises(Fenced):
        store.commit_now(Append("t1", [], epoch=0, claim=True))
    store.commit_now(Append("t1", [fact("decided")], epoch=1))
    store.commit_now(Append("t1", [], claim=True))
    assert store.epoch("t1") == 2
    assert types(store) == ["message_received", "decided"]


# Keys


def test_what_was_written_has_the_data_of_its_draft_and_what_was_there_has_not(store):
    launch(store)
    mine, equal = fact("first", "k", n=1), fact("first", "k", n=1)
    [[written]] = store.commit_now(Append("t1", [mine]))
    [[there]] = store.commit_now(Append("t1", [equal]))

    assert written.data is mine.data
    assert there == written
    assert there.data is not equal.data


def test_a_key_is_written_once_and_its_stored_event_returned(store):
    launch(store)
    first = store.commit_now(Append("t1", [fact("first", "k", n=1)]))

    again = store.commit_now(Append("t1", [fact("second", "k", n=2), fact("rider")]))

    assert again == first
    assert types(store) == ["message_received", "first"]


def test_a_repeated_key_writes_nothing_but_cancels(store):
    launch(store, wake=True, timers=[Timer("old", NOW), Timer("kept", NOW)])
    (wake,) = store.woken()
    store.commit_now(Append("t1", [fact("fired", "fired:old")]))

    store.commit_now(
        Append(
            "t1",
            [fact("fired", "fired:old")],
            claim=True,
            wake=True,
            served=wake.version,
            timers=[Timer("new", NOW)],
            cancel=["old"],
        )
    )

    assert [due.key for due in store.due(NOW)] == ["kept"]
    assert (store.woken(), store.epoch("t1")) == ([wake], 0)


def test_what_was_outrun_by_its_own_keys_drops_no_timer(store):
    launch(store, timers=[Timer("expire:s1.1", NOW)])
    judged = Append("t1", [fact("no", "vote:s1.1:anna")], expect=1, cancel=["expire:s1.1"])
    first = store.commit_now(Append("t1", [fact("yes", "vote:s1.1:anna")], expect=1))

    assert store.commit_now(judged) == first
    assert [due.key for due in store.due(NOW)] == ["expire:s1.1"]


def test_a_repeated_decision_is_found_although_the_log_went_on(store):
    launch(store)
    decided = Append("t1", [fact("decided", "k")], expect=1, epoch=0, claim=True)
    first = store.commit_now(decided)
    store.commit_now(Append("t1", [fact()]))

    assert store.commit_now(decided) == first
    assert store.epoch("t1") == 1


def test_a_key_belongs_to_one_thread(store):
    launch(store, "t1", fact(key="k"))
    launch(store, "t2", fact(key="k"))

    assert store.load("t1").head == store.load("t2").head == 1


def test_a_thread_is_created_once(store):
    first = launch(store)

    assert launch(store, "t1", message("another text")) == first
    with pytest.raises(Conflict, match="t1 exists already"):
        launch(store, "t1", message(key="delivery:2"))
    with pytest.raises(Conflict):
        launch(store, "t1", message(key=None))
    assert types(store) == ["message_received"]


def test_a_thread_may_begin_empty(store):
    launch_empty = Append("t1", [], create=Create("deploybot"))
    store.commit_now(launch_empty)

    assert store.load("t1").head == 0
    assert store.thread_row("t1").head == 0


# Wakes and timers


def test_a_wake_stays_until_its_newest_version_is_served(store):
    launch(store, wake=True)
    (first,) = store.woken()
    store.commit_now(Append("t1", [fact()], wake=True))
    (second,) = store.woken()

    assert first.ref == second.ref == Ref("default", "t1")
    assert second.version > first.version
    store.commit_now(Append("t1", [], served=first.version))
    assert store.woken() == [second]
    store.commit_now(Append("t1", [], served=second.version))
    assert store.woken() == []


def test_a_version_never_comes_twice(store):
    launch(store, wake=True)
    (first,) = store.woken()
    store.commit_now(Append("t1", [], served=first.version))
    store.commit_now(Append("t1", [], wake=True))

    store.commit_now(Append("t1", [], served=first.version))

    (second,) = store.woken()
    assert second.version > first.version


def test_what_serves_a_wake_may_wake_again(store):
    launch(store, wake=True)
    (first,) = store.woken()

    store.commit_now(Append("t1", [fact()], served=first.version, wake=True))

    (second,) = store.woken()
    assert second.version > first.version


def test_the_oldest_wake_comes_first(store):
    for id in ("t3", "t1", "t2"):
        launch(store, id, wake=True)

    assert [wake.ref.id for wake in store.woken()] == ["t3", "t1", "t2"]


def test_timers_are_due_at_their_time_and_not_before(store):
    launch(store, timers=[Timer("b", LATER), Timer("a", NOW)])

    assert store.next_due() == NOW
    assert store.due(NOW - timedelta(microseconds=1)) == []
    assert store.due(NOW) == [(Ref("default", "t1"), "a", NOW)]
    assert [due.key for due in store.due(LATER)] == ["a", "b"]


def test_setting_a_timer_again_moves_it_and_cancelling_drops_it(store):
    launch(store, timers=[Timer("a", NOW), Timer("b", NOW)])

    store.commit_now(Append("t1", [], timers=[Timer("a", LATER)], cancel=["b", "unknown"]))

    assert store.next_due() == LATER
    assert [due.key for due in store.due(LATER)] == ["a"]
    store.commit_now(Append("t1", [], cancel=["a"]))
    assert store.next_due() is None


def test_cancelling_and_setting_a_timer_at_once_sets_it(store):
    launch(store, timers=[Timer("a", NOW)])

    store.commit_now(Append("t1", [], cancel=["a"], timers=[Timer("a", LATER)]))

    assert [due.due for due in store.due(LATER)] == [LATER]


def test_a_launch_arms_what_belongs_to_no_thread(store):
    launch(store, arms=[Timer("cron:a", LATER)], timers=[Timer("cron:a", NOW)], tenant="acme")

    assert store.armed() == [(Ref("acme", ""), "cron:a", LATER)]
    assert store.due(NOW) == [(Ref("acme", "t1"), "cron:a", NOW)]
    assert store.due(LATER)[1] == (Ref("acme", ""), "cron:a", LATER)
    store.commit_now(Append("t1", [], tenant="acme", cancel=["cron:a"]))
    assert (store.due(LATER), store.next_due()) == (store.armed(), LATER)


def test_arming_again_moves_and_disarming_drops(store):
    store.arm(Timer("b", NOW))
    store.arm(Timer("a", NOW))
    store.arm(Timer("b", LATER))
    store.arm(Timer("a", LATER), tenant="acme")
    assert [(due.ref.tenant, due.key, due.due) for due in store.armed()] == [
        ("default", "a", NOW),
        ("acme", "a", LATER),
        ("default", "b", LATER),
    ]

    store.disarm("a")
    store.disarm("unknown")

    assert [(due.ref.tenant, due.key) for due in store.armed()] == [("acme", "a"), ("default", "b")]


def test_a_launch_that_was_done_before_still_arms_the_next_one(store):
    first = launch(store, arms=[Timer("cron:a", NOW)])

    assert launch(store, arms=[Timer("cron:a", LATER)]) == first
    assert [due.due for due in store.armed()] == [LATER]


def test_a_refused_launch_arms_nothing(store):
    launch(store)

    with pytest.raises(Conflict):
        launch(store, "t1", message(key="other"), arms=[Timer("cron:a", NOW)])
    assert store.armed() == []


async def test_listeners_hear_every_commit_that_wakes(store):
    heard: list[str] = []
    store.listen(lambda: heard.append("one"))
    store.listen(lambda: heard.append("two"))

    launch(store)
    assert heard == []
    store.commit_now(Append("t1", [fact()], wake=True))
    assert heard == ["one", "two"]
    await store.commit(Append("t1", [fact()], wake=True))
    assert len(heard) == 4
    with pytest.raises(Stale):
        await store.commit(Append("t1", [fact()], expect=1, wake=True))
    assert len(heard) == 4
    store.arm(Timer("a", NOW))
    store.commit_now(Append("t1", [fact()], arms=[Timer("a", LATER)]))
    assert len(heard) == 8


def test_one_runner_at_a_time(store):
    with store.runner_lock() as first:
        with store.runner_lock() as second:
            assert (first, second) == (True, False)
        with store.runner_lock() as third:
            assert not third
    with store.runner_lock() as again:
        assert again


def test_own_commits_are_no_change(store):
    launch(store)

    assert not store.changed()
    assert not store.changed()


# Reading


def test_unknown_threads_are_named(store):
    for read in (store.load, store.epoch, store.thread_row):
        with pytest.raises(UnknownThread, match="'nowhere'"):
            read("nowhere")
    with pytest.raises(UnknownThread):
        store.threads(before="nowhere")
    with pytest.raises(UnknownThread):
        store.commit_now(Append("nowhere", [], cancel=["k"]))


def test_a_tail_grows_the_thread_by_what_came_since(store):
    launch(store)
    before = store.load("t1")
    store.commit_now(Append("t1", [fact("noted"), fact("noted")]))

    after = store.tail(before)

    assert (before.head, after.head) == (1, 3)
    assert after == store.load("t1")
    assert store.tail(after) == after


TEXT = st.text(st.characters(codec=None), max_size=8) | st.sampled_from(
    ["\x00", "\x85", "\u2028", "\ud800", "\udc00\ud800", "\ud83d\ude00", "</x>", '"\\']
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**53 + 1, -(2**63) - 1, 10**40, 0.1, 1e308, -0.0, 5e-324])
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.dictionaries(TEXT, JSON, max_size=3))
def test_any_json_comes_back_as_it_was(store, data):
    id = f"t{len(store.threads(limit=10_000))}"
    draft = Draft("noted", data, NOW)

    (event,) = launch(store, id, draft)

    assert [event] == list(store.load(id).events)
    assert repr(store.load(id).events[0].data) == repr(draft.data)
    assert from_jsonl(store.load(id).to_jsonl()) == store.load(id)


def test_the_newest_threads_come_first_page_by_page(store):
    for n in range(5):
        launch(store, f"t{n}")
    store.commit_now(Append("t0", [fact()]))  # an append does not move a thread

    first = store.threads(limit=2)
    second = store.threads(limit=2, before=first[-1].ref.id)
    third = store.threads(limit=2, before=second[-1].ref.id)

    pages = [[row.ref.id for row in page] for page in (first, second, third)]
    assert pages == [["t4", "t3"], ["t2", "t1"], ["t0"]]
    assert store.threads(before="t0") == []


def test_threads_are_found_by_status_and_agent(store):
    launch(store, "t1", agent="a")
    launch(store, "t2", message(), asked("s1.1"), agent="a")
    launch(store, "t3", message(), asked("s1.1"), agent="b")
    launch(store, "t4", message(), fact("paused"), agent="a")

    def found(**wanted: Any) -> list[str]:
        return [row.ref.id for row in store.threads(**wanted)]

    assert found(status="waiting") == ["t3", "t2"]
    assert found(agent="a") == ["t4", "t2", "t1"]
    assert found(status="waiting", agent="a") == ["t2"]
    assert found(status="waiting", before="t3") == ["t2"]
    assert found(agent="a", limit=1, before="t4") == ["t2"]
    assert found(status="finished") == []
    store.commit_now(Append("t2", [closed("s1.1")]))
    assert found(status="waiting") == ["t3"]
    assert found(status="running") == ["t2", "t1"]


def test_a_row_is_what_its_log_folds_to(store):
    launch(store, "t1", message("Deploy it"), asked("s1.1"))
    store.commit_now(Append("t1", [fact("next_step_chosen", usage={"input": 3, "cost": 0.5})]))
    store.commit_now(Append("t1", [closed("s1.1", at=LATER)]))

    row = store.thread_row("t1")

    assert (row.ref, row.agent, row.head, row.status) == (
        Ref("default", "t1"),
        "deploybot",
        4,
        "running",
    )
    assert row.summary == summarize(store.load("t1").events)
    assert (row.summary.title, row.summary.tokens) == ("Deploy it", 3)
    assert store.threads() == [row]


def test_ids_are_found_by_their_end(store):
    for id in ("20261120-4af9", "20261121-4af9", "4af9-x", "x%9", "x_9"):
        launch(store, id)

    assert sorted(store.ids_ending("4af9")) == ["20261120-4af9", "20261121-4af9"]
    assert store.ids_ending("1-4af9") == ["20261121-4af9"]
    assert store.ids_ending("4AF9") == []
    assert store.ids_ending("%9") == ["x%9"]
    assert len(store.ids_ending("9", limit=3)) == 3


def test_an_id_that_equals_the_end_comes_alone(store):
    launch(store, "a")
    launch(store, "ba")

    assert store.ids_ending("a") == ["a"]


def test_contacts_come_by_deadline_then_by_age(store):
    launch(
        store,
        "t1",
        message(),
        asked("none-old"),
        asked("none-new", at=LATER),
        asked("late", "2026-11-21T10:00:00.000000Z"),
        asked("soon", "2026-11-21T10:00:00+02:00"),
    )
    launch(store, "t2", asked("soonest", "2026-11-20T23:59:59Z"), agent="other")

    rows = store.contacts()

    assert [row.id for row in rows] == ["soonest", "soon", "late", "none-old", "none-new"]
    assert [row.id for row in store.contacts(limit=2)] == ["soonest", "soon"]
    assert (rows[0].ref, rows[0].agent, rows[0].asked_at) == (Ref("default", "t2"), "other", NOW)
    assert rows[1].data == {
        "contact": "soon",
        "step": "s1",
        "deadline": "2026-11-21T10:00:00+02:00",
    }
    assert (rows[0].outcome, rows[0].closed_at) == (None, None)


def test_a_closed_contact_leaves_the_inbox_and_keeps_its_first_outcome(store):
    launch(store, "t1", asked("s1.1"), asked("s2.1"))
    store.commit_now(Append("t1", [closed("s1.1", "approved", LATER)]))
    store.commit_now(
        Append("t1", [fact("contact_closed", contact="s1.1", outcome="expired")]),
        Append("t1", [fact("contact_closed", contact="unknown", outcome="expired")]),
    )

    assert [row.id for row in store.contacts()] == ["s2.1"]
    ended = [row for row in store.contacts(open_only=False) if row.outcome]
    assert [(row.id, row.outcome, row.closed_at) for row in ended] == [("s1.1", "approved", LATER)]


@pytest.mark.parametrize("type", ["contact_escalated", "contact_reassigned"])
def test_a_contact_that_is_asked_of_others_is_listed_as_it_stands_now(store, type):
    launch(
        store, "t1", asked("s1.1", "2026-11-21T10:00:00Z"), asked("s2.1", "2026-11-22T10:00:00Z")
    )
    moved = {"contact": "s1.1", "step": "s1", "to": {"people": ["olga"], "needed": 1}}
    moved["deadline"] = "2026-11-23T10:00:00Z"
    store.commit_now(Append("t1", [fact(type, None, LATER, **moved)]))

    rows = store.contacts()

    assert [row.id for row in rows] == ["s2.1", "s1.1"]
    assert (rows[1].data, rows[1].asked_at) == (moved, NOW)


@pytest.mark.parametrize("type", ["contact_escalated", "contact_reassigned"])
def test_what_is_closed_or_unknown_does_not_come_back_by_being_moved(store, type):
    launch(store, "t1", asked("s1.1"), closed("s1.1"))
    store.commit_now(Append("t1", [fact(type, contact="s1.1"), fact(type, contact="s9.1")]))

    assert store.contacts() == []


@pytest.mark.parametrize("copy", ["forked", "imported"])
def test_copied_contacts_are_never_in_the_inbox(store, copy):
    copied = [message(), asked("s1.1"), asked("s2.1"), closed("s2.1", "denied")]

    launch(store, "fork", *copied, Draft(copy, {"from": "t1", "at": 4}, LATER))

    assert store.contacts() == []
    ended = {row.id: (row.outcome, row.closed_at) for row in store.contacts(open_only=False)}
    assert ended == {"s1.1": ("voided", LATER), "s2.1": ("denied", NOW)}
    store.commit_now(Append("fork", [asked("s3.1")]))
    assert [row.id for row in store.contacts()] == ["s3.1"]


def test_tenants_see_nothing_of_each_other(store):
    for tenant in ("a", "b"):
        launch(store, "t1", message(tenant), asked("c"), tenant=tenant, wake=True)
    store.commit_now(
        Append("t1", [fact("noted")], tenant="a", claim=True, timers=[Timer("k", NOW)]),
        Append("t1", [closed("c")], tenant="a"),
    )
    launch(store, "only-a", tenant="a")

    assert types(store, tenant="b") == ["message_received", "contact_requested"]
    assert (store.epoch("t1", tenant="a"), store.epoch("t1", tenant="b")) == (1, 0)
    assert [row.ref for row in store.threads(tenant="b")] == [Ref("b", "t1")]
    assert [row.ref.tenant for row in store.contacts(tenant="b")] == ["b"]
    assert store.contacts(tenant="a") == []
    assert store.ids_ending("1", tenant="default") == []
    assert [due.ref for due in store.due(NOW)] == [Ref("a", "t1")]
    assert {wake.ref.tenant for wake in store.woken()} == {"a", "b"}
    with pytest.raises(UnknownThread):
        store.load("t1")
    with pytest.raises(UnknownThread):
        store.threads(tenant="b", before="only-a")


# Many at once


async def test_many_tasks_append_without_gaps_or_losses(store):
    launch(store)

    groups = await asyncio.gather(
        *(store.commit(Append("t1", [fact(key=f"k{n}", n=n)])) for n in range(100))
    )

    thread = store.load("t1")
    assert [event.seq for event in thread.events] == list(range(1, 102))
    assert sorted(e.data["n"] for e in thread.events if e.type == "noted") == list(range(100))
    assert all(thread.events[event.seq - 1] == event for ((event,),) in groups)


async def test_of_many_decisions_on_one_head_one_is_written(store):
    launch(store)

    results = await asyncio.gather(
        *(store.commit(Append("t1", [fact("decided", n=n)], expect=1)) for n in range(20)),
        return_exceptions=True,
    )

    assert sum(isinstance(result, Stale) for result in results) == 19
    assert types(store) == ["message_received", "decided"]


def test_threads_append_side_by_side(store):
    launch(store)
    failures: list[Exception] = []

    def work(worker: int) -> None:
        try:
            for n in range(10):
                store.commit_now(Append("t1", [fact(key=f"{worker}:{n}")]))
                store.commit_now(Append("t1", [fact(key=f"shared:{n}")]))
                assert store.load("t1").head >= n
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert failures == []
    keys = [event.key for event in store.load("t1").events]
    assert len(keys) == len(set(keys)) == 1 + 4 * 10 + 10


async def test_a_cancelled_caller_disturbs_nobody(store):
    launch(store)
    dropped = asyncio.ensure_future(store.commit(Append("t1", [fact("decided")], expect=1)))
    kept = asyncio.ensure_future(store.commit(Append("t1", [fact("noted")])))
    await asyncio.sleep(0)

    was_written = not dropped.cancel()

    ((event,),) = await kept
    assert event.type == "noted"
    await asyncio.wait([dropped])
    assert dropped.cancelled() != was_written
    await store.commit(Append("t1", [fact("after")]))
    assert types(store)[-1] == "after"


# Attachments


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"x" * 3_000_000])
def test_bytes_are_kept_under_their_hash(store, content):
    sha256 = store.keep(content)

    assert sha256 == hashlib.sha256(content).hexdigest()
    assert store.kept(sha256) == content
    assert store.keep(content) == sha256  # twice is once


def test_bytes_belong_to_their_tenant(store):
    sha256 = store.keep(b"mine", tenant="acme")

    assert store.kept(sha256, tenant="acme") == b"mine"
    for name, tenant in ((sha256, "default"), ("0" * 64, "acme"), ("\ud800", "acme")):
        with pytest.raises(UnknownAttachment):
            store.kept(name, tenant=tenant)


async def test_bytes_may_be_kept_from_many_threads_while_others_commit(store):
    launch(store)
    contents = [f"part {n}".encode() for n in range(20)]
    keeping = [asyncio.to_thread(store.keep, content) for content in contents]

    hashes = await asyncio.gather(
        *keeping, *(store.commit(Append("t1", [fact()])) for _ in contents)
    )

    assert [store.kept(sha256) for sha256 in hashes[: len(contents)]] == contents
    assert len(types(store)) == 1 + len(contents)


# Audit: the chain, erasing, who decided


ERASE = {"by": "olga", "reason": "asked to"}


def erase(store: Any, id: str = "t1", at: datetime = LATER) -> None:
    head = store.load(id).head
    store.commit_now(Append(id, [fact("erased", at=at, **ERASE)], expect=head, erase=True))


def ended(store: Any, id: str = "t1", *drafts: Draft) -> None:
    launch(store, id, message("a secret"), *drafts, fact("cancelled"))


def test_what_was_written_is_verified_with_its_head(store):
    launch(store, "t1", message("grüß\ud800"), fact("noted", "k", n=2**60))
    store.commit_now(Append("t1", [Draft("noted", {}, LATER, after=1, v=3)]))
    launch(store, "t1.s4", parent=Parent("t1", "s4", "hand"), tenant="acme")
    store.commit_now(Append("empty", [], create=Create("deploybot")))

    heads = {(head.tenant, head.id): head for head in store.heads()}

    assert list(heads) == [("default", "t1"), ("acme", "t1.s4"), ("default", "empty")]
    for (tenant, id), head in heads.items():
        recorded = store.recorded(id, tenant=tenant)
        assert verify(recorded, head) == Verified(tenant, id, head.head)
        assert [record.seq for record in recorded.records] == [*range(1, head.head + 1)]
    with pytest.raises(UnknownThread):
        store.recorded("t1", tenant="acme")


def test_an_erased_thread_keeps_types_times_and_its_chain(store):
    ended(store, "t1", asked("s1.1"), closed("s1.1"))
    before = store.heads()

    erase(store)

    events = store.load("t1").events
    assert [e.type for e in events] == ["erased"] * 5
    kinds = ["message_received", "contact_requested", "contact_closed", "cancelled"]
    assert [e.data for e in events] == [*({"type": kind} for kind in kinds), ERASE]
    assert [e.key for e in events] == ["delivery:1", None, "closed:s1.1", None, None]
    assert verify(store.recorded("t1"), before[0]) == Verified("default", "t1", 5, erased=4)
    assert all(r.data is None and r.salt is None for r in store.recorded("t1").records[:-1])


def test_an_erased_thread_is_listed_as_erased_and_its_lists_follow_from_its_log(store):
    ended(store, "t1", asked("s1.1"))

    erase(store)

    (row,) = store.threads()
    assert (row.status, row.summary.title, row.summary.waits) == ("erased", "", {})
    assert row.summary == summarize(store.load("t1").events)
    assert [r.ref.id for r in store.threads(status="erased")] == ["t1"]
    assert store.contacts(open_only=False) == []


def test_what_comes_late_to_an_erased_thread_is_kept_and_can_be_erased_too(store):
    ended(store)
    erase(store)

    store.commit_now(Append("t1", [fact("tool_returned", "outcome:s1:1", step="s1", result="x")]))
    assert store.load("t1").events[-1].data["result"] == "x"
    assert store.thread_row("t1").status == "erased"
    erase(store)

    assert [e.data for e in store.load("t1").events][-2:] == [{"type": "tool_returned"}, ERASE]
    assert [e.data for e in store.load("t1").events].count(ERASE) == 2
    assert verify(store.recorded("t1")) == Verified("default", "t1", 5, erased=3)


def test_a_key_stays_used_after_its_event_was_erased(store):
    ended(store)
    erase(store)

    [[stored]] = store.commit_now(Append("t1", [message("again")]))

    assert (stored.seq, stored.type) == (1, "erased")


def test_an_erasure_that_saw_an_older_head_erases_nothing(store):
    ended(store)

    with pytest.raises(Stale):
        store.commit_now(Append("t1", [fact("erased", **ERASE)], expect=1, erase=True))

    assert store.load("t1").events[0].data == {"text": "a secret"}


def test_erasing_takes_the_attachments_that_nobody_else_names(store):
    alone, shared = store.keep(b"alone"), store.keep(b"shared")
    other = store.keep(b"alone", tenant="acme")
    ended(store, "t1", fact(files=[{"sha256": alone}, {"sha256": shared}]))
    launch(store, "t2", fact(file={"sha256": shared}))

    erase(store)

    with pytest.raises(UnknownAttachment):
        store.kept(alone)
    assert store.kept(shared) == b"shared"
    assert store.kept(other, tenant="acme") == b"alone"


def test_erasing_one_thread_leaves_its_neighbours(store):
    ended(store, "t1", asked("s1.1"))
    launch(store, "t2", message("kept"), asked("s1.1"))
    before = (store.load("t2"), store.recorded("t2"))

    erase(store)

    assert (store.load("t2"), store.recorded("t2")) == before
    assert [row.ref.id for row in store.contacts()] == ["t2"]


def test_contact_events_come_by_time_with_what_an_erased_one_still_says(store):
    launch(store, "t1", asked("s1.1", at=LATER), fact("noted"))
    launch(store, "t2", asked("s1.1"), closed("s1.1"), fact("cancelled"), agent="other")
    launch(store, "t3", asked("s1.1"), tenant="acme")
    erase(store, "t2", LATER + timedelta(hours=1))

    said = store.said()

    assert [(one.thread, one.type) for one in said] == [
        ("t2", "contact_requested"),
        ("t2", "contact_closed"),
        ("t1", "contact_requested"),
        ("t2", "erased"),
    ]
    assert [one.data is None for one in said] == [True, True, False, False]
    assert (said[1].agent, said[1].key, said[1].seq) == ("other", "closed:s1.1", 2)
    assert store.said(thread_id="t1") == [said[2]]
    assert [one.tenant for one in store.said(tenant="acme")] == ["acme"]


@pytest.mark.parametrize("type", CONTACT_EVENTS)
def test_every_kind_of_contact_event_is_found(store, type):
    data = {"contact": "s1.1", "step": "s1", "outcome": "approved"}
    launch(store, "t1", fact(type, **data))

    assert [one.type for one in store.said()] == [type]


# Watching


def test_the_mark_differs_after_each_commit_and_only_then(store):
    before = store.mark()
    assert store.mark() == before

    launch(store)
    launched = store.mark()
    store.commit_now(Append("t1", [fact("noted")]))

    assert len({before, launched, store.mark()}) == 3
    assert store.mark() == store.mark()


def test_the_heads_of_many_threads_come_at_once(store):
    launch(store, "t1", message(), fact("noted"))
    launch(store, "t1", message(), tenant="acme")
    launch(store, 'it\'s, "odd"')

    wanted = [("default", "t1"), ("acme", "t1"), ("acme", "t2"), ("default", 'it\'s, "odd"')]

    assert store.heads_of([]) == {}
    assert store.heads_of([Ref(*name) for name in wanted]) == {
        ("default", "t1"): 2,
        ("acme", "t1"): 1,
        ("default", 'it\'s, "odd"'): 1,
    }


def test_events_come_in_pages(store):
    launch(store, "t0")
    stored = launch(store, "t1", *(fact("noted", n=n) for n in range(5)))
    launch(store, "t2")

    assert store.events("t1") == stored
    assert store.events("t1", after=1, limit=2) == stored[1:3]
    assert store.events("t1", after=4, limit=2) == stored[4:]
    assert store.events("t1", after=5) == []
    assert store.events("t1", tenant="acme") == store.events("nothing") == []


def test_the_mark_of_contacts_differs_when_one_is_opened_moved_or_closed(store):
    marks = [store.contacts_mark()]

    def then(*drafts):
        store.commit_now(Append("t1", drafts))
        marks.append(store.contacts_mark())

    launch(store, "t1", asked("s1.1"))
    marks.append(store.contacts_mark())
    launch(store, "t2", asked("s1.1", at=LATER))
    marks.append(store.contacts_mark())
    then(fact("contact_reassigned", contact="s1.1", step="s1", deadline=None, to="olga"))
    then(closed("s1.1"))
    then(closed("s9.1"), asked("s2.1"))
    then(closed("s2.1"), asked("s3.1"))

    assert len(set(marks)) == len(marks)
    launch(store, "t3")
    launch(store, "t3", asked("s1.1"), tenant="acme")
    assert store.contacts_mark() == marks[-1]


def test_the_mark_of_threads_differs_when_one_grows_or_begins(store):
    marks = [store.threads_mark()]

    launch(store, "t1")
    marks.append(store.threads_mark())
    launch(store, "t2")
    marks.append(store.threads_mark())
    store.commit_now(Append("t1", [fact("noted")]))
    marks.append(store.threads_mark())

    assert len(set(marks)) == len(marks)
    launch(store, "t1", tenant="acme")
    assert store.threads_mark() == marks[-1]
