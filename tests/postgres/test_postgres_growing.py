"""Growing a thread in one statement: what is kept of it may be outrun, and never decides."""

import asyncio
import threading
from collections.abc import Iterator

import psycopg
import pytest

from contracts.store import asked, fact, launch, message, types
from twelvefold.audit import Verified, verify
from twelvefold.exceptions import Fenced, Stale, StoreUnavailable
from twelvefold.store import Append
from twelvefold.stores.postgres import PostgresStore, kept
from twelvefold.stores.postgres.kept import GROWN_MAX, KEPT_MAX

pytestmark = pytest.mark.anyio
HOLD = "select from twelvefold_threads where id = 't1' for update"


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    store = PostgresStore(postgres_url)
    launch(store, "t1", message())
    yield store
    store.close()


def grow(store: PostgresStore, *drafts, **more) -> bool:
    """Whether one statement was enough."""
    [outcome] = store._writer.commit_together([[Append("t1", drafts or [fact()], **more)]])
    return outcome is not None


def test_what_this_process_wrote_last_grows_in_one_statement(store):
    before = store.epoch("t1")
    assert grow(store)
    assert grow(store, *[fact()] * GROWN_MAX, expect=2, epoch=store.epoch("t1"), claim=True)
    assert not grow(store, *[fact()] * (GROWN_MAX + 1))

    assert store.thread_row("t1").head == len(store.load("t1").events) == 2 + GROWN_MAX
    assert store.epoch("t1") == before + 1
    assert isinstance(verify(store.recorded("t1")), Verified)


def test_what_another_process_wrote_is_seen(store, other):
    other.commit_now(Append("t1", [fact("theirs")]))

    assert not grow(store)
    with pytest.raises(Stale):
        store.commit_now(Append("t1", [fact("decided")], expect=1))
    store.commit_now(Append("t1", [fact("mine")]))

    assert types(store)[1:] == ["theirs", "mine"]
    assert isinstance(verify(store.recorded("t1")), Verified)


def test_another_advance_that_took_over_is_seen(store, other):
    epoch = store.epoch("t1")
    other.commit_now(Append("t1", [fact()], claim=True))

    with pytest.raises(Fenced):
        store.commit_now(Append("t1", [fact()], epoch=epoch))


def test_a_key_that_is_used_is_found_also_when_another_process_used_it(store, other):
    [[mine]] = store.commit_now(Append("t1", [fact("mine", key="k")]))
    assert not grow(store, fact("again", key="k"))
    assert store.commit_now(Append("t1", [fact("again", key="k")])) == [[mine]]

    assert grow(other) is False  # it knows nothing of the thread
    [[theirs]] = other.commit_now(Append("t1", [fact("theirs", key="j")]))
    assert store.commit_now(Append("t1", [fact("again", key="j")])) == [[theirs]]
    assert store.load("t1").head == 3


def test_lists_that_were_corrected_meanwhile_stay_corrected(store):
    with psycopg.connect(store.url) as db:
        db.execute(
            "update twelvefold_threads set summary = replace(summary, '}', ', \"steps\": 7}')"
        )

    assert not grow(store)
    store.commit_now(Append("t1", [fact()]))

    assert store.thread_row("t1").summary.steps == 7


def test_contacts_wakes_and_new_threads_go_the_long_way(store):
    assert not grow(store, asked("s1.1"))
    store.commit_now(Append("t1", [asked("s1.1")]))
    assert [row.id for row in store.contacts()] == ["s1.1"]

    for more in ({"wake": True}, {"cancel": ["k"]}):
        store.commit_now(Append("t1", [fact()]))
        assert not grow(store, **more)


def test_the_last_append_of_an_advance_ends_its_wake_and_no_newer_one(store):
    store.commit_now(Append("t1", [fact()], wake=True))
    [first] = store.woken()
    store.commit_now(Append("t1", [fact()], wake=True))
    [second] = store.woken()

    assert grow(store, served=first.version)
    assert store.woken() == [second]
    assert grow(store, fact(), fact(), served=second.version)
    assert store.woken() == []
    with psycopg.connect(store.url) as db:
        assert db.execute("select head, parked_at from twelvefold_threads").fetchone() == (6, 6)


def test_another_engine_hears_of_what_begins_and_of_what_is_woken(store):
    told = []
    store.tell(lambda tx, refs: told.append([ref.id for ref in refs]))

    launch(store, "t2", message(), wake=True)
    store.commit_now(Append("t2", [fact()], wake=True))
    assert grow(store, served=7)

    assert told == [["t2"], ["t2"]]


def test_a_thread_that_another_transaction_holds_is_waited_for_elsewhere(store):
    with psycopg.connect(store.url) as db:
        db.execute(HOLD)
        assert not grow(store)

        waits = threading.Thread(target=store.commit_now, args=[Append("t1", [fact("late")])])
        waits.start()
    waits.join()

    assert types(store)[-1] == "late"


async def test_the_event_loop_goes_on_while_another_transaction_holds_the_thread(store):
    with psycopg.connect(store.url) as db:
        db.execute(HOLD)
        commit = asyncio.create_task(store.commit(Append("t1", [fact("late")])))
        await asyncio.sleep(0)
        assert not commit.done()
        db.rollback()
        await commit

    assert types(store)[-1] == "late"


async def test_a_lone_task_lets_others_have_their_turn(store):
    turns = []

    async def count() -> None:
        while True:
            turns.append(store.load("t1").head)
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    for _ in range(40):
        await store.commit(Append("t1", [fact()]))
    counting.cancel()

    assert len(turns) > 5
    assert store.load("t1").head == 41


def test_a_server_that_ends_in_the_middle_leaves_it_open_what_was_saved(store):
    with psycopg.connect(store.url) as db, psycopg.connect(store.url, autocommit=True) as admin:
        db.execute("lock table twelvefold_events in exclusive mode")
        raised: list[Exception] = []

        def commit() -> None:
            try:
                store.commit_now(Append("t1", [fact()]))
            except StoreUnavailable as error:
                raised.append(error)

        commits = threading.Thread(target=commit)
        commits.start()
        ended: list[tuple[bool]] = []
        while not ended:
            ended = admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where wait_event_type = 'Lock' and query like '%grown%'"
            ).fetchall()
        commits.join()

    assert "did not answer a commit" in str(raised[0])
    store.commit_now(Append("t1", [fact()]))


def test_only_so_many_threads_are_kept(store):
    for number in range(KEPT_MAX + 1):
        launch(store, f"more{number}", message())

    assert not grow(store)
    assert len(store._writer._kept._threads) == KEPT_MAX


# Many at once


def grow_together(store: PostgresStore, *ids: str, **more) -> list[bool]:
    requests = [[Append(id, [fact(), fact()], **more)] for id in ids]
    return [outcome is not None for outcome in store._writer.commit_together(requests)]


@pytest.fixture
def many(store: PostgresStore) -> list[str]:
    for number in range(2, 6):
        launch(store, f"t{number}", message("grüß\ud800\0"))
    return [f"t{number}" for number in range(1, 6)]


def test_threads_grow_together_in_one_transaction(store, many):
    assert grow_together(store, *many) == [True] * 5

    for id in many:
        assert store.thread_row(id).head == len(store.load(id).events) == 3
        assert isinstance(verify(store.recorded(id)), Verified)
    with psycopg.connect(store.url) as db:
        count = "select count(distinct xmin::text) from twelvefold_events where seq > 1"
        assert db.execute(count).fetchone() == (1,)


def test_of_a_group_those_grow_that_can(store, other, many):
    other.commit_now(Append("t2", [fact("theirs")]))
    with psycopg.connect(store.url) as db:
        db.execute("select from twelvefold_threads where id = 't4' for update")

        assert grow_together(store, *many) == [True, False, True, False, True]

    assert types(store, "t2")[1:] == ["theirs"]
    assert types(store, "t4")[1:] == []


def test_one_at_fault_lets_the_others_be_committed_alone(store, many):
    [[first]] = store.commit_now(Append("t3", [fact("first", key="k")]))
    other_key = [[Append(id, [fact(key="k")])] for id in many]
    assert store._writer.commit_together(other_key) == [None] * 5

    for [append] in other_key:
        store.commit_now(append)
    assert [len(store.load(id).events) for id in many] == [2] * 5
    assert store.load("t3").events[-1] == first


async def test_what_comes_up_at_once_is_written_in_groups_and_in_order(store, many):
    async def grow_one(id: str) -> None:
        for number in range(20):
            await store.commit(Append(id, [fact(f"n{number}")]))

    await asyncio.gather(*map(grow_one, many))

    for id in many:
        assert types(store, id)[1:] == [f"n{number}" for number in range(20)]
        assert isinstance(verify(store.recorded(id)), Verified)
    with psycopg.connect(store.url) as db:
        count = "select count(distinct xmin::text) from twelvefold_events where seq > 1"
        [commits] = db.execute(count).fetchone() or (0,)
    assert commits < len(many) * 20


async def test_a_closed_store_says_so_to_all_who_ask(store, many):
    store.close()

    asked = [store.commit(Append(id, [fact()])) for id in many]
    for outcome in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(outcome, StoreUnavailable)
        assert "is closed" in str(outcome)


# Nothing else is different


def write_history(store: PostgresStore) -> None:
    for number in range(3):
        id = f"h{number}"
        launch(store, id, message(), wake=True)
        for step in range(4):
            head = store.thread_row(id).head
            chosen = fact("next_step_chosen", intent="look", args={"n": step}, by="model")
            started = fact("tool_started", step=f"s{step + 1}", intent="look", attempt=1)
            store.commit_now(Append(id, [chosen, started], expect=head, claim=not step))
            data = {"step": f"s{step + 1}", "intent": "look", "attempt": 1, "result": "ü\ud800"}
            returned = fact("tool_returned", f"outcome:{step}", **data)
            store.commit_now(Append(id, [returned]))
            store.commit_now(Append(id, [returned]))
        served = store.woken()[-1].version if number else 0  # the first one is left woken
        store.commit_now(Append(id, [fact("finished", message="done")], served=served))


def dump(store: PostgresStore) -> list[list[tuple[object, ...]]]:
    """All that two stores may have alike."""
    tables = {
        "threads": "id, agent, head, epoch, parked_at, encode(chain, 'hex'), status, summary",
        "events": "thread, seq, type, v, key, after, at, data, encode(chain, 'hex')",
        "contacts": "thread, id",
        "wakes": "thread_id, tenant",
        "timers": "thread_id, key",
    }
    with psycopg.connect(store.url) as db:
        return [
            db.execute(f"select {columns} from twelvefold_{name} order by 1, 2").fetchall()
            for name, columns in tables.items()
        ]


def test_the_short_way_leaves_what_the_long_way_leaves(postgres, monkeypatch):
    dumps = []
    monkeypatch.setattr("twelvefold.tables.appends.urandom", bytes)
    for kept_max in (KEPT_MAX, 0):
        monkeypatch.setattr(kept, "KEPT_MAX", kept_max)
        with postgres.log() as url:
            store = PostgresStore(url)
            write_history(store)
            dumps.append(dump(store))
            store.close()

    assert dumps[0] == dumps[1]
    assert len(dumps[0][1]) == 3 * 14
