"""Attacks on an audit, each found or stopped by one guard. `python guards.py <attack> <folder>`
exits 0 when it failed, and BROKEN_EXIT when it succeeded.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from contracts.store import LATER, NOW, fact, message
from twelvefold.app import App
from twelvefold.audit import (
    Recorded,
    Said,
    Verified,
    commitment,
    decisions,
    export,
    link,
    read_heads,
    to_csv,
    verify,
)
from twelvefold.exceptions import Conflict, InvalidFile
from twelvefold.store import Append, Create
from twelvefold.stores.sqlite import SqliteStore

BROKEN_EXIT = 42
KEY = b"k" * 32
MARKER = "rumpelstiltskin"


class Desk:
    """A thread `t` of five events, and whoever may write to its file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "agents.db"
        self.store = SqliteStore(self.path)
        to = {"people": ["anna"], "needed": 1}
        asked = fact("contact_requested", contact="s1.1", step="s1", kind="question", to=to)
        noted = [fact("noted", n=n) for n in range(3)]
        drafts = [message(MARKER), asked, *noted]
        self.store.commit_now(Append("t", drafts, create=Create("bot")))

    def write(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    @property
    def recorded(self) -> Recorded:
        return self.store.recorded("t")

    def passes(self, heads: str | None = None) -> bool:
        head = None if heads is None else read_heads(heads)["default", "t"]
        return isinstance(verify(self.recorded, head), Verified)

    @property
    def heads(self) -> str:
        return export(self.store.heads(), at=NOW)


def data_is_changed(desk: Desk) -> bool:
    desk.write("update twelvefold_events set data = '{\"n\":9}' where seq = 4")
    return desk.passes()


def a_type_is_changed(desk: Desk) -> bool:
    desk.write("update twelvefold_events set type = 'finished' where seq = 4")
    return desk.passes()


def an_event_is_written_anew_with_its_own_hash(desk: Desk) -> bool:
    recorded = desk.recorded
    record = recorded.records[3]._replace(data='{"n":9}')
    committed = commitment(record.salt or b"", record.data or "")
    before = recorded.records[2].chain
    chain = link(before, "default", "t", record.place, committed)
    desk.write(
        f"update twelvefold_events set data = '{record.data}', chain = x'{chain.hex()}'"
        " where seq = 4"
    )
    return desk.passes()


def another_agent_takes_over(desk: Desk) -> bool:
    desk.write("update twelvefold_threads set agent = 'robot'")
    return desk.passes()


def the_newest_event_is_deleted(desk: Desk) -> bool:
    desk.write("delete from twelvefold_events where seq = 5")
    return desk.passes()


def an_event_is_erased_by_nobody(desk: Desk) -> bool:
    record = desk.recorded.records[3]
    committed = commitment(record.salt or b"", record.data or "").hex()
    desk.write(
        f"update twelvefold_events set data = null, salt = null, \"commit\" = x'{committed}'"
        " where seq = 4"
    )
    return desk.passes()


def the_log_is_cut_off(desk: Desk) -> bool:
    heads = desk.heads
    desk.write(
        "delete from twelvefold_events where seq = 5",
        "update twelvefold_threads set head = 4,"
        " chain = (select chain from twelvefold_events where seq = 4)",
    )
    return desk.passes(heads)


def the_log_is_written_anew(desk: Desk) -> bool:
    heads = desk.heads
    desk.write("delete from twelvefold_contacts", "delete from twelvefold_events")
    desk.write("delete from twelvefold_threads")
    drafts = [fact("noted", n=n) for n in range(5)]
    desk.store.commit_now(Append("t", drafts, create=Create("bot")))
    return desk.passes(heads)


def a_signature_is_forged(desk: Desk) -> bool:
    text = export(desk.store.heads(), at=NOW, key=b"x" * 32)
    try:
        return bool(read_heads(text, key=KEY))
    except InvalidFile:
        return False


def a_formula_reaches_the_spreadsheet(desk: Desk) -> bool:
    said = Said("default", "t", "bot", 1, "contact_answered", None, "", '{"comment":"=1+1"}')
    return '"=1+1"' in "".join(to_csv(decisions([said])))


async def an_open_thread_is_erased(desk: Desk) -> bool:
    try:
        await App([], store=desk.store).erase("t", by="mallory", reason="to hide it")
    except Conflict:
        return False
    return True


async def what_was_erased_is_still_in_the_file(desk: Desk) -> bool:
    app = App([], store=desk.store)
    desk.store.commit_now(Append("t", [fact("cancelled", at=LATER)]))
    await app.erase("t", by="olga", reason="request 4711")
    desk.store.scrub()
    files = [found.read_bytes() for found in desk.path.parent.iterdir() if found.is_file()]
    return any(MARKER.encode() in content for content in files)


Attack = Callable[[Desk], bool | Awaitable[bool]]
ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        data_is_changed,
        a_type_is_changed,
        an_event_is_written_anew_with_its_own_hash,
        another_agent_takes_over,
        the_newest_event_is_deleted,
        an_event_is_erased_by_nobody,
        the_log_is_cut_off,
        the_log_is_written_anew,
        a_signature_is_forged,
        a_formula_reaches_the_spreadsheet,
        an_open_thread_is_erased,
        what_was_erased_is_still_in_the_file,
    )
}


def succeeds(name: str, folder: Path) -> bool:
    desk = Desk(folder)
    try:
        done: Any = ATTACKS[name](desk)
        return asyncio.run(done) if asyncio.iscoroutine(done) else done
    finally:
        desk.store.close()


if __name__ == "__main__":
    sys.exit(BROKEN_EXIT if succeeds(sys.argv[1], Path(sys.argv[2])) else 0)
