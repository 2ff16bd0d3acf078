"""`twelvefold threads list` and `twelvefold inbox`. Their JSON is published: others script it."""

from typing import Any, cast, get_args

import click

from twelvefold.cli.family import waiting_for
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.cli.out import CELL_CHARS_MAX, shortened
from twelvefold.cli.waits import command_for
from twelvefold.notices import argument_lines
from twelvefold.store import ContactRow, ThreadRow
from twelvefold.stores import shown_url
from twelvefold.summary import Status, short
from twelvefold.thread import from_iso, to_iso, to_text

LIMIT_DEFAULT = 50


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
        where = shown_url(here.place.store)
        here.out.say(f"no threads in {where}   start one: twelvefold run AGENT INPUT")
        return
    here.out.table([_thread_cells(here, row) for row in page])
    if following:
        here.out.say(f"more: twelvefold threads list --cursor {following}")


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


@command()
@click.option("--mine", is_flag=True, help="Only what your login may decide.")
@click.pass_obj
def inbox(here: Here, mine: bool) -> None:
    """What waits for a human: the nearest deadline first, then the oldest."""
    rows = here.store.contacts() if here.has_log else []
    if mine:
        from twelvefold.cli.here import person

        rows = [row for row in rows if person(None) in row.data["to"]["people"]]
    if here.json:
        here.out.document("inbox/1", data=[contact_data(row) for row in rows])
        return
    if not rows:
        here.out.say("nothing waits for a human")
    for row in rows:
        _show_contact(here, row)


def contact_data(row: ContactRow) -> dict[str, Any]:
    """A contact as it is published."""
    data = row.data
    return {
        "id": f"{row.ref.id}.{row.id}",
        "thread": row.ref.id,
        "agent": row.agent,
        "kind": data["kind"],
        "intent": data["intent"],
        "args": data["args"],
        "digest": data.get("digest"),
        "risk": data.get("risk", "low"),
        "to": data["to"],
        "deadline": data.get("deadline"),
        "asked_at": to_iso(row.asked_at),
    }


def _show_contact(here: Here, row: ContactRow) -> None:
    data, out = row.data, here.out
    name = f"{short(row.ref.id)}.{row.id}"
    deadline = f"   until {out.when(from_iso(data['deadline']))}" if data.get("deadline") else ""
    who = " or ".join(map(str, data["to"]["people"]))
    risk = data.get("risk", "low")
    out.line(f"{name}   {row.agent}: {data['intent']} ({data['kind']}, {risk} risk)", bold=True)
    if data.get("question"):
        out.line(f"      {to_text(data['question'])}")
    else:
        for line in argument_lines(data["args"]):
            out.line(shortened(line, CELL_CHARS_MAX))
    asked = out.when(row.asked_at)
    out.line(f"      for {who}, asked {asked}{deadline}   {command_for(row, name)}")
