"""`twelvefold threads export`, `import` and `diff`: threads as files."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from twelvefold.cli import exits
from twelvefold.cli.here import Here, person
from twelvefold.cli.options import command
from twelvefold.cli.out import CELL_CHARS_MAX, shortened
from twelvefold.cli.writing import write_whole
from twelvefold.exceptions import InvalidFile, NotFound
from twelvefold.notices.events import said, what
from twelvefold.summary import short
from twelvefold.thread import Event, Thread


@command()
@click.argument("thread")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "md", "case"]),
    default="jsonl",
    show_default=True,
)
@click.option("--at", type=int, metavar="SEQ", help="Up to this event; a case of a model's reply.")
@click.option("--name", metavar="TEXT", help="Of the case.")
@click.option("--out", "path", metavar="FILE", help="Write this file, whole or not at all.")
@click.pass_obj
def export(
    here: Here, thread: str, form: str, at: int | None, name: str | None, path: str | None
) -> None:
    """THREAD as JSON Lines, one event per line, lossless; as Markdown, for people; or as a case.

    A case holds the log up to --at, the recorded reply and what comes of it: an item of a
    *.cases.yaml.
    """
    thread_id = here.thread_id(thread)
    log = here.store.load(thread_id)
    if form == "case":
        text = _case(here, log, at, name)
    else:
        log = log if at is None else upto(log, at)
        text = log.to_jsonl() if form == "jsonl" else _markdown(log)
    if path is None:
        here.out.raw(_ascii(log) if here.out.tty and form == "jsonl" else text)
        return
    write_whole(Path(path), text)
    if here.json:
        here.out.document("export/1", thread=thread_id, events=log.head, format=form, path=path)
    else:
        here.out.line(f"{log.head} events of {short(thread_id)} are in {path}")


def upto(log: Thread, at: int) -> Thread:
    """Raises `NotFound` for an event that is not there."""
    if not 1 <= at <= log.head:
        raise NotFound(f"{log.id} has events 1 to {log.head}, not {at}.")
    return log.upto(at)


def _case(here: Here, log: Thread, at: int | None, name: str | None) -> str:
    from twelvefold.cases import case_text

    return case_text(log, here.app.agent(log.agent), at=at, name=name)


def _ascii(log: Thread) -> str:
    """The same JSON, with nothing that a terminal could obey."""
    lines = log.to_jsonl().rstrip("\n").split("\n")
    return "".join(json.dumps(json.loads(line), separators=(",", ":")) + "\n" for line in lines)


def _markdown(log: Thread) -> str:
    from twelvefold.files import markdown  # it escapes what a terminal could obey

    return markdown(log)


@command("import")
@click.argument("file")
@click.option("--id", "new_id", metavar="ID", help="Another id; its own otherwise.")
@click.pass_obj
def import_(here: Here, file: str, new_id: str | None) -> None:
    """Begin a thread with the log in FILE, as `export` wrote it; - reads stdin.

    What was open there is void: contacts, approvals, timers, children and runs. `twelvefold resume`
    goes on with it, and asks anew.
    """
    text = sys.stdin.read() if file == "-" else read_file(file)
    name = here.remember(here.run(here.app.import_thread(text, new_id=new_id, by=person(None))))
    log = here.app.thread(name)
    if here.json:
        origin = log.events[-1].data["from"]
        here.out.document("import/1", **{"thread": name, "from": origin, "events": log.head})
    else:
        many = f"{log.head - 1} events of {file}; what was open there is void"
        then = here.again(f"twelvefold resume {short(name)}")
        here.out.line(f"{name} holds the {many}   go on with it: {then}")
    if log.agent not in here.app.agents:
        here.out.say(f"note: this application has no agent {log.agent!r}: nothing will decide.")


def read_file(name: str) -> str:
    """The text of a file. Raises `InvalidFile`."""
    try:
        with Path(name).open(encoding="utf-8", newline="") as file:  # \r may be part of a text
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise InvalidFile(f"{name} cannot be read: {why}. Check the name and the file.") from error


@command()
@click.argument("a")
@click.argument("b")
@click.pass_obj
def diff(here: Here, a: str, b: str) -> int:
    """Compare two threads, or exported files, event by event. Exit code 1 when they differ.

    Times, keys, attempts and what recovery added do not count.
    """
    from twelvefold.files import diff as compared

    one, two = _log(here, a), _log(here, b)
    found = compared(one, two)
    if here.json:
        data: list[Any] = [
            {"a": _seq(row.a), "b": _seq(row.b), "same": row.same} for row in found.rows
        ]
        here.out.document("diff/1", a=one.id, b=two.id, same=found.same, data=data)
    else:
        same = 0
        for row in found.rows:
            same = same + 1 if row.same else _show(here, same, (one, row.a), (two, row.b))
        many = sum(not row.same for row in found.rows)
        words = "the same" if found.same else f"{many} of {len(found.rows)} events differ"
        here.out.say(f"{short(one.id)} and {short(two.id)}: {words}")
    return exits.DONE if found.same else exits.FAILED


def _log(here: Here, name: str) -> Thread:
    from twelvefold.files import read_lines

    if Path(name).is_file():
        return read_lines(read_file(name))
    thread_id = here.thread_id(name)  # which begins no log
    return here.store.load(thread_id)


def _seq(event: Event | None) -> int | None:
    return None if event is None else event.seq


def _show(
    here: Here, same: int, a: tuple[Thread, Event | None], b: tuple[Thread, Event | None]
) -> int:
    """One difference, after how many events that are the same; none since then."""
    if same:
        here.out.line(f"  {same} the same")
    for sign, (thread, event) in (("-", a), ("+", b)):
        if event is not None:
            text = shortened(said(event, thread.id), CELL_CHARS_MAX)
            here.out.line(f"{sign} {event.seq:>3}  {_name(event)}  {text}")
    return 0


def _name(event: Event) -> str:
    about = what(event)
    return about if about == event.type else f"{event.type} {about}"
