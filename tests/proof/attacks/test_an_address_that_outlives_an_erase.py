"""Whoever wrote is forgotten with the thread, also where messages to her were recorded."""

import asyncio
from datetime import timedelta

import psycopg
from places import url_of
from victims import Place, Victim, holds

from crew import Pay
from twelvefold.directory import Directory
from twelvefold.effects import Approve
from twelvefold.testing import Postbox

SECRET = "zoe.4711"


def bytes_of(place: Place) -> bytes:
    """What the log's files hold, or every row of its tables."""
    if (url := url_of(place.folder)) is None:
        return b"".join(path.read_bytes() for path in place.folder.glob("threads.db*"))
    with psycopg.connect(url) as db:
        tables = db.execute(
            "select table_name from information_schema.tables where table_schema = current_schema()"
        ).fetchall()
        return "".join(
            str(db.execute(f'select t::text from "{name}" t').fetchall())  # pyright: ignore
            for (name,) in tables
        ).encode()


def test_no_address_is_left_of_an_erased_thread(place: Place) -> None:
    email = Postbox("email", failures=[ConnectionError(f"no such mailbox: {SECRET}")])
    people = Directory(addresses={"anna": {"email": f"anna-of-{SECRET}@example.com"}})
    victim = Victim(
        place, Pay(to=SECRET), directory=people, channels=[email],
        carry_out=lambda _, chosen: Approve(chosen.step, by="anna", remind=timedelta(hours=1)),
    )  # fmt: skip
    app = victim.app
    asyncio.run(app.launch("bot", "go", thread_id="t", channel="email", sender=f"{SECRET}@x.org"))
    victim.go_on()
    asyncio.run(app.link("t.s1.1", "anna"))
    place.clock.forward(timedelta(hours=1))
    victim.go_on()
    assert SECRET.encode() in bytes_of(place)
    assert {one.round for one in email.sent} == {0, 1}

    asyncio.run(app.cancel("t", by="olga", reason=SECRET))
    asyncio.run(app.erase("t", by="olga", reason="request 4711"))
    place.store.scrub()

    holds(SECRET.encode() not in bytes_of(place), "an address is left of what was erased")
