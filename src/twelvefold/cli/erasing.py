"""`twelvefold threads erase`: one thread with its family, or all that ended long ago."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from twelvefold.channels.terminal import ask_text
from twelvefold.cli import exits
from twelvefold.cli.ancestry import refuse_descendants
from twelvefold.cli.bulk import all_threads
from twelvefold.cli.controls import as_option
from twelvefold.cli.here import Here, person
from twelvefold.cli.moments import moment
from twelvefold.cli.options import command
from twelvefold.exceptions import Conflict
from twelvefold.summary import Status, short
from twelvefold.thread import to_iso

ENDED: tuple[Status, ...] = ("finished", "cancelled")


@command()
@click.argument("thread", required=False)
@click.option("--finished-before", "before", metavar="TIME", help="All that ended before: 2y, 90d.")
@click.option("--reason", required=True, metavar="TEXT", help="Kept in the log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--no-scrub", is_flag=True, help="Leave the rewriting of the file to `db scrub`.")
@as_option
@click.pass_obj
def erase(
    here: Here,
    thread: str | None,
    before: str | None,
    reason: str,
    yes: bool,
    no_scrub: bool,
    name: str | None,
) -> int:
    """Drop what the events of an ended THREAD hold, and those of the threads it launched, for good.

    Type, time and key of each event stay, and the chain stays valid. Exports, backups and copies of
    the thread keep what they have.
    """
    if (thread is None) == (before is None):
        raise click.UsageError("Give a THREAD, or --finished-before TIME.")
    app = here.app
    if here.has_log:
        refuse_descendants(app.store)
    ids = [here.thread_id(thread)] if thread is not None else list(_ended(here, str(before)))
    if not ids:
        here.out.say("nothing ended before that; nothing was erased")
        here.tell_unbegun()
        return exits.DONE
    if not (yes or _confirmed(here, ids)):
        here.out.say("Nothing was erased.")
        return exits.CONFLICT
    erased = _erased(here, ids, by=person(name), reason=reason, alone=thread is not None)
    scrubbed = bool(erased) and not no_scrub and app.store.scrub()
    if here.json:
        here.out.document("erase/1", threads=erased, scrubbed=scrubbed)
    else:
        for one in erased:
            here.out.line(f"erased  {short(one)}")
        if erased and not scrubbed:
            then = here.again("twelvefold db scrub")
            here.out.say(f"note: the database still holds the old bytes: {then}")
    return exits.DONE


def _ended(here: Here, before: str) -> Iterator[str]:
    """All that ended before, the oldest first."""
    limit = to_iso(moment(before, now=datetime.now(UTC)))
    within = ENDED if here.has_log else ()
    rows = [row for status in within for row in all_threads(here.app.store, status)]
    rows = [row for row in rows if row.summary.updated_at < limit]
    for row in sorted(rows, key=lambda row: row.summary.updated_at):
        yield row.ref.id


def _confirmed(here: Here, ids: list[str]) -> bool:
    """Whether a person typed what is about to go. Raises `click.UsageError`."""
    if here.terminal is None:
        raise click.UsageError("What is erased cannot be brought back: say so with --yes.")
    what = short(ids[0]) if len(ids) == 1 else str(len(ids))
    many = f"{what} and what it launched" if len(ids) == 1 else f"{what} threads"
    here.out.line(f"{many}: what their events hold goes for good.")
    return ask_text(here.terminal, f"Type {what} to erase") == what


def _erased(here: Here, ids: list[str], *, by: str, reason: str, alone: bool) -> list[str]:
    """Those of the families of `ids` that were erased; of several, one that cannot be is named."""
    done: list[str] = []
    for one in ids:
        if one in done:  # with the thread that launched it
            continue
        try:
            done += here.run(here.app.erase(one, by=by, reason=reason))
        except Conflict as kept:
            if alone:
                raise
            here.out.say(f"kept: {kept}")
    return done
