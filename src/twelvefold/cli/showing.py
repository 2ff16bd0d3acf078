"""`twelvefold threads show`: the events of a thread, one line each."""

import click

from twelvefold.cli.family import rest_of
from twelvefold.cli.following import event_data, rest_data
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.cli.out import CELL_CHARS_MAX, shortened
from twelvefold.cli.waits import rest_lines
from twelvefold.notices.events import said, what
from twelvefold.summary import short


@command()
@click.argument("thread")
@click.option("--full", is_flag=True, help="Shorten nothing.")
@click.pass_obj
def show(here: Here, thread: str, full: bool) -> None:
    """The events of THREAD. The left column is what --at takes."""
    thread_id = here.thread_id(thread)
    rest = rest_of(here.store, thread_id)
    log = here.store.load(thread_id)
    if here.json:
        events = [event_data(log, event) for event in log.events]
        here.out.document("thread/1", **rest_data(rest), events=events)
        return
    here.out.line(f"{short(thread_id)}  {rest.root.agent}  {rest.root.status}", bold=True)
    rows: list[list[str]] = []
    for event in log.events:
        text = said(event, thread_id)
        text = text if full else shortened(text, CELL_CHARS_MAX)
        rows.append([f"{event.seq:>3}", here.out.when(event.at), what(event), text])
    here.out.table(rows)
    for line in rest_lines(here, rest, ends=False):
        here.out.line(line)
