"""Any event that somebody changed, deleted, reordered or inserted is found, and where."""

import random
from collections.abc import Callable
from os import urandom
from typing import Any

import pytest
from logs import *  # noqa: F403
from logs import Raw

from twelvefold.audit import Broken, Verified, commitment, link, verify

TIMES = 1000

Rows = list[dict[str, Any]]
Places = set[int | None]
"""Where the chain may break; None is the row of the thread."""
Tamper = Callable[[Raw, str, Rows, random.Random], Places]


def flip(raw: Raw, id: str, rows: Rows, chance: random.Random) -> Places:
    """One character of the data."""
    row = chance.choice(rows)
    at = chance.randrange(len(row["data"]))
    other = chance.choice([c for c in "{}0aZ\\ü" if c != row["data"][at]])
    raw.change(id, row["seq"], "data", row["data"][:at] + other + row["data"][at + 1 :])
    return {row["seq"]}


def salt(raw: Raw, id: str, rows: Rows, chance: random.Random) -> Places:
    row = chance.choice(rows)
    found = bytearray(row["salt"])
    found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    raw.change(id, row["seq"], "salt", bytes(found))
    return {row["seq"]}


def chain(raw: Raw, id: str, rows: Rows, chance: random.Random) -> Places:
    row = chance.choice(rows)
    found = bytearray(row["chain"])
    found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    raw.change(id, row["seq"], "chain", bytes(found))
    return {row["seq"]}


def header(raw: Raw, id: str, rows: Rows, chance: random.Random) -> Places:
    row = chance.choice(rows)
    changes: list[tuple[str, Any]] = [
        ("type", "contact_answered"),
        ("type", "noted"),
        ("key", None),
        ("key", "vote:s1.1:mallory"),
        ("at", "2026-11-20T12:00:00.000001Z"),
        ("after", None),
        ("after", row["seq"] + 70),
        ("v", 0),
        ("v", 99),
    ]
    column, value = chance.choice([(c, v) for c, v in changes if v != row[c]])
    raw.change(id, row["seq"], column, value)
    return {row["seq"]}


def delete(raw: Raw, id: str, rows: Rows, chance: random.Random) -> Places:
    """One event, leaving a gap or moving up what follows; the row may say one less."""
    at = chance.randrange(len(rows))
    left = [row for n, row in enumerate(rows) if n != at]
    if chance.random() < 0.5:
        left = renumbered(left)
    if chance.random() < 0.5:
        raw.change_row(id, "head", len(left))
    raw.put(id, left, beginning=at + 1)
    return {at + 1} if at + 1 < len(rows) else {None}


def reorder(raw: Raw, id: str, rows: Rows, chance: random.Random) -> Places:
    """Two events change places, with their chains or without."""
    one, other = sorted(chance.sample(range(len(rows)), 2))
    moved = [dict(row) for row in rows]
    moved[one], moved[other] = moved[other], moved[one]
    if chance.random() < 0.5:
        moved[one]["chain"], moved[other]["chain"] = moved[other]["chain"], moved[one]["chain"]
    raw.put(id, renumbered(moved), beginning=one + 1)
    return {one + 1}


def insert(raw: Raw, id: str, rows: Rows, chance: random.Random) -> Places:
    """A copy of an event, or a forged one whose own chain is right, anywhere."""
    at = chance.randrange(len(rows) + 1)
    forged = dict(chance.choice(rows), seq=at + 1, key=None)
    if chance.random() < 0.5:
        forged["data"] = '{"contact":"s1.1","decision":"approve","by":"mallory"}'
    if chance.random() < 0.5:
        recorded = raw.recorded(id)
        place = tuple(forged[c] for c in ("seq", "type", "v", "key", "after", "at"))
        before = rows[at - 1]["chain"] if at else recorded.genesis
        committed = commitment(forged["salt"], forged["data"])
        forged["chain"] = link(before, recorded.tenant, id, place, committed)  # type: ignore
    raw.put(id, renumbered([*rows[:at], forged, *rows[at:]]), beginning=at + 1)
    raw.change_row(id, "head", len(rows) + 1)
    return {at + 1, at + 2} if at < len(rows) else {at + 1, None}


def thread_row(raw: Raw, id: str, rows: Rows, chance: random.Random) -> Places:
    head = len(rows) + chance.choice([-1, 1, 5])
    changes: dict[str, Any] = {"head": head, "chain": urandom(32), "agent": "other"}
    changes["parent_thread"] = "other"
    if raw.recorded(id).parent:
        changes |= {"parent_thread": None, "parent_step": "s9", "parent_intent": "pay"}
    column = chance.choice(list(changes))
    raw.change_row(id, column, changes[column])
    return {None} if column in {"head", "chain"} else {1}


def drop(raw: Raw, id: str, rows: Rows, chance: random.Random) -> Places:
    """The data of an event goes as if it were erased, with its commitment or without."""
    row = chance.choice(rows)
    raw.change(id, row["seq"], "data", None)
    if chance.random() < 0.7:
        raw.change(id, row["seq"], "salt", None)
    raw.change(id, row["seq"], "commit", commitment(row["salt"], row["data"]))
    return {row["seq"]}


def renumbered(rows: Rows) -> Rows:
    return [dict(row, seq=seq) for seq, row in enumerate(rows, start=1)]


@pytest.mark.parametrize(
    "tamper",
    [flip, delete, reorder, insert, header, salt, chain, drop, thread_row],
    ids=lambda tamper: tamper.__name__,
)
def test_whatever_was_done_to_a_log_is_found_where_it_was_done(
    kind: str, logs: list[str], raw: Raw, tamper: Tamper
):
    kept = {id: raw.rows(id) for id in logs}
    chance = random.Random(f"{kind} {tamper.__name__}")
    missed: list[Any] = []
    for _ in range(TIMES):
        id = chance.choice(logs)
        with raw.undone():
            places = tamper(raw, id, kept[id], chance)
            found = verify(raw.recorded(id))
        if not (isinstance(found, Broken) and found.seq in places):
            missed.append((id, places, found))

    print(f"{tamper.__name__} on {kind}: {TIMES - len(missed)} of {TIMES} found")  # noqa: T201
    assert missed == []
    assert [type(verify(raw.recorded(id))) for id in logs] == [Verified] * len(logs)


def test_a_thread_under_another_name_is_broken(logs: list[str], raw: Raw):
    with raw.undone():
        raw.change_row("t1", "id", "t9")
        assert isinstance(verify(raw.recorded("t9")), Broken)
    with raw.undone():
        raw.change_row("t1", "tenant", "acme")
        assert isinstance(verify(raw.reads.recorded("t1", tenant="acme")), Broken)


@pytest.mark.parametrize("value", [b"\x00", 7, b"{}"])
def test_a_column_of_another_kind_is_broken(kind: str, logs: list[str], raw: Raw, value: Any):
    """SQLite keeps anything anywhere."""
    if kind == "postgres":
        return
    for column in ("type", "data", "salt", "chain", "at"):
        with raw.undone():
            raw.change("t1", 3, column, value)
            assert isinstance(verify(raw.recorded("t1")), Broken)


def test_what_an_honest_store_appends_is_verified_again(logs: list[str], store: Any, raw: Raw):
    from contracts.store import fact
    from twelvefold.store import Append

    store.commit_now(Append("t1", [fact("noted", n=1)]))

    assert isinstance(verify(raw.recorded("t1")), Verified)


def test_who_may_write_to_the_database_can_append_what_the_chain_takes_for_true(
    logs: list[str], raw: Raw
):
    """The chain has no secret: it protects what was written, and does not say by whom."""
    rows, recorded = raw.rows("t1"), raw.recorded("t1")
    with raw.undone():
        forged = dict(rows[-1], seq=len(rows) + 1, key=None)
        place = tuple(forged[c] for c in ("seq", "type", "v", "key", "after", "at"))
        committed = commitment(forged["salt"], forged["data"])
        forged["chain"] = link(recorded.chain, recorded.tenant, "t1", place, committed)  # type: ignore
        raw.put("t1", [forged], beginning=len(rows) + 1)
        raw.change_row("t1", "head", len(rows) + 1)
        raw.change_row("t1", "chain", forged["chain"])

        assert verify(raw.recorded("t1")) == Verified("default", "t1", len(rows) + 1)
