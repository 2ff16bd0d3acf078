"""Threads that begin in one statement: what is used already, or held, is left to the long way."""

import asyncio

import psycopg
import pytest

from contracts.store import fact, message, types
from twelvefold.audit import Verified, verify
from twelvefold.exceptions import Conflict, Fenced, Stale, Unstorable
from twelvefold.store import Append, Create, Ref
from twelvefold.stores.postgres import PostgresStore

pytestmark = pytest.mark.anyio


def first(id: str, **more) -> Append:
    drafts = [message("grüß\ud800\0", "k")]
    return Append(id, drafts, **({"create": Create("bot"), "wake": True} | more))


def begin_together(store: PostgresStore, *appends: Append) -> list[bool]:
    outcomes = store._writer.commit_together([[append] for append in appends])
    return [outcome is not None for outcome in outcomes]


def begun(store: PostgresStore) -> set[str]:
    return {row.ref.id for row in store.threads()}


def test_threads_begin_together_in_one_transaction(store):
    ids = [f"t{number}" for number in range(5)]
    assert begin_together(store, *map(first, ids)) == [True] * 5

    assert [woken.ref.id for woken in store.woken()] == ids
    assert [row.ref.id for row in store.threads()] == ids[::-1]
    for id in ids:
        assert types(store, id) == ["message_received"]
        assert isinstance(verify(store.recorded(id)), Verified)
    with psycopg.connect(store.url) as db:
        for table in ("threads", "events", "wakes"):
            count = f"select count(distinct xmin::text) from twelvefold_{table}"
            assert db.execute(count.encode()).fetchone() == (1,)


def test_what_begins_otherwise_goes_the_long_way(store):
    for more in ({"wake": False}, {"create": None}, {"cancel": ["k"]}, {"claim": True}):
        assert begin_together(store, first("t", **more)) == [False]
    assert begun(store) == set()


def test_a_name_that_is_used_begins_no_second_thread(store, other):
    [[stored]] = other.commit_now(first("t2"))

    assert begin_together(store, *map(first, ("t1", "t2", "t3"))) == [True, False, True]
    assert store.commit_now(first("t2")) == [[stored]]
    with pytest.raises(Conflict, match="exists already"):
        store.commit_now(Append("t2", [fact()], create=Create("bot"), wake=True))
    assert types(store, "t2") == ["message_received"]


def test_a_name_that_another_transaction_begins_is_not_waited_for(store, other):
    with psycopg.connect(store.url) as db:
        with other.within(db) as inside:
            inside.commit_now(first("t2"))

        assert begin_together(store, *map(first, ("t1", "t2"))) == [True, False]
        db.rollback()

    assert begun(store) == {"t1"}
    store.commit_now(first("t2"))
    assert types(store, "t2") == ["message_received"]


@pytest.mark.parametrize("name", ["\ud83d", "\ud83d\ude00", "a\0b"])
def test_a_name_that_no_store_keeps_is_refused_in_a_group_too(store, name):
    assert begin_together(store, first("t1"), first(name)) == [True, False]

    with pytest.raises(Unstorable):
        store.commit_now(first(name))
    assert begun(store) == {"t1"}


def test_another_engine_is_told_in_the_same_transaction(store):
    told = []

    def hears(tx, refs) -> None:
        told.append([ref.id for ref in refs])
        count = tx.execute("select count(*) from twelvefold_wakes").fetchone()
        assert count == (len(refs),)

    store.tell(hears)
    assert begin_together(store, *map(first, ("t1", "t2"))) == [True, True]
    assert told == [["t1", "t2"]]


def test_what_another_engine_refuses_has_not_begun(store):
    def hears(tx, refs) -> None:
        raise LookupError("no table of jobs")

    store.tell(hears)
    with pytest.raises(LookupError):
        begin_together(store, *map(first, ("t1", "t2")))
    with pytest.raises(LookupError):
        store.commit_now(first("t3"))

    assert (begun(store), store.woken()) == (set(), [])


async def test_who_listens_hears_of_what_began_however_it_was_written(store, other):
    heard = []
    store.listen(lambda: heard.append(len(store.woken())))
    other.changed()

    await store.commit(first("t0"))
    await store.commit(first("t1"))
    await asyncio.gather(*(store.commit(first(f"t{number}")) for number in range(2, 9)))

    assert heard[0] >= 1
    assert heard[-1] == 9
    assert other.changed()


async def test_a_crowd_begins_in_few_transactions(store):
    await asyncio.gather(*(store.commit(first(f"t{number}")) for number in range(40)))

    with psycopg.connect(store.url) as db:
        [count] = db.execute("select count(distinct xmin::text) from twelvefold_threads").fetchone()
    assert count < 40
    assert len(store.woken()) == 40


# The first append of who did not begin it


def grow(store: PostgresStore, *drafts, **more) -> bool:
    [outcome] = store._writer.commit_together([[Append("t1", drafts or [fact()], **more)]])
    return outcome is not None


def test_who_asked_for_the_epoch_grows_the_thread_in_one_statement(store, other):
    other.commit_now(first("t1"))
    assert not grow(store)
    epoch = store.epoch("t1")

    assert grow(store, expect=1, epoch=epoch, claim=True)
    assert store.epoch("t1") == epoch + 1
    assert isinstance(verify(store.recorded("t1")), Verified)


def test_what_came_after_the_epoch_was_asked_for_is_seen(store, other):
    other.commit_now(first("t1"))
    epoch = store.epoch("t1")
    other.commit_now(Append("t1", [fact("theirs")], claim=True))

    assert not grow(store, expect=1, epoch=epoch, claim=True)
    with pytest.raises(Fenced):
        store.commit_now(Append("t1", [fact("mine")], epoch=epoch))
    store.epoch("t1")
    with pytest.raises(Stale):
        store.commit_now(Append("t1", [fact("mine")], expect=1))
    assert types(store, "t1") == ["message_received", "theirs"]


def test_a_key_that_another_process_used_is_found(store, other):
    [[stored]] = other.commit_now(first("t1"))
    store.epoch("t1")

    assert store.commit_now(Append("t1", [message("again", "k")])) == [[stored]]


# Ends of advances, together


def test_wakes_end_together_and_newer_ones_stay(store, other):
    for id in ("t1", "t2", "t3"):
        store.commit_now(first(id))
    versions = {woken.ref.id: woken.version for woken in store.woken()}
    other.commit_now(Append("t2", [], wake=True))

    rests = [[Append(id, [fact()], served=version)] for id, version in versions.items()]
    grows = [[Append("t4", [fact()])]]
    store.commit_now(first("t4"))
    outcomes = store._writer.commit_together(rests + grows)

    assert [outcome is not None for outcome in outcomes] == [True] * 4
    assert {woken.ref for woken in store.woken()} == {
        Ref("default", "t2"),
        Ref("default", "t4"),
    }
    with psycopg.connect(store.url) as db:
        rows = db.execute("select id, head, parked_at from twelvefold_threads order by id")
        assert rows.fetchall() == [("t1", 2, 2), ("t2", 2, 2), ("t3", 2, 2), ("t4", 2, 0)]
