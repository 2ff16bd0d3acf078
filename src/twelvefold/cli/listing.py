"""`twelvefold threads list`. Its JSON is published: others script it."""

from typing import Any, cast, get_args

import click

from twelvefold.cli.family import waiting_for
from twelvefold.cli.here import BEGIN, Here
from twelvefold.cli.options import command
from twelvefold.cli.out import shortened
from twelvefold.store import ThreadRow
from twelvefold.summary import Status, short
from twelvefold.thread import from_iso

LIMIT_DEFAULT = 50
COUNTED_MAX = 999
"""Of the threads that a filter leaves out, so many are counted."""


@command("list")
@click.option("--status", type=click.Choice(get_args(Status)), help="Only these.")
@click.option("--agent", metavar="NAME", help="Only threads of this agent.")
@click.option("--limit", type=click.IntRange(1, 1000), default=LIMIT_DEFAULT, show_default=True)
@click.option("--cursor", metavar="CURSOR", help="The next_cursor of the page before.")
@click.pass_obj
def list_threads(
    here: Here, status: str | None, agent: str | None, limit: int, cursor: str | None
) -> None:
    """The newest threads first."""
    rows: list[ThreadRow] = []
    if here.has_log:
        rows = here.store.threads(
            status=cast("Status | None", status), agent=agent, limit=limit + 1, before=cursor
        )
    page = rows[:limit]
    following = page[-1].ref.id if len(rows) > limit else None
    if here.json:
        data = [thread_data(row) for row in page]
        here.out.document("threads/1", data=data, next_cursor=following)
        return
    if not page:
        if here.has_log:
            here.out.say(_none(here, status, agent, cursor))
        here.tell_unbegun()
        return
    here.out.table([_thread_cells(here, row) for row in page])
    if following:
        filters = (("--status", status), ("--agent", agent), ("--limit", _unusual(limit)))
        then = here.again(f"twelvefold threads list --cursor {following}", *filters)
        here.out.say(f"more: {then}")


def _none(here: Here, status: str | None, agent: str | None, cursor: str | None) -> str:
    """Why the list is empty: nothing matches, or nothing is there."""
    others = len(here.store.threads(limit=COUNTED_MAX + 1))
    if not others:
        return f"no threads in {here.log_name}   start one: {here.again(BEGIN)}"
    of = "" if agent is None else f" of the agent {agent}"
    beyond = "" if cursor is None else f" beyond the cursor {cursor}"
    number = f"more than {COUNTED_MAX}" if others > COUNTED_MAX else str(others)
    there = f"{number} other{'' if others == 1 else 's'}: {here.again('twelvefold threads list')}"
    return f"no thread{of}{beyond} is {status or 'there'}; {there}"


def _unusual(limit: int) -> str | None:
    return None if limit == LIMIT_DEFAULT else str(limit)


def thread_data(row: ThreadRow) -> dict[str, Any]:
    """A thread as it is published."""
    summary = row.summary
    return {
        "id": row.ref.id,
        "agent": row.agent,
        "status": row.status,
        "created_at": summary.created_at,
        "updated_at": summary.updated_at,
        "waiting_for": waiting_for(row),
        "steps": summary.steps,
        "cost": summary.cost,
    }


def _thread_cells(here: Here, row: ThreadRow) -> list[str]:
    waits = ", ".join(wait.replace(row.ref.id, short(row.ref.id)) for wait in waiting_for(row))
    return [
        short(row.ref.id),
        row.agent,
        row.status,
        here.out.when(from_iso(row.summary.updated_at)),
        f"{row.summary.steps} steps",
        shortened(row.summary.title) + (f"   waits for {waits}" if waits else ""),
    ]
