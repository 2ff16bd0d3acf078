"""`twelvefold threads fork`, `replay` and `export`."""

import json
import os
from pathlib import Path

import click

from twelvefold.cli import exits
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.exceptions import StoreUnavailable
from twelvefold.summary import short
from twelvefold.thread import Thread


@command()
@click.argument("thread")
@click.option("--at", type=int, metavar="SEQ", help="The last event to copy; all otherwise.")
@click.option("--id", "new_id", metavar="ID", help="The id of the copy.")
@click.pass_obj
def fork(here: Here, thread: str, at: int | None, new_id: str | None) -> None:
    """Copy THREAD up to an event into a new thread. The original is untouched.

    What was open there must be asked anew in the copy: `twelvefold resume COPY` goes on with it.
    """
    thread_id = here.thread_id(thread)
    name = here.run(here.app.fork(thread_id, at, new_id=new_id))
    cut = here.app.thread(name).events[-1].data["at"]
    if here.json:
        here.out.document("fork/1", **{"thread": name, "from": thread_id, "at": cut})
    else:
        origin = f"{short(thread_id)} up to event {cut}"
        here.out.line(f"{name} is {origin}   go on with it: twelvefold resume {short(name)}")


@command()
@click.argument("thread")
@click.pass_obj
def replay(here: Here, thread: str) -> int:
    """Decide again what was decided in THREAD, and show where today's code differs.

    Runs nothing and writes nothing. Exit code 1 when there are differences.
    """
    from twelvefold.plan import replay as differences_of

    thread_id = here.thread_id(thread)
    log = here.app.thread(thread_id)
    found = differences_of(log, here.app.agent(log.agent))
    if here.json:
        data = [
            {"seq": one.seq, "kind": one.kind, "recorded": one.recorded, "now": one.now}
            for one in found
        ]
        here.out.document("replay/1", thread=thread_id, events=log.head, data=data)
    else:
        for line in (line for one in found for line in str(one).split("\n")):
            here.out.line(line)
        number = f"{len(found)} difference{'s' * (len(found) > 1)}"
        many = number if found else "the same decisions"
        here.out.say(f"{short(thread_id)}, {log.head} events: {many}")
    return exits.FAILED if found else exits.DONE


@command()
@click.argument("thread")
@click.option("--out", "path", metavar="FILE", help="Write this file, whole or not at all.")
@click.pass_obj
def export(here: Here, thread: str, path: str | None) -> None:
    """THREAD as JSON Lines, one event per line, lossless."""
    thread_id = here.thread_id(thread)
    log = here.store.load(thread_id)
    if path is None:
        here.out.raw(_ascii(log) if here.out.tty else log.to_jsonl())
        return
    write_whole(Path(path), log.to_jsonl())
    if here.json:
        here.out.document("export/1", thread=thread_id, events=log.head, path=path)
    else:
        here.out.line(f"{log.head} events of {short(thread_id)} are in {path}")


def _ascii(log: Thread) -> str:
    """The same JSON, with nothing that a terminal could obey."""
    lines = log.to_jsonl().rstrip("\n").split("\n")
    return "".join(json.dumps(json.loads(line), separators=(",", ":")) + "\n" for line in lines)


def write_whole(path: Path, text: str) -> None:
    """Write beside `path` and rename, so that a file of this name is always complete.

    Raises `StoreUnavailable`.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise StoreUnavailable(
            f"{path} cannot be written: {error.strerror or error}. Check the folder and the disk,"
            " or name another file; nothing was written.",
            retryable=False,
        ) from error
