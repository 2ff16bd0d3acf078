"""`twelvefold threads fork` and `replay`."""

from typing import Any

import click

from twelvefold.cli import exits
from twelvefold.cli.filing import read_file
from twelvefold.cli.here import Here, person
from twelvefold.cli.options import command
from twelvefold.exceptions import InvalidFile
from twelvefold.summary import short
from twelvefold.thread import Thread

IN_EDITOR = "$EDITOR"
HEADER = """\
# What a fork may change: the data of messages, recorded results and your own event types.
# Leave out what stays. Save to fork; leave without saving to do nothing.
"""


@command()
@click.argument("thread")
@click.option("--at", type=int, metavar="SEQ", help="The last event to copy; all otherwise.")
@click.option("--id", "new_id", metavar="ID", help="The id of the copy.")
@click.option(
    "--edit",
    "edit",
    metavar="[FILE]",
    is_flag=False,
    flag_value=IN_EDITOR,
    help="Change messages, recorded results and your own events first; without FILE in $EDITOR.",
)
@click.pass_obj
def fork(here: Here, thread: str, at: int | None, new_id: str | None, edit: str | None) -> int:
    """Copy THREAD up to an event into a new thread. The original is untouched.

    What was open there must be asked anew in the copy: `twelvefold resume COPY` goes on with it.
    """
    thread_id = here.thread_id(thread)
    edits, by = None, ""
    if edit is not None:
        by = person(None)
        log = here.app.thread(thread_id)
        edits = _edits(here, log.upto(log.head if at is None else at), edit)
        if not edits:
            here.out.say("Nothing was changed, so nothing was forked.")
            return exits.CONFLICT
    name = here.run(here.app.fork(thread_id, at, new_id=new_id, edits=edits, by=by))
    cut = here.app.thread(name).events[-1].data["at"]
    if here.json:
        fields: dict[str, Any] = {"thread": name, "from": thread_id, "at": cut}
        here.out.document("fork/1", **fields | ({"edited": sorted(edits)} if edits else {}))
    else:
        origin = f"{short(thread_id)} up to event {cut}"
        then = here.again(f"twelvefold resume {short(name)}")
        here.out.line(f"{name} is {origin}   go on with it: {then}")
    return exits.DONE


def _edits(here: Here, prefix: Thread, edit: str) -> dict[int, dict[str, Any]]:
    """What the person changes in the events to copy. Raises `InvalidFile`."""
    from twelvefold.files import changes_in, editable

    if edit != IN_EDITOR:
        return changes_in(read_file(edit), prefix)
    if here.terminal is None:
        raise click.UsageError("Give --edit FILE; only a terminal opens $EDITOR.")
    text = editable(prefix)
    if not text:
        raise InvalidFile(f"{prefix.id} holds nothing that a fork may change. Fork it as it is.")
    saved = click.edit(HEADER + text, extension=".yaml")
    return {} if saved is None else changes_in(saved, prefix)


@command()
@click.argument("thread")
@click.pass_obj
def replay(here: Here, thread: str) -> int:
    """Decide again what was decided in THREAD, and show where today's code differs.

    It begins with the steps that today's classes no longer read as they were stored. Runs nothing
    and writes nothing. Exit code 1 when there are differences.
    """
    from twelvefold.plan import outgrown
    from twelvefold.plan import replay as differences_of

    thread_id = here.thread_id(thread)
    log = here.app.thread(thread_id)
    agent = here.app.agent(log.agent)
    found = differences_of(log, agent)
    why = outgrown(log, agent, found)
    if here.json:
        data = [
            {"seq": one.seq, "kind": one.kind, "recorded": one.recorded, "now": one.now}
            for one in found
        ]
        here.out.document("replay/1", thread=thread_id, events=log.head, why=why, data=data)
    else:
        for line in (line for said in (*why, *found) for line in str(said).split("\n")):
            here.out.line(line)
        number = f"{len(found)} difference{'s' * (len(found) > 1)}"
        many = number if found else "the same decisions"
        here.out.say(f"{short(thread_id)}, {log.head} events: {many}")
    return exits.FAILED if found else exits.DONE
