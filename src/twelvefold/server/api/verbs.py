"""What is done to threads: messages, signals, pause, resume, cancel, retry, fork.

With `If-Match` on the head a verb is refused when anything came since; the store itself checks that
in the transaction that appends.
"""

from contextlib import nullcontext, suppress
from copy import copy
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from twelvefold.app import App
from twelvefold.exceptions import Conflict, Moved, Stale, UnknownThread
from twelvefold.server.api.asked import Asked
from twelvefold.server.api.launching import about_of
from twelvefold.server.api.once import turn_of
from twelvefold.server.api.replies import asked_etags, expect_etag, head_etag
from twelvefold.server.api.routing import Routes, Who
from twelvefold.server.api.shapes import ThreadShape
from twelvefold.server.api.threads import SEQ_MAX, thread_reply
from twelvefold.server.api.waiting import Waiting, rested
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving
from twelvefold.store import Append, Store
from twelvefold.thread import Event, Json

REASON_CHARS_MAX = 2_000
NAME_CHARS_MAX = 200
EDITS_MAX = 1_000

Seq = Annotated[int, Field(ge=1, le=SEQ_MAX)]
SignalName = Annotated[str, Path(max_length=NAME_CHARS_MAX)]


class Message(Asked):
    text: Annotated[str, Field(min_length=1, description="What the agent is to read.")]


class Signal(Asked):
    """What `WaitFor(step, name)` waits for."""

    data: Any = None


class Nothing(Asked):
    """No body is needed; an empty object is one."""


class Reason(Asked):
    reason: Annotated[str, Field(max_length=REASON_CHARS_MAX)] = ""


class Fork(Asked):
    """A copy of the log up to `at_seq` (its end, as a rule), with other data in some events.

    `edits`: the new data by `seq`, of messages, recorded results and your own event types.
    """

    at_seq: Annotated[int | None, Field(ge=1, le=SEQ_MAX)] = None
    edits: Annotated[dict[Seq, dict[str, Any]], Field(max_length=EDITS_MAX)] = Field(
        default_factory=dict[int, dict[str, Any]]
    )


def router(serving: Serving) -> APIRouter:
    routes, verbs = Routes(serving, "threads"), Verbs(serving)
    does = partial(routes.add, "POST", scope="threads:write", returns=ThreadShape, etag=True)
    changes = partial(does, problems=[404, 412])
    changes("/v1/threads/{thread_id}/messages", verbs.send)
    changes("/v1/threads/{thread_id}/signals/{name}", verbs.signal)
    changes("/v1/threads/{thread_id}/pause", verbs.pause)
    changes("/v1/threads/{thread_id}/resume", verbs.resume)
    changes("/v1/threads/{thread_id}/cancel", verbs.cancel)
    changes("/v1/threads/{thread_id}/retry", verbs.retry)
    does("/v1/threads/{thread_id}/fork", verbs.fork, status=201, problems=[404])
    return routes.router


class Verbs:
    def __init__(self, serving: Serving) -> None:
        self.serving, self.app = serving, serving.app

    async def send(
        self,
        request: Request,
        who: Who,
        thread_id: str,
        body: Message,
        asked: Annotated[Waiting, Query()],
    ) -> Response:
        """Send a message to a thread"""
        app, key = self._seen(request, who, thread_id), turn_of(request).delivery
        about, tenant = about_of(request), who.tenant
        await app.send(thread_id, body.text, key=key, sender=who.name, about=about, tenant=tenant)
        return await self._now(who, thread_id, wait_s=asked.wait_s)

    async def signal(
        self, request: Request, who: Who, thread_id: str, name: SignalName, body: Signal
    ) -> Response:
        """Send a signal to a thread"""
        app, key = self._seen(request, who, thread_id), turn_of(request).delivery
        await app.signal(thread_id, name, body.data, key=key, tenant=who.tenant)
        return await self._now(who, thread_id)

    async def pause(
        self, request: Request, who: Who, thread_id: str, body: Nothing | None = None
    ) -> Response:
        """Decide nothing more until resume

        What runs may end, and its outcome is kept.
        """
        if not self._was_done(request, who, thread_id, "paused"):
            app = self._seen(request, who, thread_id)
            await app.pause(thread_id, by=who.name, tenant=who.tenant)
        return await self._now(who, thread_id)

    async def resume(
        self, request: Request, who: Who, thread_id: str, body: Nothing | None = None
    ) -> Response:
        """Lift a pause or a limit"""
        if not self._was_done(request, who, thread_id, "resumed"):
            app = self._seen(request, who, thread_id)
            await app.resume(thread_id, by=who.name, tenant=who.tenant)
        return await self._now(who, thread_id)

    async def cancel(
        self, request: Request, who: Who, thread_id: str, body: Reason | None = None
    ) -> Response:
        """End a thread and those it launched, for good

        Open contacts close.
        """
        again = self._was_done(request, who, thread_id, "cancelled")
        reason = "" if body is None else body.reason
        app = self.app if again else self._seen(request, who, thread_id)
        with suppress(Conflict) if again else nullcontext():  # those it launched may be left
            await app.cancel(thread_id, by=who.name, reason=reason, tenant=who.tenant)
        return await self._now(who, thread_id)

    async def retry(
        self, request: Request, who: Who, thread_id: str, body: Nothing | None = None
    ) -> Response:
        """Decide again after a failure"""
        if not self._was_done(request, who, thread_id, "resumed", retry=True):
            app = self._seen(request, who, thread_id)
            await app.retry(thread_id, by=who.name, tenant=who.tenant)
        return await self._now(who, thread_id)

    async def fork(self, request: Request, who: Who, thread_id: str, body: Fork) -> Response:
        """Copy the log up to an event into a new thread

        The original is untouched, and its open contacts cannot be answered into the copy.
        """
        new_id, tenant = turn_of(request).thread_id, who.tenant
        if new_id is None or not self._is_there(new_id, tenant):
            new_id = await self.app.fork(
                thread_id,
                body.at_seq,
                new_id=new_id,
                edits=body.edits,
                by=who.name,
                tenant=tenant,
            )
        row = self.app.store.thread_row(new_id, tenant=tenant)
        location = self.serving.at(request, f"/v1/threads/{new_id}")
        return thread_reply(row, status=201, location=location)

    def _is_there(self, thread_id: str, tenant: str) -> bool:
        with suppress(UnknownThread):
            self.app.store.thread_row(thread_id, tenant=tenant)
            return True
        return False

    def _was_done(
        self, request: Request, who: Principal, thread_id: str, type: str, **data: Json
    ) -> bool:
        """Whether a process that died had done it already."""
        turn = turn_of(request)
        if turn.began is None:
            return False
        thread = self.app.thread(thread_id, tenant=who.tenant)
        return turn.is_done(thread, type, by=who.name, **data)

    def _was_delivered(self, request: Request, who: Principal, thread_id: str) -> bool:
        """Whether the head moved by this very request, of which a process died."""
        turn = turn_of(request)
        if turn.began is None:
            return False
        return turn.is_delivered(self.app.thread(thread_id, tenant=who.tenant))

    def _seen(self, request: Request, who: Principal, thread_id: str) -> App:
        """The application, whose verbs now append to what the client saw, or not at all."""
        row = self.app.store.thread_row(thread_id, tenant=who.tenant)
        wanted = asked_etags(request)
        if wanted is None or self._was_delivered(request, who, thread_id):
            return self.app
        expect_etag(request, head_etag(row), thread_id)
        same = copy(self.app)
        seen: Any = _Seen(self.app.store, thread_id, row.head)
        same.use_store(seen)
        return same

    async def _now(self, who: Principal, thread_id: str, *, wait_s: float = 0) -> Response:
        row = await rested(self.serving, thread_id, tenant=who.tenant, wait_s=wait_s)
        return thread_reply(row)


class _Seen:
    """A store to whose thread is appended at one head alone."""

    def __init__(self, store: Store, thread_id: str, head: int) -> None:
        self._store, self._thread_id, self._head = store, thread_id, head

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        for append in appends:
            if append.thread_id == self._thread_id:
                append.expect, append.exact = self._head, True
        try:
            return await self._store.commit(*appends)
        except Stale as error:
            raise Moved(
                f"{self._thread_id} has moved on from event {self._head}. Nothing was done: read"
                " it again, then decide."
            ) from error
