"""Whether something changed that a page shows: the marks of lists and threads.

A reader gets the newest mark of each thing, never a queue: what lies between two marks is not its
business, for it fetches the page's own fragment.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple

import anyio.to_thread

from twelvefold.server.streams.pulse import Pulse
from twelvefold.store import EmbeddedStore
from twelvefold.thread import DEFAULT_TENANT

GLANCE_S = 0.25

Kind = Literal["contacts", "threads", "thread"]


class About(NamedTuple):
    """What may change: the tenant's open contacts, its newest threads, or one thread by its id."""

    kind: Kind
    id: str = ""
    tenant: str = DEFAULT_TENANT


def mark_of(store: EmbeddedStore, about: About) -> str:
    """What a page that is made now is a picture of; to be read before its contents."""
    match about.kind:
        case "contacts":
            return store.contacts_mark(tenant=about.tenant)
        case "threads":
            return store.threads_mark(tenant=about.tenant)
        case "thread":
            heads = store.heads_of([(about.tenant, about.id)])
            return str(heads.get((about.tenant, about.id), 0))


class Glance:
    """One reader of several marks. `over` says why it ended."""

    def __init__(self, abouts: Sequence[About]) -> None:
        self.abouts = abouts
        self.over: str | None = None
        self._news: dict[About, str] = {}
        self._came = asyncio.Event()

    def put(self, about: About, mark: str) -> None:
        self._news[about] = mark
        self._came.set()

    def end(self, why: str) -> None:
        self.over = self.over or why
        self._came.set()

    async def next(self, *, timeout_s: float) -> Mapping[About, str]:
        """The newest marks of what changed; none when the time is up or it is `over`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._came.wait()
        except TimeoutError:
            return {}
        news, self._news = self._news, {}
        if self.over is None:
            self._came.clear()
        return news


class Glances:
    """All pages that are open."""

    def __init__(self, store: Callable[[], EmbeddedStore]) -> None:
        self._store = store
        self._readers: list[Glance] = []
        self._marks: dict[About, str] = {}
        self._mark, self._looks_anyway = "", True
        self._pulse = Pulse(self._beat, self.end, every_s=GLANCE_S)

    @property
    def readers(self) -> int:
        return len(self._readers)

    def join(self, abouts: Sequence[About]) -> Glance:
        """A reader who is told the mark of each at once, and each that follows."""
        glance = Glance(abouts)
        self._readers.append(glance)
        for about in abouts:
            if about in self._marks:
                glance.put(about, self._marks[about])
        self._looks_anyway = True
        self._pulse.start()
        return glance

    def leave(self, glance: Glance) -> None:
        self._readers.remove(glance)
        wanted = self._wanted()
        self._marks = {about: mark for about, mark in self._marks.items() if about in wanted}
        if not self._readers:
            self._pulse.stop()

    def end(self, why: str) -> None:
        for glance in self._readers:
            glance.end(why)

    def _wanted(self) -> list[About]:
        return list(dict.fromkeys(about for glance in self._readers for about in glance.abouts))

    async def _beat(self) -> None:
        wanted = self._wanted()
        mark, self._looks_anyway = "" if self._looks_anyway else self._mark, False
        look = partial(_look, self._store(), wanted, mark)
        self._mark, marks = await anyio.to_thread.run_sync(look)
        for about, found in marks.items():
            if self._marks.get(about) != found:
                self._marks[about] = found
                self._tell(about, found)

    def _tell(self, about: About, mark: str) -> None:
        for glance in self._readers:
            if about in glance.abouts:
                glance.put(about, mark)


def _look(store: EmbeddedStore, wanted: Sequence[About], mark: str) -> tuple[str, dict[About, str]]:
    now = store.mark()
    if now == mark:
        return now, {}
    return now, {about: mark_of(store, about) for about in wanted}
