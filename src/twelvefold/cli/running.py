"""`twelvefold run` and `twelvefold send`."""

import json
import sys
from typing import Any

import click

from twelvefold.cli import exits
from twelvefold.cli.family import Family
from twelvefold.cli.following import act_and_follow, follow
from twelvefold.cli.here import Here
from twelvefold.cli.options import command, follows
from twelvefold.summary import short


@command()
@click.argument("agent")
@click.argument("text", metavar="INPUT")
@click.option("--id", "thread_id", metavar="ID", help="Your own id: launching twice is once.")
@click.option("--as", "sender", metavar="NAME", help="Who sends the input.")
@follows
@click.pass_obj
def run(
    here: Here,
    agent: str,
    text: str,
    thread_id: str | None,
    sender: str | None,
    detach: bool,
    timeout_s: float | None,
) -> int:
    """Start a thread of AGENT with INPUT and follow it until it ends or pauses.

    INPUT - reads the input from stdin.
    """
    said = sys.stdin.read() if text == "-" else text

    async def launch_and_follow() -> int:
        name = await here.app.launch(agent, said, thread_id=thread_id, sender=sender)
        here.remember(name)
        if not detach:
            return await follow(here, Family(here.app.store, name), timeout_s=timeout_s)
        if here.json:
            here.out.document("launched/1", thread=name, agent=agent)
        else:
            then = here.again(f"twelvefold resume {short(name)}")
            here.out.line(f"launched {name}   follow it: {then}")
        return exits.DONE

    return here.run(launch_and_follow())


@command()
@click.argument("thread")
@click.argument("type", type=click.Choice(["message", "signal"]))
@click.argument("value", metavar="TEXT|NAME")
@click.option("--data", metavar="JSON", help="What a signal carries.")
@click.option("--key", metavar="ID", help="The delivery: the same key twice is one message.")
@click.option("--as", "sender", metavar="NAME", help="Who sends the message.")
@follows
@click.pass_obj
def send(
    here: Here,
    thread: str,
    type: str,
    value: str,
    data: str | None,
    key: str | None,
    sender: str | None,
    detach: bool,
    timeout_s: float | None,
) -> int:
    """Append a message with its TEXT, or a signal with its NAME, and follow THREAD."""
    carried = None if data is None else json_value(data, "--data")
    app, thread_id = here.app, here.thread_id(thread)

    async def deliver() -> None:
        if type == "message":
            await app.send(thread_id, value, key=key, sender=sender)
        else:
            await app.signal(thread_id, value, carried, key=key)
        if here.json:
            here.out.document("sent/1", thread=thread_id, type=type, value=value)
        else:
            here.out.line(f"sent to {short(thread_id)}")

    return act_and_follow(here, thread_id, deliver, detach=detach, timeout_s=timeout_s)


def json_value(text: str, option: str) -> Any:
    """The JSON of an option. Raises `UsageError`."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{option} is not JSON: {error}") from error
