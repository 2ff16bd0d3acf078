"""What a thread waits for or does, each with the command that ends the wait or follows it."""

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

from twelvefold.cli.again import Again
from twelvefold.cli.family import Rest
from twelvefold.cli.here import Here
from twelvefold.policy import Policy
from twelvefold.store import ContactRow, Ref
from twelvefold.summary import short

_COMMANDS: Mapping[str, str] = {
    "approval": "approve it: twelvefold approve {}",
    "question": "answer it: twelvefold answer {} TEXT",
    "outcome": "settle it: twelvefold answer {} it_ran|run_again|give_up",
    "repair": "repair it: twelvefold edit {} --set name=value",
}


def rest_lines(here: Here, rest: Rest, *, ends: bool = True) -> list[str]:
    """How a family rests or goes on, and what a person can do about it; nothing when it finished.
    `ends`: the command ends with that, by its exit code."""
    row, name, again = rest.row, short(rest.row.ref.id), here.again
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
            going = [f"running  {_going_line(here, ref)}" for ref in rest.going]
            return going + [f"paused  {line}{code}" for line in _waits_lines(here, rest)]


def _going_line(here: Here, ref: Ref) -> str:
    """Which tools are under way, or who is to advance a thread that was woken."""
    from twelvefold.reducer import read  # which loads pydantic: what rests should not wait for it

    name, runner = short(ref.id), here.store.runner_pid()
    log = here.store.load(ref.id, tenant=ref.tenant)
    started = {e.data.get("step"): e.at for e in log.events if e.type == "tool_started"}
    runs = ", ".join(
        f"{chosen.intent} (began {here.out.when(started[chosen.id])})"
        for chosen in read(log).open
        if (chosen.waiting or "").startswith("run:")
    )
    then = here.again(f"twelvefold resume {name}")
    if runner is not None:
        does = f"runs {runs}" if runs else "is advanced, or is next"
        return f"{name} {does}; process {runner} advances threads   follow it: {then}"
    does = f"waits for the end of {runs}, or for" if runs else "waits for"
    start = here.again("twelvefold worker")
    return f"{name} {does} a worker; none is on this machine   go on: {then}   or: {start}"


def _waits_lines(here: Here, rest: Rest) -> list[str]:
    name, again = short(rest.row.ref.id), here.again
    contacts = here.store.contacts()
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
    if lines or rest.going:
        return lines
    then = again(f"twelvefold send {name} message TEXT")
    return [f"{name} waits for a message   send it: {then}"]


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
