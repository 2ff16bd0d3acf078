"""Whoever can write to a row changes what runs after the yes: the digest no longer fits."""

import asyncio
import sqlite3
from contextlib import closing

import psycopg
import pytest
from places import url_of
from victims import Place, Victim

from crew import Pay
from twelvefold.steps import digest, schema_hash
from twelvefold.store import Append
from twelvefold.thread import Draft, Json, to_text

CHANGE = "update twelvefold_events set data = {0} where type = 'next_step_chosen'"


def overwrite(place: Place, data: Json) -> None:
    """Another process with write access to the database, past all of the library."""
    url = url_of(place.folder)
    if url is None:
        with closing(sqlite3.connect(place.folder / "threads.db")) as db, db:
            db.execute(CHANGE.format("?"), [to_text(data)])
    else:
        with psycopg.connect(url) as db:
            db.execute(CHANGE.format("%s"), [to_text(data)])  # pyright: ignore[reportArgumentType]


def approved_but_not_run(place: Place) -> Victim:
    victim = Victim(place, Pay(to="ann")).begin()
    asyncio.run(victim.app.answer("t.s1.1", "approve", by="anna"))
    return victim


def test_other_arguments_than_the_approved_ones_do_not_run(place: Place) -> None:
    victim = approved_but_not_run(place)

    overwrite(place, {"intent": "pay", "args": {"to": "mallory"}, "by": "code"})
    victim.go_on()

    victim.expect()
    assert victim.asked()["args"] == {"to": "mallory"}


def test_a_yes_forged_into_the_step_itself_does_not_run(place: Place) -> None:
    """`approval` in a chosen step is what an edit writes: it must name a contact that was edited,
    even where whoever forges it computes the right digest."""
    victim = Victim(place, Pay(to="ann")).begin()
    chosen: dict[str, Json] = {"intent": "pay", "args": {"to": "mallory"}, "by": "human"}
    right = digest(
        tenant="default",
        thread_id="t",
        contact="s1.1",
        intent="pay",
        schema=schema_hash(Pay),
        args=chosen["args"],
    )

    chosen |= {"edits": "s1", "approval": {"contact": "s1.1", "digest": right}}
    forged = Draft("next_step_chosen", chosen, place.clock())
    asyncio.run(place.store.commit(Append("t", [forged], wake=True)))
    victim.go_on()

    victim.expect()


@pytest.mark.parametrize("args", [{"to": 7}, {}, {"to": "ann", "euros": 1}])
def test_arguments_that_no_longer_parse_do_not_run(place: Place, args: Json) -> None:
    victim = approved_but_not_run(place)

    overwrite(place, {"intent": "pay", "args": args, "by": "code"})
    victim.go_on()

    victim.expect()
