"""`twelvefold inbox`: what waits for a human. Its JSON is published: others script it."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from twelvefold.cli.here import Here, person
from twelvefold.cli.options import command
from twelvefold.cli.out import CELL_CHARS_MAX, shortened
from twelvefold.cli.waits import command_for
from twelvefold.notices import argument_lines, troubles
from twelvefold.store import ContactRow
from twelvefold.summary import short
from twelvefold.thread import Json, Thread, from_iso, to_iso, to_text

WATCH_S = 0.5
"""How often `--watch` looks."""
MOVES = frozenset({"contact_escalated", "contact_reassigned"})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A contact as it is now: `to` and `deadline` may have changed since it was asked."""

    row: ContactRow
    to: Mapping[str, Json]
    deadline: str | None
    not_sent: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.row.ref.id}.{self.row.id}"


@command()
@click.option("--mine", is_flag=True, help="Only what you may decide.")
@click.option("--as", "name", metavar="NAME", help="Who you are; your login otherwise.")
@click.option("--watch", is_flag=True, help="Stay, and show what comes and what is decided.")
@click.pass_obj
def inbox(here: Here, mine: bool, name: str | None, watch: bool) -> None:
    """What waits for a human: the nearest deadline first, then the oldest."""
    found = _found(here, mine=mine, name=name)
    here.tell_unbegun()
    if watch:
        _watch(here, found, mine=mine, name=name)
    if here.json:
        here.out.document("inbox/1", data=[contact_data(one) for one in found])
        return
    if not found:
        here.out.say(_nothing(here, mine=mine, name=name))
    for one in found:
        _show(here, one, name if mine else None)


def _found(here: Here, *, mine: bool, name: str | None) -> list[Waiting]:
    rows = here.store.contacts() if here.has_log else []
    found = [_waiting(here, row) for row in rows]
    return [one for one in found if _may_decide(here, one, person(name))] if mine else found


def _nothing(here: Here, *, mine: bool, name: str | None) -> str:
    others = len(here.store.contacts()) if mine and here.has_log else 0
    if not others:
        return "nothing waits for a human"
    number = f"{others} other{'' if others == 1 else 's'}"
    return f"nothing waits for {person(name)}; {number}: {here.again('twelvefold inbox')}"


def _waiting(here: Here, row: ContactRow) -> Waiting:
    thread = here.store.load(row.ref.id, tenant=row.ref.tenant)
    moved = any(e.type in MOVES and e.data.get("contact") == row.id for e in thread.events)
    to, deadline = _now(thread, row) if moved else (row.data["to"], row.data.get("deadline"))
    return Waiting(row, to, deadline, tuple(troubles(thread, row.id)))


def _now(thread: Thread, row: ContactRow) -> tuple[Mapping[str, Json], str | None]:
    """Who may decide now, and until when, where that is not what was asked first."""
    from twelvefold.reducer import read  # which loads pydantic: a list should not wait for it

    contact = read(thread).contacts[row.id]
    deadline = None if contact.deadline is None else to_iso(contact.deadline)
    return contact.policy.to_data(), deadline


def _may_decide(here: Here, one: Waiting, name: str) -> bool:
    """Whether a word of this person would count now: nobody votes twice, nor for his own wish where
    four eyes are needed."""
    from twelvefold.directory import NAMES_ALONE
    from twelvefold.reducer import read

    tenant = one.row.ref.tenant
    directory = here.app.directory(tenant=tenant) if here.has_app else NAMES_ALONE
    state = read(here.store.load(one.row.ref.id, tenant=tenant))
    contact, who = state.contacts[one.row.id], directory.person(name)
    chosen = state.by_id(contact.step)
    initiators = () if chosen is None else chosen.initiators
    if any(vote.by == who for vote in contact.votes):
        return False
    return contact.policy.allows(who, directory, initiators=initiators)


def _watch(here: Here, found: Iterable[Waiting], *, mine: bool, name: str | None) -> None:
    """Until somebody stops it: each contact once when it is there, and once when it is gone."""
    shown: dict[str, Waiting] = {}
    while True:
        now = {one.id: one for one in found}
        for id in [id for id in shown if id not in now]:
            _gone(here, shown.pop(id))
        for id in [id for id in now if id not in shown]:
            shown[id] = now[id]
            _came(here, now[id], name if mine else None)
        time.sleep(WATCH_S)
        found = _found(here, mine=mine, name=name)


def _came(here: Here, one: Waiting, decider: str | None) -> None:
    if here.json:
        here.out.document("contact/1", waits=True, **contact_data(one))
    else:
        _show(here, one, decider)


def _gone(here: Here, one: Waiting) -> None:
    if here.json:
        here.out.document("contact/1", waits=False, **contact_data(one))
    else:
        here.out.line(f"{short(one.row.ref.id)}.{one.row.id}   waits no more")


def contact_data(one: Waiting) -> dict[str, Any]:
    """A contact as it is published."""
    row, data = one.row, one.row.data
    return {
        "id": one.id,
        "thread": row.ref.id,
        "agent": row.agent,
        "kind": data["kind"],
        "intent": data["intent"],
        "args": data["args"],
        "digest": data.get("digest"),
        "risk": data.get("risk", "low"),
        "to": dict(one.to),
        "deadline": one.deadline,
        "asked_at": to_iso(row.asked_at),
        "not_sent": list(one.not_sent),
    }


def _show(here: Here, one: Waiting, decider: str | None) -> None:
    """`decider`: who may decide it, by a name that was given."""
    from twelvefold.policy import Policy

    row, data, out = one.row, one.row.data, here.out
    name = f"{short(row.ref.id)}.{row.id}"
    deadline = "" if one.deadline is None else f"   until {out.when(from_iso(one.deadline))}"
    risk = data.get("risk", "low")
    out.line(f"{name}   {row.agent}: {data['intent']} ({data['kind']}, {risk} risk)", bold=True)
    if data.get("question"):
        out.line(f"      {to_text(data['question'])}")
    else:
        for line in argument_lines(data["args"]):
            out.line(shortened(line, CELL_CHARS_MAX))
    for trouble in one.not_sent:
        out.line(f"      not sent to {trouble}")
    who, asked = Policy.from_data(one.to), out.when(row.asked_at)
    command = command_for(row, name, again=lambda next: here.again(next, ("--as", decider)))
    out.line(f"      for {who}, asked {asked}{deadline}   {command}")
