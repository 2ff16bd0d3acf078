"""`twelvefold stats`: what waits for an engine, for how long, and who works."""

from dataclasses import asdict

import click

from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.loop import Stats
from twelvefold.notices import ago


@command()
@click.pass_obj
def stats(here: Here) -> None:
    """Queue, oldest wait, workers and lag of this log's engine."""
    begun = here.has_log
    found = here.app.new_engine().stats() if begun else _nothing(here)
    if here.json:
        here.out.document("stats/1", data=asdict(found))
    elif not begun:
        here.tell_unbegun()
    else:
        here.out.table(rows_of(found))


def _nothing(here: Here) -> Stats:
    return Stats(here.app.engine, 0, 0.0, None, 0, 0.0)


def rows_of(found: Stats) -> list[list[str]]:
    under_way = [] if found.under_way is None else [["under way", str(found.under_way)]]
    return [
        ["engine", found.engine],
        ["queue", f"{found.queue} threads are to be advanced"],
        ["oldest wait", ago(found.oldest_wait_s)],
        *under_way,
        ["workers", str(found.workers)],
        ["lag", f"{found.lag_s:.1f} s behind the timer that is due first"],
    ]
