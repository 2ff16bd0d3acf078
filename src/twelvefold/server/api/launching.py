"""Launches: one thread for one id, and what happens when that id is there already."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from anyio.to_thread import run_sync
from fastapi import Request

from twelvefold.app import App
from twelvefold.exceptions import Conflict, UnknownThread
from twelvefold.server.api.once import turn_of
from twelvefold.server.principal import Principal
from twelvefold.telemetry.traceparent import TRACEPARENT, traceparent_of
from twelvefold.thread import Event, Json

OnConflict = Literal["fail", "return", "send"]


def about_of(request: Request, metadata: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """What is kept with a message beside its text. A trace that is none is left out: the standard
    asks for that, and no request fails for it."""
    about: dict[str, Json] = {} if metadata is None else {"metadata": dict(metadata)}
    trace = traceparent_of(request.headers.get(TRACEPARENT))
    return about if trace is None else {**about, TRACEPARENT: trace.text}


@dataclass(frozen=True, slots=True)
class Launching:
    """What one request would begin."""

    app: App
    request: Request
    who: Principal
    agent: str
    text: str
    metadata: Mapping[str, Json] | None

    async def done(self, id: str | None, *, on_conflict: OnConflict) -> tuple[str, bool]:
        """The thread, and whether this is the launch that it began with. Raises as `App.launch`."""
        thread_id = id or turn_of(self.request).thread_id
        if id is None or on_conflict == "fail":
            return await self._launched(thread_id), True
        if (there := await run_sync(self._found, id)) is None:
            with suppress(Conflict):  # else somebody else was faster
                return await self._launched(id), True
            there = await run_sync(self._there, id)
        agent, first = there
        if agent != self.agent:
            raise Conflict(
                f"{id} is a thread of {agent}, not of {self.agent}. Nothing was done: give this"
                " one another id."
            )
        if self._has_begun(first):
            return id, True
        if on_conflict == "send":
            await self._sent(id)
        return id, False

    async def _launched(self, thread_id: str | None) -> str:
        return await self.app.launch(
            self.agent,
            self.text,
            thread_id=thread_id,
            sender=self.who.name,
            about=about_of(self.request, self.metadata),
            tenant=self.who.tenant,
        )

    async def _sent(self, thread_id: str) -> None:
        await self.app.send(
            thread_id,
            self.text,
            key=turn_of(self.request).delivery,
            sender=self.who.name,
            about=about_of(self.request, self.metadata),
            tenant=self.who.tenant,
        )

    def _has_begun(self, first: Event) -> bool:
        """Whether this very request began the thread, before its process died."""
        began = turn_of(self.request).began
        said = {"text": self.text, "from": self.who.name}
        return began is not None and first.at >= began and said.items() <= first.data.items()

    def _found(self, id: str) -> tuple[str, Event] | None:
        with suppress(UnknownThread):
            return self._there(id)
        return None

    def _there(self, id: str) -> tuple[str, Event]:
        """Its agent, and the event that it began with."""
        store, tenant = self.app.store, self.who.tenant
        agent = store.thread_row(id, tenant=tenant).agent
        return agent, store.events(id, after=0, limit=1, tenant=tenant)[0]
