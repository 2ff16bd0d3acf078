"""`retry`, `resume` and `cancel` with `--all`: after an outage, many threads, the number typed.

Each thread is changed by the same checked verb as alone. One that cannot be is named, and the rest
goes on.
"""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, cast, get_args

import click

from twelvefold.channels.terminal import ask_text
from twelvefold.cli import exits
from twelvefold.cli.ancestry import refuse_descendants
from twelvefold.cli.here import Here
from twelvefold.exceptions import Conflict
from twelvefold.store import EmbeddedStore, ThreadRow
from twelvefold.summary import Status, short

F = TypeVar("F", bound=Callable[..., Any])
PAGE = 1000

ENDED: frozenset[Status] = frozenset({"cancelled", "erased"})


@dataclass(frozen=True, slots=True)
class Many:
    """Which threads are meant, and how many there must be. `limited`: only those that a limit
    stopped, and no person."""

    status: Status | None
    agent: str | None
    count: int | None
    limited: bool = False

    def names(self, row: ThreadRow) -> bool:
        if self.limited and (row.summary.paused or not row.summary.limited):
            return False
        return row.status not in ENDED


def every(function: F) -> F:
    """The options that choose many threads instead of one."""
    options = [
        click.option("--all", "every", is_flag=True, help="All threads that the filters name."),
        click.option("--agent", metavar="NAME", help="With --all: threads of this agent."),
        click.option("--count", type=int, metavar="N", help="With --all: how many there must be."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


status_option = click.option(
    "--status", type=click.Choice(get_args(Status)), help="With --all: only these."
)


def alone(thread: str | None, *, every: bool, given: bool) -> str | None:
    """The one THREAD, or None for many. Raises `click.UsageError` for neither and both."""
    if every == (thread is not None) or (given and not every):
        raise click.UsageError("Give one THREAD, or --all with --agent, --status or --count.")
    return thread


def change_all(
    here: Here, many: Many, verb: Callable[[str], Coroutine[Any, Any, None]], word: str
) -> int:
    """Carry out a verb on each thread that is meant, after the number was confirmed."""
    rows: list[ThreadRow] = []
    if here.has_log:
        refuse_descendants(here.app.store)
        rows += _meant(here.app.store, many)
    if not rows:
        _expect_none(here, many)
        here.out.say("no thread is meant; nothing was done")
    elif not _confirmed(here, len(rows), many.count, word):
        here.out.say("Nothing was done.")
        return exits.CONFLICT
    done, kept = _changed(here, rows, verb)
    if here.json:
        left = [{"thread": thread, "why": why} for thread, why in kept.items()]
        here.out.document("bulk/1", threads=done, kept=left)
        return exits.CONFLICT if kept else exits.DONE
    for thread in done:
        here.out.line(f"{word}  {short(thread)}")
    for why in kept.values():
        here.out.say(f"kept: {why}")
    return exits.CONFLICT if kept else exits.DONE


def all_threads(
    store: EmbeddedStore, status: Status | None, agent: str | None = None
) -> Iterator[ThreadRow]:
    """Every thread, the newest first, page by page."""
    cursor: str | None = None
    while rows := store.threads(status=status, agent=agent, limit=PAGE, before=cursor):
        yield from rows
        cursor = rows[-1].ref.id


def _meant(store: EmbeddedStore, many: Many) -> Iterator[ThreadRow]:
    """Those that the filters name; threads that ended for good are meant by none."""
    rows = all_threads(store, many.status, many.agent)
    # A parent before those it launched, which end with it.
    return iter(sorted(filter(many.names, rows), key=lambda row: row.ref.id))


def _expect_none(here: Here, many: Many) -> None:
    """Raises `UnknownAgent` for one that neither the application nor the log knows, and `Conflict`
    where a number was named."""
    here.tell_unbegun()
    if many.agent is not None and not _has_threads(here, many.agent):
        here.app.agent(many.agent)
    if many.count:
        raise _other_number(0, many.count)


def _has_threads(here: Here, agent: str) -> bool:
    return here.has_log and bool(here.app.store.threads(agent=agent, limit=1))


def _confirmed(here: Here, found: int, count: int | None, word: str) -> bool:
    """Whether the number was named that is there. Raises `click.UsageError` when nobody can be
    asked, and `Conflict` for another number."""
    if count is not None and count != found:
        raise _other_number(found, count)
    if count is not None:
        return True
    if here.terminal is None:
        raise click.UsageError(f"{found} threads would be {word}: say so with --count {found}.")
    here.out.line(f"{found} threads would be {word}.")
    return ask_text(here.terminal, f"Type {found} to go on") == str(found)


def _other_number(found: int, count: int) -> Conflict:
    return Conflict(f"There are {found} such threads, and not {count}. Nothing was done.")


def _changed(
    here: Here, rows: list[ThreadRow], verb: Callable[[str], Coroutine[Any, Any, None]]
) -> tuple[list[str], dict[str, str]]:
    """The threads that were changed, and why others were not."""
    done: list[str] = []
    kept: dict[str, str] = {}
    for thread in (row.ref.id for row in rows):
        try:
            here.run(verb(thread))
        except Conflict as conflict:
            if not _went_along(thread, done):
                kept[thread] = str(conflict)
                continue
        done.append(thread)
    return done, kept


def _went_along(thread: str, done: list[str]) -> bool:
    """Whether a parent took it along."""
    return any(thread.startswith(f"{parent}.") for parent in done)


def as_status(name: str | None) -> Status | None:
    return cast("Status | None", name)
