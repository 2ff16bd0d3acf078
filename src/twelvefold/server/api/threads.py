"""Threads: launch, list, look, and the events of one."""

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import ConfigDict, Field

from twelvefold.exceptions import InvalidRequest, UnknownThread
from twelvefold.server.api.asked import PAGE, PAGE_MAX, Asked, Cursor
from twelvefold.server.api.cursors import cursor_of, no_cursor, place_of
from twelvefold.server.api.describing import linked
from twelvefold.server.api.launching import Launching
from twelvefold.server.api.replies import head_etag, shown
from twelvefold.server.api.routing import Routes, Who
from twelvefold.server.api.shapes import (
    EventPage,
    ThreadPage,
    ThreadShape,
    event_shape,
    thread_shape,
)
from twelvefold.server.api.waiting import Waiting, rested
from twelvefold.server.serving import Serving
from twelvefold.server.streams.routes import STREAM, event_stream
from twelvefold.server.streams.sse import is_wanted
from twelvefold.store import ThreadRow
from twelvefold.summary import Status

EVENTS_MAX = 1_000
SEQ_MAX = 2**31

LastId = Annotated[
    int | None,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=SEQ_MAX,
        description="Of a stream: go on after this `seq`. It wins over `after`.",
    ),
]
OWN_ID = r"[A-Za-z0-9_-]+"
ID_CHARS_MAX = 100
METADATA_KEYS_MAX = 100

OF_A_THREAD = (
    *("threads_one", "threads_events", "threads_context", "threads_verify", "threads_send"),
    *("threads_signal", "threads_pause", "threads_resume", "threads_cancel", "threads_retry"),
    "threads_fork",
)
"""Operations that an id of a thread leads to."""


class ThreadQuery(Asked):
    status: Annotated[Status | None, Field(description="Only threads of this status.")] = None
    agent: Annotated[str | None, Field(description="Only threads of this agent.")] = None
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE
    cursor: Cursor = None


class EventQuery(Asked):
    after: Annotated[int, Field(ge=0, le=SEQ_MAX, description="Events after this `seq`.")] = 0
    limit: Annotated[int, Field(ge=1, le=EVENTS_MAX)] = PAGE_MAX
    cursor: Cursor = None


class Launch(Asked):
    """With an `id` of your own, the same launch twice is one thread.

    `on_conflict` says what happens where that id is another launch's: `fail` with 409, `return` the
    thread as it is, or `send` it the input as a message. Both answer 200, and a thread of another
    agent is a 409 all the same.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"agent": "deploybot", "input": "deploy v1.2.3"}]},
    )
    agent: Annotated[str, Field(description="The name of an agent of the application.")]
    input: Annotated[str, Field(min_length=1, description="The first message.")]
    id: Annotated[str | None, Field(pattern=rf"^{OWN_ID}$", max_length=ID_CHARS_MAX)] = None
    metadata: Annotated[
        dict[str, Any] | None,
        Field(
            max_length=METADATA_KEYS_MAX,
            description="Kept with the message, for your code: no model is shown it.",
        ),
    ] = None
    on_conflict: Literal["fail", "return", "send"] = "fail"


def router(serving: Serving) -> APIRouter:
    routes, threads = Routes(serving, "threads"), Threads(serving)
    read = partial(routes.add, "GET", scope="threads:read")
    first = linked("thread_id", "data/0/id", *OF_A_THREAD)
    read("/v1/threads", threads.many, returns=ThreadPage, links=first)
    read("/v1/threads/{thread_id}", threads.one, returns=ThreadShape, problems=[404], etag=True)
    read(
        "/v1/threads/{thread_id}/events",
        threads.events,
        returns=EventPage,
        problems=[404, 409],
        content=STREAM,
    )
    launch = partial(routes.add, "POST", scope="threads:write", status=201, etag=True)
    links = linked("thread_id", "id", *OF_A_THREAD)
    there = {200: "The id was there, and `on_conflict` let it through."}
    launch(
        "/v1/threads",
        threads.launch,
        returns=ThreadShape,
        problems=[404],
        links=links,
        also=there,
    )
    return routes.router


class Threads:
    """What only reads is a plain function: FastAPI calls those in threads, and the loop goes on."""

    def __init__(self, serving: Serving) -> None:
        self.serving, self.app = serving, serving.app

    def many(self, who: Who, asked: Annotated[ThreadQuery, Query()]) -> Response:
        """Threads, the newest first."""
        rows = self._page(who.tenant, asked)
        page, more = rows[: asked.limit], rows[asked.limit :]
        cursor = cursor_of(page[-1].ref.id) if more else None
        return shown({"data": list(map(thread_shape, page)), "next_cursor": cursor})

    def _page(self, tenant: str, asked: ThreadQuery) -> list[ThreadRow]:
        before = place_of(asked.cursor, str)[0] if asked.cursor is not None else None
        try:
            return self.app.threads(
                tenant=tenant,
                status=asked.status,
                agent=asked.agent,
                limit=asked.limit + 1,
                before=before,
            )
        except UnknownThread:
            raise no_cursor() from None

    def one(self, who: Who, thread_id: str) -> Response:
        """One thread: its status, and what it waits for."""
        return thread_reply(self.app.store.thread_row(thread_id, tenant=who.tenant))

    def events(
        self,
        request: Request,
        who: Who,
        thread_id: str,
        asked: Annotated[EventQuery, Query()],
        last_event_id: LastId = None,
    ) -> Response:
        """The events of a thread, in order

        After `after`, or from where `cursor` was left. With `Accept: text/event-stream` each one
        as it is committed, without end, as a server-sent event: `id` is its `seq`.
        """
        if asked.cursor is not None and asked.after:
            raise InvalidRequest(
                "A cursor and `after` name two places. Send one of them. Nothing was done.",
                errors={"query.after": "cannot stand beside a cursor"},
            )
        after = asked.after if asked.cursor is None else place_of(asked.cursor, int)[0]
        if is_wanted(request):
            since = after if last_event_id is None else last_event_id
            tenant = who.tenant
            return event_stream(request, self.serving, thread_id, after=since, tenant=tenant)
        store = self.app.store
        store.thread_row(thread_id, tenant=who.tenant)  # or it is not there
        found = store.events(thread_id, after=after, limit=asked.limit + 1, tenant=who.tenant)
        page, more = found[: asked.limit], found[asked.limit :]
        cursor = cursor_of(page[-1].seq) if more else None
        return shown({"data": list(map(event_shape, page)), "next_cursor": cursor})

    async def launch(
        self, request: Request, who: Who, body: Launch, asked: Annotated[Waiting, Query()]
    ) -> Response:
        """Begin a thread with its first message

        It answers when the message is durable; the work goes on. `wait_s` waits until the thread
        rests, at most so long. A W3C `traceparent` is kept with the message: the work links to it.
        """
        launching = Launching(self.app, request, who, body.agent, body.input, body.metadata)
        thread_id, is_new = await launching.done(body.id, on_conflict=body.on_conflict)
        row = await rested(self.serving, thread_id, tenant=who.tenant, wait_s=asked.wait_s)
        location = self.serving.at(request, f"/v1/threads/{thread_id}")
        return thread_reply(row, status=201 if is_new else 200, location=location)


def thread_reply(row: ThreadRow, **how: Any) -> Response:
    return shown(thread_shape(row), etag=head_etag(row), **how)
