"""Streams over HTTP: the events of a thread, and that something changed for a page.

The API's route of events calls `event_stream` when a request asks for a stream.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any, TypeVar

import anyio
from fastapi import APIRouter, Query, Request, Response

from twelvefold.exceptions import Conflict, StoreError, UnknownThread
from twelvefold.server.access import Entrance
from twelvefold.server.principal import Principal
from twelvefold.server.problems import ProblemRoute
from twelvefold.server.serving import Serving
from twelvefold.server.streams.feed import Feed
from twelvefold.server.streams.glances import About
from twelvefold.server.streams.pulse import UNANSWERED
from twelvefold.server.streams.sse import (
    HEARTBEAT,
    MEDIA_TYPE,
    OPENING,
    EventStream,
    comment,
    message,
)
from twelvefold.store import EmbeddedStore, Ref

T = TypeVar("T")

log = logging.getLogger("twelvefold.server")

STREAM: dict[str, Any] = {
    MEDIA_TYPE: {
        "schema": {"type": "string"},
        "example": 'id: 1\nevent: message_received\ndata: {"seq": 1, ...}\n\n',
    }
}
"""What OpenAPI says of it."""
ABOUTS_MAX = 10
LIFE_S_MAX = 600.0
AGAIN_S = 10.0
"""So often it is asked again who reads, when anything is to be sent: a key that was revoked, or a
scope that was taken away, is good for a stream for so long, and a heartbeat."""
WHO_AGAIN = "time to say again who you are"
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
        still = _still(request, serving)
        return EventStream(change_lines(serving.feed, abouts, still=still))

    return routes


def event_stream(
    request: Request, serving: Serving, thread_id: str, *, tenant: str, after: int = 0
) -> Response:
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
    ref, still = Ref(tenant, thread_id), _still(request, serving)
    return EventStream(event_lines(serving.feed, ref, after=after, still=still))


Still = Callable[[], Awaitable[bool]]


def _still(request: Request, serving: Serving) -> Still:
    """Whether whoever reads may go on. An `Access` of somebody else's lets in for `LIFE_S_MAX`."""
    door = serving.access
    return partial(door.lets_in_still, request) if isinstance(door, Entrance) else _always


async def _always() -> bool:
    return True


async def event_lines(
    feed: Feed,
    ref: Ref,
    *,
    after: int,
    life_s: float = LIFE_S_MAX,
    still: Still = _always,
    again_s: float = AGAIN_S,
) -> AsyncGenerator[bytes]:
    """The text of a stream of events, for `life_s`."""
    yield OPENING
    async with aclosing(feed.events(ref, after=after)) as found:
        async for chunk in _alive(found, life_s=life_s, still=still, again_s=again_s):
            if isinstance(chunk, bytes):
                yield chunk
            elif isinstance(chunk, str):
                yield comment(f"{chunk}; {RESUME}")
            else:
                yield chunk.text


async def change_lines(
    feed: Feed,
    abouts: Sequence[About],
    *,
    life_s: float = LIFE_S_MAX,
    still: Still = _always,
    again_s: float = AGAIN_S,
) -> AsyncGenerator[bytes]:
    """The text of a stream for a page, for `life_s`."""
    yield OPENING
    async with aclosing(feed.changes(abouts)) as found:
        async for news in _alive(found, life_s=life_s, still=still, again_s=again_s):
            if isinstance(news, bytes):
                yield news
            elif isinstance(news, str):
                yield comment(news)
            else:
                yield b"".join(_changed(about, mark) for about, mark in news.items())


async def _alive(
    found: AsyncGenerator[T | str | None], *, life_s: float, still: Still, again_s: float
) -> AsyncGenerator[T | str | bytes]:
    """What is found, with heartbeats, until its time is over, whoever reads may not any more, or
    the store is gone."""
    began = anyio.current_time()
    asked = began
    try:
        async for one in found:
            if anyio.current_time() >= asked + again_s:
                if not await still():
                    yield WHO_AGAIN
                    return
                asked = anyio.current_time()
            yield HEARTBEAT if one is None else one
            if anyio.current_time() > began + life_s:
                yield WHO_AGAIN
                return
    except StoreError as error:
        log.warning("a stream ends: %s", error)
        yield UNANSWERED


def _changed(about: About, mark: str) -> bytes:
    name = f"{about.kind}:{about.id}" if about.id else about.kind
    return message("changed", {"about": name, "mark": mark})


def _about(name: str, who: Principal, store: EmbeddedStore) -> About:
    """What somebody may be told about. Raises `NotPermitted` and `UnknownThread`."""
    kind, _, id = name.partition(":")
    if kind == "contacts" and not id:
        who.needs("contacts:read")
        return About("contacts", tenant=who.tenant)
    if kind == "thread" and id:
        if "contacts:read" not in who.scopes:  # who decides is shown what came since
            who.needs("threads:read")
        store.epoch(id, tenant=who.tenant)
        return About("thread", id, who.tenant)
    who.needs("threads:read")
    if kind == "threads" and not id:
        return About("threads", tenant=who.tenant)
    raise UnknownThread(f"{name!r} is nothing that changes: contacts, threads or thread:<id> do.")
