"""What a log can be asked: which bytes a model saw, and whether it is what was written."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field
from typing_extensions import TypedDict

from twelvefold.app.requests import Made, body_of, request_at
from twelvefold.audit import Broken, verify
from twelvefold.exceptions import ConfigurationError, TwelvefoldError
from twelvefold.messages import FilePart, Message, Part
from twelvefold.server.api.asked import Asked
from twelvefold.server.api.replies import shown
from twelvefold.server.api.routing import Routes, Who
from twelvefold.server.api.threads import SEQ_MAX
from twelvefold.server.serving import Serving
from twelvefold.thread import Json, Thread, from_text


class AtQuery(Asked):
    at: Annotated[
        int | None,
        Field(
            ge=1,
            le=SEQ_MAX,
            description="The `seq` of a model's reply, or of any event; without it, the newest.",
        ),
    ] = None


class PartShape(TypedDict):
    """`cache`: the provider may keep all up to its end. `file`: the SHA-256 of what is read."""

    text: str
    cache: bool
    file: str | None


class MessageShape(TypedDict):
    role: str
    parts: list[PartShape]


class ContextShape(TypedDict):
    """A request as today's code makes it, over the events up to `after`.

    `at`: the reply that answered it; null for one that is not sent yet. `same`: whether these are
    the bytes that were sent. `body`: what goes to the provider, null for a model that cannot say.
    """

    thread: str
    at: int | None
    after: int
    messages: list[MessageShape]
    steps: Any
    hash: str
    recorded_hash: str | None
    same: bool | None
    usage: dict[str, Any] | None
    body: Any


class VerifiedShape(TypedDict):
    """`broken_at`: the first event that is not what was written; null where the thread's own row
    is. `erased`: events whose data was dropped, of which the chain still tells that they were."""

    thread: str
    valid: bool
    events: int
    erased: int
    broken_at: int | None
    why: str | None


def router(serving: Serving) -> APIRouter:
    routes, inspecting = Routes(serving, "threads"), Inspecting(serving)
    reads = partial(routes.add, "GET", scope="threads:read", problems=[404])
    reads("/v1/threads/{thread_id}/context", inspecting.context, returns=ContextShape)
    reads("/v1/threads/{thread_id}/verify", inspecting.verify, returns=VerifiedShape)
    return routes.router


class Inspecting:
    def __init__(self, serving: Serving) -> None:
        self.app = serving.app

    def context(self, who: Who, thread_id: str, asked: Annotated[AtQuery, Query()]) -> Response:
        """What a model saw, or would see next, to the byte

        Nothing but a hash is stored of a request: it is made again by your code.
        """
        tenant = who.tenant
        thread = self.app.thread(thread_id, tenant=tenant)
        made = self._made(thread, asked.at)
        model = self.app.surroundings.model(made.model)
        load = partial(self.app.store.kept, tenant=tenant)
        body: ContextShape = {
            "thread": thread.id,
            "at": None if made.reply is None else made.reply.seq,
            "after": made.after,
            "messages": [_message(message) for message in made.request.messages],
            "steps": _json(made.request.schema),
            "hash": made.request.hash(),
            "recorded_hash": made.recorded,
            "same": None if made.recorded is None else not made.differs,
            "usage": None if made.reply is None else made.reply.data.get("usage"),
            "body": body_of(model, made.request, load),
        }
        return shown(body)

    def _made(self, thread: Thread, at: int | None) -> Made:
        agent = self.app.agent(thread.agent)
        try:
            return request_at(thread, agent, at)
        except TwelvefoldError:
            raise
        except Exception as error:
            raise ConfigurationError(
                f"decide of {agent.name} raises {error!r} over these events today: correct it."
            ) from error

    def verify(self, who: Who, thread_id: str) -> Response:
        """Whether the log is what was written, by its hash chain"""
        recorded = self.app.store.recorded(thread_id, tenant=who.tenant)
        found = verify(recorded)
        broken = isinstance(found, Broken)
        body: VerifiedShape = {
            "thread": thread_id,
            "valid": not broken,
            "events": len(recorded.records),
            "erased": 0 if broken else found.erased,
            "broken_at": found.seq if broken else None,
            "why": found.why if broken else None,
        }
        return shown(body)


def _message(message: Message) -> MessageShape:
    return {"role": message.role, "parts": list(map(_part, message.parts))}


def _part(part: Part) -> PartShape:
    file = part.sha256 if isinstance(part, FilePart) else None
    return {"text": part.text, "cache": part.cache, "file": file}


def _json(schema: str | None) -> Json:
    return None if schema is None else from_text(schema)
