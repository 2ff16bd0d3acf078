"""Streams over HTTP: the events of a thread, and that something changed for a page.

The API's route of events calls `event_stream` when a request asks for a stream.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from twelvefold.exceptions import Conflict, UnknownThread
from twelvefold.server.principal import Principal
from twelvefold.server.problems import ProblemRoute
from twelvefold.server.serving import Serving
from twelvefold.server.streams.feed import Feed
from twelvefold.server.streams.glances import About
from twelvefold.server.streams.sse import (
    HEARTBEAT,
    MEDIA_TYPE,
    OPENING,
    EventStream,
    comment,
    message,
)
from twelvefold.store import EmbeddedStore, Ref

STREAM: dict[str, Any] = {
    MEDIA_TYPE: {
        "schema": {"type": "string"},
        "example": 'id: 1\nevent: message_received\ndata: {"seq": 1, ...}\n\n',
    }
}
"""What OpenAPI says of it."""
ABOUTS_MAX = 10
RESUME = "go on with Last-Event-ID"


def router(serving: Serving) -> APIRouter:
    routes = APIRouter(route_class=ProblemRoute, tags=["inbox"], include_in_schema=False)

    @routes.get("/inbox/changes")
    async def changes(  # pyright: ignore[reportUnusedFunction]
        request: Request,
        about: Annotated[list[str], Query(min_length=1, max_length=ABOUTS_MAX)],
    ) -> Response:
        """`?about=contacts&about=threads&about=thread:k3f9q2`: the mark of each, whenever it is
        another one."""
        who = await serving.access.principal(request)
        abouts = [_about(name, who, serving.app.store) for name in about]
        serving.feed.expect_open()
        return EventStream(_change_lines(serving.feed, abouts))

    return routes


def event_stream(serving: Serving, thread_id: str, *, tenant: str, after: int = 0) -> Response:
    """Every event of the thread after `after`, and then each as it is committed, without end: a
    finished thread may go on.

    Raises `UnknownThread`, and `Conflict` for an event that the log does not have.
    """
    serving.feed.expect_open()
    head = serving.app.store.thread_row(thread_id, tenant=tenant).head
    if after > head:
        raise Conflict(
            f"{thread_id} has {head} events: there is none with id {after}. This is another log"
            " than the one you read before; read it from its beginning, without Last-Event-ID."
        )
    return EventStream(_event_lines(serving.feed, Ref(tenant, thread_id), after))


async def _event_lines(feed: Feed, ref: Ref, after: int) -> AsyncGenerator[bytes]:
    yield OPENING
    async with aclosing(feed.events(ref, after=after)) as found:
        async for chunk in found:
            if chunk is None:
                yield HEARTBEAT
            elif isinstance(chunk, str):
                yield comment(f"{chunk}; {RESUME}")
            else:
                yield chunk.text


async def _change_lines(feed: Feed, abouts: Sequence[About]) -> AsyncGenerator[bytes]:
    yield OPENING
    async with aclosing(feed.changes(abouts)) as found:
        async for news in found:
            if news is None:
                yield HEARTBEAT
            elif isinstance(news, str):
                yield comment(news)
            else:
                yield b"".join(_changed(about, mark) for about, mark in news.items())


def _changed(about: About, mark: str) -> bytes:
    name = f"{about.kind}:{about.id}" if about.id else about.kind
    return message("changed", {"about": name, "mark": mark})


def _about(name: str, who: Principal, store: EmbeddedStore) -> About:
    """What somebody may be told about. Raises `NotPermitted` and `UnknownThread`."""
    kind, _, id = name.partition(":")
    if kind == "contacts" and not id:
        who.needs("contacts:read")
        return About("contacts", tenant=who.tenant)
    who.needs("threads:read")
    if kind == "threads" and not id:
        return About("threads", tenant=who.tenant)
    if kind == "thread" and id:
        store.epoch(id, tenant=who.tenant)
        return About("thread", id, who.tenant)
    raise UnknownThread(f"{name!r} is nothing that changes: contacts, threads or thread:<id> do.")
