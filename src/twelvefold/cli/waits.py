"""What a thread waits for, each with the command that ends the wait."""

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

from twelvefold.cli.again import Again
from twelvefold.cli.family import Rest
from twelvefold.policy import Policy
from twelvefold.store import ContactRow, EmbeddedStore
from twelvefold.summary import short

_COMMANDS: Mapping[str, str] = {
    "approval": "approve it: twelvefold approve {}",
    "question": "answer it: twelvefold answer {} TEXT",
    "outcome": "settle it: twelvefold answer {} it_ran|run_again|give_up",
    "repair": "repair it: twelvefold edit {} --set name=value",
}


def rest_lines(store: EmbeddedStore, rest: Rest, *, again: Again, ends: bool = True) -> list[str]:
    """How a family rests and what a person can do about it; nothing when it finished. `ends`: the
    command ends with that, by its exit code."""
    row, name = rest.row, short(rest.row.ref.id)
    code = f"   (exit {rest.exit_code})" if ends else ""
    match row.status:
        case "finished" | "erased":
            return []
        case "failed":
            why = row.summary.failed
            return [
                f"failed  {name}: {why}",
                f"next:   mend that, then {again(f'twelvefold retry {name}')}{code}",
            ]
        case "cancelled":
            return [f"cancelled  {name}{code}"]
        case "paused":
            why = "reached a limit" if row.summary.limited else "was paused"
            then = again(f"twelvefold resume {name}")
            return [f"paused  {name} {why}   go on: {then}{code}"]
        case "waiting" | "running":
            return [f"paused  {line}{code}" for line in _waits_lines(store, rest, again)]


def _waits_lines(store: EmbeddedStore, rest: Rest, again: Again) -> list[str]:
    name = short(rest.row.ref.id)
    contacts = store.contacts()
    asked = {f"{contact.ref.id}.{contact.id}": contact for contact in contacts}
    lines: list[str] = []
    for wait in rest.waits:
        if contact := asked.get(wait):
            lines.append(contact_line(contact, contacts, again=again))
        elif wait.startswith("timer:"):
            then = again(f"twelvefold resume {name}")
            lines.append(f"{name} waits for a timer   when it is due: {then}")
        elif wait.startswith("signal:"):
            signal = wait.removeprefix("signal:")
            then = again(f"twelvefold send {name} signal {signal}")
            lines.append(f"{name} waits for {signal}   send it: {then}")
    then = again(f"twelvefold send {name} message TEXT")
    return lines or [f"{name} waits for a message   send it: {then}"]


def contact_line(contact: ContactRow, others: list[ContactRow], *, again: Again) -> str:
    """Who is awaited, and the command that decides. A thread names its only open contact."""
    thread = short(contact.ref.id)
    name = f"{thread}.{contact.id}"
    alone = sum(other.ref == contact.ref for other in others) == 1
    who = Policy.from_data(contact.data["to"])
    command = command_for(contact, thread if alone else name, again=again)
    return f"{thread} waits for {who}: {name}   {command}"


def command_for(contact: ContactRow, name: str, *, again: Again) -> str:
    """The command that decides, and the one that picks an option where there are any."""
    command = _COMMANDS[str(contact.data["kind"])].format(name)
    if words := _choices(contact.data.get("form") or {}):
        command = command.replace("TEXT", _one_of(words))
    command = again(command)
    if not (options := contact.data.get("options")):
        return command
    names = _one_of([option["name"] for option in options])
    return f"{command}   or pick: {again(f'twelvefold choose {name} {names}')}"


def _choices(form: Mapping[str, Any]) -> Sequence[str]:
    return ("yes", "no") if form.get("kind") == "yes_no" else form.get("choices", ())


def _one_of(words: Sequence[str]) -> str:
    return "|".join(map(quote, words))
