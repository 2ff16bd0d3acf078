"""Erasing: who may be erased, what is left, and that the bytes are gone from the files."""

import json
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crew import (
    Errand,
    Pay,
    Question,
    app_of,
    approved_then,
    asking,
    pipeline,
    settle,
    status,
    store_of,
    types,
)
from twelvefold.app.erasing import erase
from twelvefold.audit import Verified, export, read_heads, verify
from twelvefold.context import render
from twelvefold.effects import Delegate
from twelvefold.exceptions import Conflict, UnknownAttachment
from twelvefold.files import diff, markdown, read_lines
from twelvefold.loop import utc_now
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import MemoryStore
from twelvefold.thread import from_jsonl

pytestmark = pytest.mark.anyio
MARKER = "my-name-is-rumpelstiltskin"
GONE = {"by": "olga", "reason": "request 4711"}


def payer(tool: Any = lambda _: "paid") -> Any:
    return pipeline(Pay(to=MARKER), carry_out=approved_then(tool))


async def ended(store: Any, agent: Any = None, thread_id: str = "t") -> Any:
    """A thread that was asked, answered and finished."""
    app = app_of(agent or payer(), store)
    await app.launch("crew", f"pay {MARKER}", thread_id=thread_id, sender=MARKER)
    await settle(app)
    await app.answer(f"{thread_id}.s1.1", "approve", by="anna", comment=MARKER)
    await settle(app)
    assert status(app, thread_id) == "finished"
    return app


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A store of each kind."""
    from twelvefold.stores import open_store

    if request.param == "postgres":
        store = open_store(request.getfixturevalue("postgres_url"))
    else:
        store = store_of(request.param, tmp_path)
    yield store
    store.close()


async def test_what_is_left_of_an_erased_thread_names_nobody_and_nothing(anywhere):
    app = await ended(anywhere)
    heads = read_heads(export(anywhere.heads(), at=utc_now()))
    before = app.thread("t")

    assert await app.erase("t", **GONE) == ["t"]

    thread = app.thread("t")
    assert thread.head == before.head + 1
    assert [e.at for e in thread.events[:-1]] == [e.at for e in before.events]
    assert thread.events[-1].data == {**GONE, "events": before.head}
    assert [e.data["type"] for e in thread.events[:-1]] == [e.type for e in before.events]
    assert MARKER not in thread.to_jsonl() + markdown(thread) + str(anywhere.thread_row("t"))
    assert render(thread) == ""
    found = verify(anywhere.recorded("t"), heads["default", "t"])
    assert found == Verified("default", "t", thread.head, erased=before.head)


async def test_an_export_that_was_made_before_is_untouched(anywhere):
    app = await ended(anywhere)
    text = app.thread("t").to_jsonl()

    await app.erase("t", **GONE)

    assert read_lines(text).to_jsonl() == text
    name = await app.import_thread(text, new_id="again")
    assert diff(read_lines(text), app.thread(name)).rows[0].same
    assert app.store.thread_row("again").status == "finished"


async def test_an_erased_thread_can_be_exported_and_read_but_not_brought_back(anywhere):
    app = await ended(anywhere)
    await app.erase("t", **GONE)
    text = app.thread("t").to_jsonl()

    assert read_lines(text).to_jsonl() == text
    assert json.loads(text.splitlines()[0])["type"] == "erased"
    await app.import_thread(text, new_id="copy")
    assert status(app, "copy") == "erased"
    with pytest.raises(Conflict, match="erased"):
        await app.fork("t")
    for verb in (app.send("t", "hello?"), app.signal("t", "merged")):
        with pytest.raises(Conflict, match="t was erased"):
            await verb
    for verb in (app.pause("t"), app.cancel("t"), app.erase("t", **GONE)):
        with pytest.raises(Conflict, match="t is erased already"):
            await verb
    for verb in (app.resume("t"), app.retry("t")):
        with pytest.raises(Conflict):
            await verb
    assert status(app) == "erased"


async def test_a_thread_that_has_not_ended_is_refused_and_says_what_to_do():
    store = MemoryStore()
    app = app_of(payer(), store)
    await app.launch("crew", "go", thread_id="t")
    with pytest.raises(Conflict, match="twelvefold cancel t"):
        await app.erase("t", **GONE)
    await settle(app)
    before = app.thread("t")

    with pytest.raises(Conflict, match="Nothing was erased"):
        await app.erase("t", **GONE)

    assert app.thread("t") == before
    await app.cancel("t")
    assert await app.erase("t", **GONE) == ["t"]


def family() -> list[Any]:
    def hand(chosen: Any) -> Any:
        return Delegate(chosen.step, "child", MARKER)

    child = pipeline(Question(text=MARKER), carry_out=asking, name="child")
    return [pipeline(Errand(), carry_out=hand), child]


async def test_the_threads_that_it_launched_go_with_it(anywhere):
    app = app_of(family(), anywhere)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.answer("t.s1.s1.1", "answer", by="anna", value=MARKER)
    await settle(app)

    assert await app.erase("t", **GONE) == ["t.s1", "t"]

    assert (status(app, "t.s1"), status(app, "t")) == ("erased", "erased")
    assert MARKER not in app.thread("t.s1").to_jsonl() + app.thread("t").to_jsonl()


async def test_an_open_child_keeps_the_whole_family():
    app = app_of(family(), MemoryStore())
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    before = [app.thread("t"), app.thread("t.s1")]

    with pytest.raises(Conflict):
        await app.erase("t", **GONE)

    assert [app.thread("t"), app.thread("t.s1")] == before


async def test_an_engine_leaves_an_erased_thread_alone(anywhere):
    app = await ended(anywhere)
    await app.erase("t", **GONE)
    from twelvefold.store import Append

    anywhere.commit_now(Append("t", [], wake=True))
    before = types(app)

    await settle(app)

    assert types(app) == before
    assert anywhere.woken() == []


async def test_attachments_of_an_erased_thread_are_gone(anywhere):
    def attach(step: Any, call: Any) -> Any:
        return call.attach(MARKER.encode(), "text/plain")

    app = await ended(anywhere, payer(attach))
    [event] = [e for e in app.thread("t").events if e.type == "tool_returned"]
    sha256 = (event.data.get("attachment") or event.data["result"])["sha256"]
    assert anywhere.kept(sha256) == MARKER.encode()

    await app.erase("t", **GONE)

    with pytest.raises(UnknownAttachment):
        anywhere.kept(sha256)


async def test_lists_rebuilt_after_an_erasure_equal_the_live_ones(tmp_path: Path):
    store = SqliteStore(tmp_path / "a.db")
    app = await ended(store)
    await ended(store, thread_id="u")
    await app.erase("t", **GONE)

    assert store.rebuild().differed == ()
    store.close()


def files(path: Path) -> dict[str, bytes]:
    """The database and all that lies beside it."""
    return {found.name: found.read_bytes() for found in path.parent.iterdir() if found.is_file()}


async def test_the_bytes_are_gone_from_the_file_and_its_log(tmp_path: Path):
    path = tmp_path / "a.db"
    store = SqliteStore(path)
    others = app_of(pipeline(Pay(to="bob"), carry_out=approved_then(lambda _: "paid")), store)
    app = await ended(store, payer(lambda _: MARKER * 500))
    for n in range(20):  # pages split and are written anew
        await others.launch("crew", "other " * 50, thread_id=f"n{n}")
    await settle(others)
    assert MARKER.encode() in b"".join(files(path).values())

    await app.erase("t", **GONE)
    assert store.scrub()

    assert [name for name, content in files(path).items() if MARKER.encode() in content] == []
    assert isinstance(verify(store.recorded("n7")), Verified)
    store.close()


async def test_a_reader_in_the_way_is_said(tmp_path: Path):
    path = tmp_path / "a.db"
    store = SqliteStore(path, lock_timeout_s=0.05)
    app = await ended(store)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from twelvefold_events").fetchone()
    await app.erase("t", **GONE)

    assert not store.scrub()

    reader.close()
    assert store.scrub()
    assert not [name for name, content in files(path).items() if MARKER.encode() in content]
    store.close()


async def test_the_verb_works_without_an_event_loop_and_inside_a_transaction(tmp_path: Path):
    store = SqliteStore(tmp_path / "a.db")
    app = await ended(store)
    db = sqlite3.connect(tmp_path / "a.db")

    db.execute("begin")
    app.sync.within(db).erase("t", **GONE)
    db.rollback()
    assert status(app) == "finished"
    assert app.sync.erase("t", **GONE) == ["t"]

    assert status(app) == "erased"
    db.close()
    store.close()


async def test_the_printed_statement_takes_the_bytes_from_the_tables_of_a_server(postgres_url: str):
    import psycopg

    from twelvefold.cli.database import VACUUM_FULL
    from twelvefold.stores import open_store

    store = open_store(postgres_url)
    app = await ended(store)
    with psycopg.connect(postgres_url, autocommit=True) as db:

        def holds() -> bool:
            """Whether the files of the tables hold the marker."""
            db.execute("checkpoint")
            tables = [f"twelvefold_{name}" for name in ("events", "threads", "contacts")]
            found = "select pg_read_binary_file(pg_relation_filepath(%s::regclass))"
            files = [db.execute(found, (table,)).fetchone() for table in tables]
            return any(MARKER.encode() in file[0] for file in files if file)

        assert holds()
        await app.erase("t", **GONE)
        assert not store.scrub()
        db.execute(VACUUM_FULL.encode())
        assert not holds()
    found = verify(store.recorded("t"))
    assert isinstance(found, Verified)
    store.close()


async def test_a_child_that_is_not_here_keeps_nothing():
    """An imported log names the threads that were launched where it came from."""
    there = app_of(family(), MemoryStore())
    await there.launch("crew", "go", thread_id="t")
    await settle(there)
    here = app_of(family(), MemoryStore())
    await here.import_thread(there.thread("t").to_jsonl())
    await here.cancel("t")

    assert await here.erase("t", **GONE) == ["t"]


async def test_of_two_who_erase_at_once_one_does():
    app = await ended(MemoryStore())
    thread = app.thread("t")
    await app.erase("t", **GONE)

    with pytest.raises(Conflict, match="erased already"):
        await app._change("t", "default", partial(erase, **GONE))

    assert len(erase(thread, now=utc_now(), **GONE).appends) == 1


async def test_what_somebody_wrote_over_can_be_erased_too(tmp_path: Path):
    store = SqliteStore(tmp_path / "a.db")
    app = await ended(store)
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("update twelvefold_events set data = '{' where seq = 8")
    db.close()

    thread = from_jsonl((await ended(MemoryStore())).thread("t").to_jsonl())
    store.commit_now(*erase(thread, now=utc_now(), **GONE).appends)

    assert status(app) == "erased"
    assert MARKER not in app.thread("t").to_jsonl()
    store.close()
