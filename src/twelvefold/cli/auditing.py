"""`twelvefold threads verify` and `heads`, and `twelvefold audit-log`."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from twelvefold.audit import (
    Broken,
    Decided,
    Head,
    Recorded,
    Verified,
    decisions,
    event_of,
    hashes,
    read_heads,
    to_csv,
    verify,
)
from twelvefold.audit import export as exported
from twelvefold.audit.heads import is_signed
from twelvefold.cli import exits
from twelvefold.cli.filing import read_file
from twelvefold.cli.here import Here
from twelvefold.cli.moments import moment
from twelvefold.cli.options import command
from twelvefold.cli.out import CELL_CHARS_MAX, shortened
from twelvefold.cli.writing import write_whole
from twelvefold.exceptions import InvalidFile, UnknownAttachment
from twelvefold.notices.events import compact
from twelvefold.store import EmbeddedStore
from twelvefold.summary import short
from twelvefold.thread import from_iso, to_iso

Found = Verified | Broken
Heads = Mapping[tuple[str, str], Head]

key_option = click.option(
    "--key-file", metavar="FILE", help="The key that signs the heads: at least 32 bytes."
)


@command("verify")
@click.argument("thread", required=False)
@click.option("--all", "everything", is_flag=True, help="Every thread of every tenant.")
@click.option("--head", "heads_file", metavar="FILE", help="Compare with heads exported before.")
@key_option
@click.pass_obj
def verify_(
    here: Here,
    thread: str | None,
    everything: bool,
    heads_file: str | None,
    key_file: str | None,
) -> int:
    """Walk the hash chain of THREAD, or of all: what was changed, and at which event.

    A log that was cut off, or written anew as a whole, is only found against exported heads. Exit
    code 1 when anything is not what was written.
    """
    if (thread is None) != everything:
        raise click.UsageError("Give a THREAD, or --all.")
    kept = _kept_heads(here, heads_file, key_file)
    if everything:
        here.tell_unbegun()
    found = list(_found(here, thread, kept))
    broken = [one for one in found if isinstance(one, Broken)]
    if here.json:
        data: list[Any] = [_data(one) for one in found]
        here.out.document("verify/1", ok=not broken, threads=len(found), heads=len(kept), data=data)
    else:
        for one in broken if everything else found:
            here.out.line(_line(one))
        if everything:
            gone = sum(bool(one.erased) for one in found if isinstance(one, Verified))
            here.out.say(f"{len(found)} threads: {len(broken)} broken, {gone} erased")
    return exits.FAILED if broken else exits.DONE


def _kept_heads(here: Here, heads_file: str | None, key_file: str | None) -> Heads:
    """Those of the file; none without one. Raises `InvalidFile`."""
    if heads_file is None:
        return {}
    text = read_file(heads_file)
    if key_file is None and is_signed(text):
        here.out.say("note: the heads are signed, and nobody checked it: give --key-file.")
    return read_heads(text, key=_key(key_file))


def _found(here: Here, thread: str | None, kept: Heads) -> Iterator[Found]:
    if thread is not None:
        thread_id = here.thread_id(thread)  # which begins no log
        store = here.store
        recorded = store.recorded(thread_id)
        head = kept.get((recorded.tenant, recorded.id))
        if kept and head is None:
            here.out.say("note: the heads do not name this thread: only its chain was checked.")
        yield _checked(store, recorded, head)
        return
    there = {(head.tenant, head.id) for head in (here.store.heads() if here.has_log else ())}
    for tenant, id in sorted(there):
        recorded = here.store.recorded(id, tenant=tenant)
        yield _checked(here.store, recorded, kept.get((tenant, id)))
    for (tenant, id), head in kept.items():
        if (tenant, id) not in there:
            yield Broken(tenant, id, None, f"the thread is gone: it had {head.head} events")


def _checked(store: EmbeddedStore, recorded: Recorded, head: Head | None) -> Found:
    """The chain, and the attachments that its events name."""
    found = verify(recorded, head)
    if isinstance(found, Broken):
        return found
    for record in recorded.records:
        named = hashes(event_of(record).data) if '"sha256"' in (record.data or "") else ()
        for sha256 in named:
            if not _is_itself(store, sha256, recorded.tenant):
                why = f"its attachment {sha256} holds other bytes"
                return Broken(recorded.tenant, recorded.id, record.seq, why)
    return found


def _is_itself(store: EmbeddedStore, sha256: str, tenant: str) -> bool:
    try:
        return hashlib.sha256(store.kept(sha256, tenant=tenant)).hexdigest() == sha256
    except UnknownAttachment:  # an imported log names what was never here
        return True


def _line(one: Found) -> str:
    if isinstance(one, Broken):
        where = "its row" if one.seq is None else f"event {one.seq}"
        return f"broken  {short(one.id)}  {where}: {one.why}"
    gone = f", {one.erased} erased" if one.erased else ""
    return f"ok      {short(one.id)}  {one.events} events{gone}"


def _data(one: Found) -> dict[str, Any]:
    broken = isinstance(one, Broken)
    return {
        "tenant": one.tenant,
        "thread": one.id,
        "ok": not broken,
        "events": None if broken else one.events,
        "erased": None if broken else one.erased,
        "event": one.seq if broken else None,
        "why": one.why if broken else None,
    }


@command("heads")
@click.option("--export", "path", metavar="FILE", help="Write this file, whole or not at all.")
@key_option
@click.pass_obj
def heads(here: Here, path: str | None, key_file: str | None) -> None:
    """The newest event of every thread and its chain, as a file for `verify --head`.

    Keep it where those who write to the database cannot write. With --key-file it is signed.
    """
    found = here.store.heads() if here.has_log else []
    here.tell_unbegun()
    text = exported(found, at=datetime.now(UTC), key=_key(key_file))
    if path is None:
        for line in text.removesuffix("\n").split("\n"):
            _raw(here, line + "\n")
        return
    write_whole(Path(path), text)
    if here.json:
        signed = key_file is not None
        here.out.document("export-heads/1", path=path, threads=len(found), signed=signed)
    else:
        here.out.line(f"the heads of {len(found)} threads are in {path}")


def _raw(here: Here, line: str) -> None:
    """To the byte for a program; on a terminal, nothing that it could obey."""
    if here.out.tty:
        here.out.line(line.rstrip("\r\n"))
    else:
        here.out.raw(line)


def _key(file: str | None) -> bytes | None:
    """Raises `InvalidFile`."""
    if file is None:
        return None
    try:
        return Path(file).read_bytes().strip()
    except OSError as error:
        raise InvalidFile(f"the key {file} cannot be read: {error.strerror}.") from error


@command("audit-log")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, safe to open in a spreadsheet.")
@click.option("--thread", metavar="THREAD", help="Only this one.")
@click.option("--by", metavar="NAME", help="Only what this person did.")
@click.option("--since", metavar="TIME", help="90d, 2y, 2026-11-20 or a whole time.")
@click.pass_obj
def audit_log(
    here: Here, as_csv: bool, thread: str | None, by: str | None, since: str | None
) -> None:
    """Who decided what, when, on which channel and seeing which digest; and what was refused."""
    start = None if since is None else to_iso(moment(since, now=datetime.now(UTC)))
    thread_id = None if thread is None else here.thread_id(thread)
    said = here.store.said(thread_id=thread_id) if here.has_log else []
    here.tell_unbegun()
    rows = decisions(said, by=by, since=start)
    if as_csv:
        for line in to_csv(rows):
            _raw(here, line)
    elif here.json:
        for row in rows:
            here.out.document("audit/1", **asdict(row))
    elif cells := [_cells(here, row) for row in rows]:
        here.out.table(cells)
    else:
        here.out.say(_nothing(here))


def _nothing(here: Here) -> str:
    """Why no line is shown: by what was asked for, or since there is none."""
    others = len(list(decisions(here.store.said()))) if here.has_log else 0
    if not others:
        return "nobody was asked, and nobody decided"
    number = f"{others} other{'' if others == 1 else 's'}"
    return f"no line is of that; {number}: {here.again('twelvefold audit-log')}"


def _cells(here: Here, row: Decided) -> list[str]:
    where = f" ({row.channel})" if row.channel else ""
    what = row.what if row.decision in ("", row.what) else f"{row.what} {row.decision}"
    contact = row.contact.replace(row.thread, short(row.thread)) or short(row.thread)
    values = [None if value is None else compact(value) for value in (row.args, row.answer)]
    origin = f"[{row.origin}]" if row.origin else None
    said = "  ".join(filter(None, (origin, row.intent, *values, row.comment)))
    return [
        here.out.when(from_iso(row.at)),
        contact,
        what,
        f"{row.by}{where}",
        shortened(said, CELL_CHARS_MAX),
    ]
