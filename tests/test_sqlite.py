"""What is special about the SQLite store: its file, its groups, its errors, its durability."""

import asyncio
import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from contracts.store import NOW, asked, closed, fact, launch, message, types
from twelvefold.exceptions import (
    ConfigurationError,
    Fenced,
    Stale,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
    StoreVersion,
    Unstorable,
)
from twelvefold.store import Append, Create, Ref, Timer
from twelvefold.stores import open_store
from twelvefold.stores.sqlite import SqliteStore, runner_pid
from twelvefold.stores.sqlite.failures import translated
from twelvefold.stores.sqlite.groups import GROUP_MAX, INLINE_S_MAX, TURNS_MAX
from twelvefold.stores.sqlite.opening import refuse_network_disk
from twelvefold.stores.sqlite.queries import SQL
from twelvefold.stores.sqlite.schema import MIGRATIONS, Migration, migrate
from twelvefold.summary import summarize
from twelvefold.tables.queries import parse_queries
from twelvefold.thread import canonical

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agents.db"


@pytest.fixture
def store(path: Path):
    store = SqliteStore(path)
    yield store
    store.close()


def rows(path: Path, sql: str) -> list[tuple]:
    db = sqlite3.connect(path)
    try:
        with db:
            return db.execute(sql).fetchall()
    finally:
        db.close()


@contextmanager
def locked_elsewhere(path: Path):
    """Another connection is in the middle of a write."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("begin immediate")
    try:
        yield db
    finally:
        db.close()


# Opening


@pytest.mark.parametrize("prefix", ["", "sqlite:///"], ids=["path", "url"])
def test_a_store_is_opened_by_path_or_url(tmp_path, monkeypatch, prefix):
    monkeypatch.chdir(tmp_path)

    for place in ("relative/agents.db", f"{tmp_path}/absolute.db"):
        store = open_store(prefix + place)
        launch(store)
        store.close()
        assert (tmp_path / place).exists()


@pytest.mark.parametrize("url", ["", "mysql://host/db", "sqlite://agents.db", "mysql:x"])
def test_other_urls_are_refused_with_what_is_understood(url):
    with pytest.raises(ConfigurationError, match="sqlite:///relative/path"):
        open_store(url)


@pytest.mark.parametrize("place", ["", ":memory:"])
def test_what_is_no_file_is_refused(place):
    with pytest.raises(ConfigurationError, match="not a file"):
        SqliteStore(place)


def test_a_store_is_found_again_as_it_was_left(path):
    store = SqliteStore(path)
    launch(store, wake=True, timers=[Timer("k", NOW)])
    thread = store.load("t1")
    store.close()

    again = SqliteStore(path)

    assert again.load("t1") == thread
    assert (len(again.woken()), len(again.due(NOW))) == (1, 1)
    again.close()


def test_the_file_is_written_ahead_and_synced_in_full(store):
    (mode,) = store._writer._db.execute("pragma journal_mode").fetchone()
    (synchronous,) = store._writer._db.execute("pragma synchronous").fetchone()

    assert (mode, synchronous) == ("wal", 2)


def test_many_may_open_a_new_file_at_once(path):
    failures: list[Exception] = []

    def open_and_launch(n: int) -> None:
        try:
            store = SqliteStore(path)
            launch(store, f"t{n}")
            store.close()
        except Exception as error:
            failures.append(error)

    openers = [threading.Thread(target=open_and_launch, args=(n,)) for n in range(6)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()

    assert failures == []
    assert rows(path, "select count(*) from twelvefold_threads") == [(6,)]


def test_a_file_that_is_no_database_is_left_as_it_is(path):
    path.write_text("Dear diary, " * 100)

    with pytest.raises(StoreCorrupt, match="restore the newest backup"):
        SqliteStore(path)
    assert path.read_text() == "Dear diary, " * 100


def test_a_damaged_file_is_named_as_such(path):
    store = SqliteStore(path)
    for n in range(50):
        launch(store, f"t{n}", message("x" * 500))
    store.close()
    content = path.read_bytes()
    damaged = content[:4096] + b"\xff" * (len(content) - 4096)
    path.write_bytes(damaged)

    with pytest.raises(StoreCorrupt, match="not a readable twelvefold log"):
        SqliteStore(path).threads()
    assert path.read_bytes()[4096:] == damaged[4096:]


def test_a_file_of_a_newer_twelvefold_is_left_untouched(path):
    SqliteStore(path).close()
    rows(path, "insert into twelvefold_migrations values (9999, '9999_future.sql', '')")
    before = path.read_bytes()

    with pytest.raises(StoreVersion, match=r"schema 9999.*Upgrade"):
        SqliteStore(path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name]


def test_a_path_behind_a_file_cannot_be_opened(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreUnavailable, match="cannot be opened for writing") as raised:
        SqliteStore(tmp_path / "file" / "agents.db")
    assert not raised.value.retryable


def test_a_folder_is_no_database(tmp_path):
    with pytest.raises(StoreUnavailable, match="it is a folder") as raised:
        SqliteStore(tmp_path)
    assert not raised.value.retryable


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is a folder that root cannot write to")
def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(StoreUnavailable, match="/proc/agents") as raised:
        SqliteStore("/proc/agents.db")
    assert not raised.value.retryable


def test_a_read_only_file_is_not_worth_a_retry(path):
    SqliteStore(path).close()
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as raised:
        db.execute("delete from twelvefold_events")
    db.close()

    error = translated(raised.value, str(path))

    assert isinstance(error, StoreUnavailable)
    assert not error.retryable


def test_a_file_that_turns_read_only_refuses_and_recovers(store):
    launch(store)
    store._writer._db.execute("pragma query_only = on")

    with pytest.raises(StoreUnavailable) as raised:
        store.commit_now(Append("t1", [fact()]))

    assert not raised.value.retryable
    store._writer._db.execute("pragma query_only = off")
    store.commit_now(Append("t1", [fact()]))
    assert types(store) == ["message_received", "noted"]


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /mnt/data rw - {kind} server:/export rw
31 30 8:2 / /mnt/data/local\\040disk rw - ext4 /dev/sdb rw
"""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs"])
def test_a_network_disk_is_refused(kind):
    mounts = MOUNTS.format(kind=kind)

    with pytest.raises(ConfigurationError, match="network disk"):
        refuse_network_disk("/mnt/data/agents.db", mounts)
    refuse_network_disk("/mnt/data/local disk/agents.db", mounts)
    refuse_network_disk("/mnt/database/agents.db", mounts)


def test_a_local_disk_is_accepted():
    refuse_network_disk("/mnt/data/agents.db", MOUNTS.format(kind="9p"))
    refuse_network_disk("/anywhere/agents.db", "")


def test_a_closed_store_says_so(path):
    store = SqliteStore(path)
    launch(store)
    store.close()

    with pytest.raises(StoreUnavailable) as raised:
        store.commit_now(Append("t1", [fact()]))
    assert not raised.value.retryable
    with pytest.raises(StoreUnavailable):
        store.load("t1")
    with pytest.raises(StoreUnavailable):
        asyncio.run(store.commit(Append("t1", [fact()])))


# Migrations

FUTURE = Migration(
    2, "0002_notes.sql", "-- more\ncreate table notes (n);\ninsert into notes values (1);"
)
BROKEN = Migration(3, "0003_broken.sql", "create table more (n);\ninsert into nowhere values (1);")


@contextmanager
def connection(path: Path):
    db = sqlite3.connect(path, isolation_level=None)
    try:
        yield db
    finally:
        db.close()


def test_an_older_file_is_copied_before_it_is_migrated(path, store):
    launch(store)
    store.close()

    with connection(path) as db:
        assert migrate(db, str(path), [*MIGRATIONS, FUTURE]) == 1
        assert migrate(db, str(path), [*MIGRATIONS, FUTURE]) == 0

    assert rows(path, "select n from notes") == [(1,)]
    copy = Path(f"{path}.before-0002")
    assert rows(copy, "select id from twelvefold_threads") == [("t1",)]
    assert rows(copy, "select max(number) from twelvefold_migrations") == [(1,)]
    assert not Path(f"{copy}.unfinished").exists()


def test_an_empty_file_needs_no_copy(path, store):
    store.close()

    with connection(path) as db:
        migrate(db, str(path), [*MIGRATIONS, FUTURE])

    assert [p.name for p in path.parent.iterdir() if "before" in p.name] == []


def test_migrations_run_all_or_not_at_all(path, store):
    launch(store)
    store.close()

    with connection(path) as db, pytest.raises(sqlite3.OperationalError):
        migrate(db, str(path), [*MIGRATIONS, FUTURE, BROKEN])

    tables = {name for (name,) in rows(path, "select name from sqlite_master")}
    assert not {"notes", "more"} & tables
    again = SqliteStore(path)
    assert types(again) == ["message_received"]
    again.close()


def test_another_applications_tables_may_live_in_the_file(path):
    rows(path, "create table invoices (n)")

    store = SqliteStore(path)
    launch(store)
    store.close()

    assert rows(path, "select count(*) from invoices") == [(0,)]


def test_every_statement_is_valid(store):
    for name in SQL:
        assert SQL[name].startswith("pragma") or explained(store, name, "explain"), name


def explained(store: SqliteStore, name: str, how: str) -> list[tuple]:
    places = [int(number) for number in re.findall(r"\?(\d+)", SQL[name])]
    numbered = [None] * max(places, default=SQL[name].count("?"))
    return store._writer._db.execute(f"{how} {SQL[name]}", numbered).fetchall()


@pytest.mark.parametrize(
    "name",
    [
        "thread_for_append",
        "insert_thread",
        "update_thread",
        "event_by_key",
        "events_after",
        "types_after",
        "list_threads",
        "list_threads_of_agent",
        "list_threads_of_status",
        "thread_row",
        "end_wake",
        "due",
    ],
)
def test_the_cost_of_a_daily_statement_does_not_grow_with_the_table(store, name):
    plan = str(explained(store, name, "explain query plan"))

    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_comments_are_no_part_of_a_statement():
    parsed = parse_queries(
        "-- top\n\n-- name: one\n-- why\nselect 1;\n\n-- name: two\nselect\n  2;\n"
    )

    assert parsed == {"one": "select 1", "two": "select\n  2"}


# The log


def test_the_chain_can_be_recomputed_by_anybody(path, store):
    launch(store, "t1", message("grüß\ud800", "k"), fact(n=2**60))
    store.commit_now(Append("t1", [fact()]))

    chain = hashlib.sha256(canonical(["1", "default", "t1", "deploybot", *[None] * 3]).encode())
    chain = chain.digest()
    columns = 'seq, type, v, key, after, at, salt, data, "commit", chain'
    for *place, salt, data, commit, linked in rows(
        path, f"select {columns} from twelvefold_events"
    ):
        assert len(salt) == 16
        assert commit is None  # it follows from salt and data until those are erased
        commitment = hashlib.sha256(salt + data.encode()).digest()
        header = canonical(["default", "t1", *place]).encode()
        chain = hashlib.sha256(chain + header + commitment).digest()
        assert linked == chain
    assert rows(path, "select chain from twelvefold_threads") == [(chain,)]


def test_the_projections_rebuilt_equal_the_live_ones(path, store):
    launch(store, "t1", message(), asked("s1.1", "2026-11-21T10:00:00+02:00"), asked("s1.2"))
    store.commit_now(Append("t1", [closed("s1.1"), fact("paused")]))
    launch(store, "fork", message(), asked("s1.1"), fact("forked"))
    launch(store, "t1", message("other tenant"), asked("s9.1"), tenant="b")
    live = [rows(path, f"select * from twelvefold_{table}") for table in ("threads", "contacts")]
    rows(path, "update twelvefold_threads set summary = '{}', status = 'failed'")
    rows(path, "delete from twelvefold_contacts where id = 's1.1'")
    rows(path, "update twelvefold_contacts set outcome = 'invented'")

    assert store.rebuild() == (3, (Ref("default", "t1"), Ref("default", "fork"), Ref("b", "t1")))
    assert store.rebuild() == (3, ())

    assert [
        rows(path, f"select * from twelvefold_{table}") for table in ("threads", "contacts")
    ] == live


def test_a_rebuild_that_fails_changes_nothing(path, store):
    launch(store, "t1", message(), asked("s1.1"))
    rows(path, "update twelvefold_events set data = '{' where seq = 1")
    live = rows(path, "select * from twelvefold_contacts")

    with pytest.raises(json.JSONDecodeError):
        store.rebuild()

    assert rows(path, "select * from twelvefold_contacts") == live
    store.commit_now(Append("t1", [fact()]))


# What is kept between two transactions


@pytest.fixture
def other(path: Path, store: SqliteStore):
    """The same file in another process, as far as SQLite can tell."""
    other = SqliteStore(path)
    yield other
    other.close()


def test_a_foreign_commit_between_two_of_ours_is_seen(store, other):
    launch(store)
    store.commit_now(Append("t1", [fact()], expect=1))

    other.commit_now(Append("t1", [message("theirs", "k")], expect=2, claim=True))

    with pytest.raises(Stale):
        store.commit_now(Append("t1", [fact()], expect=2))
    with pytest.raises(Fenced):
        store.commit_now(Append("t1", [fact()], expect=3, epoch=0))
    (event,) = store.commit_now(Append("t1", [fact()], expect=3, epoch=1))[0]
    assert event.seq == 4
    assert store.thread_row("t1").summary == summarize(store.load("t1").events)


def test_a_foreign_transaction_that_is_undone_changes_nothing(path, store):
    launch(store)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("begin immediate")
    store.commit_now(Append("t1", [fact("paused")]), tx=db)
    db.execute("rollback")
    db.close()

    store.commit_now(Append("t1", [fact()], expect=1))

    assert store.thread_row("t1").summary.status == "running"


async def test_a_refused_append_leaves_no_trace_in_what_is_kept(store):
    launch(store)
    store.commit_now(Append("t1", [fact()]))
    paused, broken = fact("paused"), fact("contact_closed", None)

    refused = [
        store.commit(Append("t1", [paused, broken])),
        store.commit(Append("t1", [paused]), Append("t1", [fact()], expect=9)),
    ]
    errors = await asyncio.gather(
        refused[0], store.commit(Append("t1", [fact()])), refused[1], return_exceptions=True
    )
    store.commit_now(Append("t1", [fact()], expect=3))

    assert [type(errors[0]), type(errors[2])] == [Unstorable, Stale]
    assert types(store) == ["message_received", "noted", "noted", "noted"]
    assert store.thread_row("t1").summary == summarize(store.load("t1").events)


def test_a_group_that_is_undone_leaves_no_trace_in_what_is_kept(store):
    launch(store)
    store._writer._db.execute(
        "create temp trigger no before insert on twelvefold_events "
        "when new.type = 'refused' begin select raise(abort, 'no'); end"
    )

    with pytest.raises(StoreError):
        store.commit_now(Append("t1", [fact("paused"), fact("refused")]))
    store.commit_now(Append("t1", [fact()], expect=1))

    assert store.thread_row("t1").summary == summarize(store.load("t1").events)


def test_what_is_rebuilt_is_not_what_was_kept(path, store):
    launch(store, "t1", message(), asked("s1.1"))
    rows(path, "update twelvefold_threads set summary = '{}'")
    store.commit_now(Append("t1", [fact()]))  # keeps what is wrong

    store.rebuild()
    store.commit_now(Append("t1", [fact()]))

    assert store.thread_row("t1").summary == summarize(store.load("t1").events)


def test_more_threads_than_are_kept(store, monkeypatch):
    monkeypatch.setattr("twelvefold.stores.sqlite.kept.KEPT_MAX", 2)

    for seq in range(3):
        for id in ("a", "b", "c"):
            create = Create("deploybot") if seq == 0 else None
            store.commit_now(Append(id, [fact()], expect=seq, create=create))

    assert [store.thread_row(id).head for id in ("a", "b", "c")] == [3, 3, 3]


# Groups


async def test_what_one_tick_asks_for_is_one_transaction(store, monkeypatch):
    monkeypatch.setattr("twelvefold.stores.sqlite.groups.INLINE_S_MAX", float("inf"))  # any disk
    launch(store)

    async def transactions(requests: int) -> int:
        before = store.transactions
        await asyncio.gather(*(store.commit(Append("t1", [fact()])) for _ in range(requests)))
        return store.transactions - before

    assert await transactions(GROUP_MAX) == 2  # nobody was there before: the first goes at once
    assert await transactions(GROUP_MAX) == 1
    assert await transactions(GROUP_MAX + 1) == 2
    assert store.load("t1").head == 1 + 3 * GROUP_MAX + 1


async def test_after_some_commits_of_a_task_others_get_their_turn(store):
    launch(store)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.ensure_future(other())
    for _ in range(10 * TURNS_MAX):
        await store.commit(Append("t1", [fact()]))
    running.cancel()

    assert turns >= 10


async def test_a_write_that_fails_is_undone_alone(path):
    class Wakes:
        def wake(self, tx, ref):
            raise StoreError(f"no engine for {ref.id}")

    store = SqliteStore(path, wakes=Wakes())
    launch(store)

    results = await asyncio.gather(
        store.commit(Append("t1", [fact("first")])),
        store.commit(Append("t1", [fact("lost")], wake=True)),
        store.commit(Append("t1", [fact("last")])),
        return_exceptions=True,
    )

    assert isinstance(results[1], StoreError)
    assert types(store) == ["message_received", "first", "last"]
    assert [event.seq for event in results[2][0]] == [3]
    store.close()


async def test_while_another_process_writes_the_loop_goes_on(path, store):
    launch(store)
    ticks = 0
    with locked_elsewhere(path) as other:
        commits = [asyncio.ensure_future(store.commit(Append("t1", [fact(n=n)]))) for n in (1, 2)]
        while ticks < 20:
            await asyncio.sleep(0.001)
            ticks += 1
        late = asyncio.ensure_future(store.commit(Append("t1", [fact(n=3)])))
        await asyncio.sleep(0)
        assert not any(commit.done() for commit in [*commits, late])
        assert types(store) == ["message_received"]  # reading waits for nobody
        assert store.changed() is False
        other.execute("commit")
        await asyncio.gather(*commits, late)

    assert [e.data.get("n") for e in store.load("t1").events] == [None, 1, 2, 3]
    threads = {thread.name for thread in threading.enumerate()}
    assert any(name.startswith("twelvefold-writer") for name in threads)


async def test_a_lock_that_stays_is_an_error_worth_a_retry(path):
    store = SqliteStore(path, lock_timeout_s=0.05)
    launch(store)

    with locked_elsewhere(path):
        with pytest.raises(StoreUnavailable, match="locked") as raised:
            await store.commit(Append("t1", [fact()]))
        assert raised.value.retryable
        with pytest.raises(StoreUnavailable, match="locked"):
            store.commit_now(Append("t1", [fact()]))
        with pytest.raises(StoreUnavailable, match="locked"):
            store.rebuild()

    await store.commit(Append("t1", [fact()]))
    assert types(store) == ["message_received", "noted"]
    store.close()


def test_a_file_locked_by_another_cannot_be_opened_yet(path):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("create table other (n)")
    db.execute("begin exclusive")

    with pytest.raises(StoreUnavailable, match="locked") as raised:
        SqliteStore(path, lock_timeout_s=0.05)

    assert raised.value.retryable
    db.close()
    SqliteStore(path).close()


async def test_a_slow_disk_is_waited_for_in_a_thread(store):
    launch(store)
    store._writer.average_s = 10 * INLINE_S_MAX

    events = await store.commit(Append("t1", [fact()]))

    assert list(store.load("t1").events)[1:] == events[0]
    names = {thread.name for thread in threading.enumerate()}
    assert any(name.startswith("twelvefold-writer") for name in names)


async def test_a_decision_whose_caller_is_gone_is_not_written_but_a_fact_is(store):
    launch(store)
    first = asyncio.ensure_future(store.commit(Append("t1", [fact("contact_sent")])))
    decision = asyncio.ensure_future(store.commit(Append("t1", [fact("decided")], expect=1)))
    outcome = asyncio.ensure_future(store.commit(Append("t1", [fact("tool_returned")])))
    asyncio.get_running_loop().call_soon(decision.cancel)
    asyncio.get_running_loop().call_soon(outcome.cancel)

    await asyncio.wait([decision, outcome])

    assert decision.cancelled()
    assert outcome.cancelled()
    await first
    await store.commit(
        Append("t1", [fact("contact_reminded")])
    )  # a slow disk has a thread write, in turn
    assert types(store) == ["message_received", "contact_sent", "tool_returned", "contact_reminded"]


def test_loops_in_several_threads_share_a_store(store):
    launch(store)

    async def work(worker: int) -> None:
        for n in range(10):
            await store.commit(Append("t1", [fact(key=f"{worker}:{n}")]))

    workers = [threading.Thread(target=lambda n=n: asyncio.run(work(n))) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert store.load("t1").head == 41


# Disk full


async def test_a_full_disk_loses_nothing_and_recovers(path, store):
    launch(store)
    (pages,) = store._writer._db.execute("pragma page_count").fetchone()
    store._writer._db.execute(f"pragma max_page_count = {pages + 1}")

    results = await asyncio.gather(
        store.commit(Append("t1", [fact("small")])),
        store.commit(Append("t1", [fact("large", text="x" * 100_000)])),
        return_exceptions=True,
    )
    assert isinstance(results[1], StoreFull)
    assert "make room" in str(results[1])
    with pytest.raises(StoreFull):
        store.commit_now(Append("t1", [fact("large", text="x" * 100_000)]))

    store._writer._db.execute("pragma max_page_count = 1000000")
    await store.commit(Append("t1", [fact("large", text="x" * 100_000)]))
    assert types(store) == ["message_received", "small", "large"]
    assert rows(path, "pragma integrity_check") == [("ok",)]


# Several processes


def test_the_commits_of_another_process_are_seen_once(path, store):
    launch(store)
    other = SqliteStore(path)
    store.changed()
    other.commit_now(Append("t1", [fact()]))

    assert store.changed()
    assert not store.changed()
    assert types(store) == ["message_received", "noted"]
    store.commit_now(Append("t1", [fact()]))
    assert not store.changed()
    assert other.changed()
    other.close()


def test_the_runner_is_known_by_its_pid_while_it_holds_the_lock(path, store):
    assert runner_pid(path) is None
    other = SqliteStore(path)

    with store.runner_lock() as held:
        with other.runner_lock() as second:
            assert (held, second) == (True, False)
        assert runner_pid(path) == os.getpid()

    assert runner_pid(path) is None
    with other.runner_lock() as held:
        assert held
    other.close()


HOLDER = """
import sys, time
from twelvefold.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
with store.runner_lock() as held:
    print(held, flush=True)
    time.sleep(60)
"""


@contextmanager
def python(script: str, *arguments: object):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_lock_of_a_killed_runner_is_free(path, store):
    with python(HOLDER, path) as holder:
        assert holder.stdout.readline() == "True\n"
        assert runner_pid(path) == holder.pid
        with store.runner_lock() as held:
            assert not held
        holder.send_signal(signal.SIGKILL)
        holder.wait()

    assert runner_pid(path) is None
    with store.runner_lock() as held:
        assert held


WRITER = """
import asyncio, sys
from contracts.store import Append, Create, fact, message
from twelvefold.stores.sqlite import SqliteStore

store = SqliteStore(sys.argv[1])

async def write(worker):
    await store.commit(Append(worker, [message()], create=Create("a")))
    for n in range(100_000):
        ((event,),) = await store.commit(Append(worker, [fact(key=f"k{n}")]))
        print(worker, event.key, flush=True)

async def main():
    await asyncio.gather(*(write(f"t{n}") for n in range(3)))

asyncio.run(main())
"""
ACKNOWLEDGED_BEFORE_THE_KILL = 60


@pytest.mark.parametrize("more", range(3))
def test_what_was_acknowledged_survives_a_kill(path, monkeypatch, more):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    with python(WRITER, path) as writer:
        told = [writer.stdout.readline() for _ in range(ACKNOWLEDGED_BEFORE_THE_KILL + more)]
        writer.send_signal(signal.SIGKILL)
        told += [line for line in writer.stdout if line.endswith("\n")]
        writer.wait()

    store = SqliteStore(path)
    acknowledged = {tuple(line.split()) for line in told}
    stored = {(f"t{n}", event.key) for n in range(3) for event in store.load(f"t{n}").events}
    assert acknowledged <= stored
    assert rows(path, "pragma integrity_check") == [("ok",)]
    store.close()
