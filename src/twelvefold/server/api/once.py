"""`Idempotency-Key`: the same request is done once, and answered alike however often it comes.

What a request makes is named by its key and body: a thread, a delivery. So one whose process died
after the commit and before the answer was kept is simply done again, and that adds nothing. A
refusal is not kept, for nothing was done: correct the request, and send it with the same key.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from itertools import count
from typing import Annotated, Any

from anyio import CancelScope
from anyio.to_thread import run_sync
from fastapi import Header, Request, Response

from twelvefold.app.names import named_thread_id
from twelvefold.exceptions import InFlight, KeyReused
from twelvefold.repeats import Claim
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving
from twelvefold.thread import Json, Thread, canonical, from_text, to_text

KEY_CHARS_MAX = 255
KEPT = timedelta(hours=24)
BUSY = timedelta(seconds=10)
"""Beside `?wait_s=`: what a request may take before another process may do it."""
SWEEP_EVERY = 100
REPLAYED = "Idempotency-Replayed"
_KEPT_HEADERS = ("content-type", "cache-control", "etag", "location")
_TURN = "twelvefold.turn"

Endpoint = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One request. `name` is the same each time it comes, None without a key; `began`: when
    somebody began it who was not heard of again."""

    name: str | None = None
    began: datetime | None = None

    @property
    def thread_id(self) -> str | None:
        """Of the thread that it begins."""
        return None if self.name is None else named_thread_id(self.name)

    @property
    def delivery(self) -> str | None:
        """Of the message or signal that it brings."""
        return None if self.name is None else f"http:{self.name}"

    def is_delivered(self, thread: Thread) -> bool:
        """Whether the log holds the message or signal of whoever began it."""
        keys = {f"delivery:{self.delivery}", f"signal:{self.delivery}"}
        return self.began is not None and any(event.key in keys for event in thread.events)

    def is_done(self, thread: Thread, type: str, **data: Json) -> bool:
        """Whether the log shows that whoever began it did this."""
        return self.began is not None and any(
            event.type == type and event.at >= self.began and data.items() <= event.data.items()
            for event in reversed(thread.events)
        )


def turn_of(request: Request) -> Turn:
    return request.scope.get(_TURN, Turn())


async def idempotency_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=KEY_CHARS_MAX,
            pattern=r"^[!-~]+$",
            description="The same key with the same body is one request, for 24 hours.",
        ),
    ] = None,
) -> None:
    """For OpenAPI, and for what a key may look like."""


class Once:
    """Does requests once, by their keys."""

    def __init__(self, serving: Serving) -> None:
        self._app, self._counted = serving.app, count(1)

    def each(self, endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def done_once(**given: Any) -> Response:
            request: Request = given["request"]
            key = request.headers.get("idempotency-key")
            if key is None:
                return await endpoint(**given)
            wait_s = getattr(given.get("asked"), "wait_s", 0.0)
            wish = await self._wish(request, given["who"], key, wait_s=wait_s)
            claim = await run_sync(self._app.store.claim, wish)
            if claim.owner != wish.owner:
                return _answered(claim, wish)
            request.scope[_TURN] = _turn(claim, wish)
            return await self._settled(claim, endpoint(**given))

        return done_once

    async def _wish(self, request: Request, who: Principal, key: str, *, wait_s: float) -> Claim:
        now = self._app.clock()
        if next(self._counted) % SWEEP_EVERY == 0:
            await run_sync(self._app.store.sweep_claims, now)
        query = sorted(one for one in request.query_params.multi_items() if one[0] != "wait_s")
        asked: list[Json] = [request.method, request.url.path, query, who.name]
        text = canonical(asked).encode() + b"\n" + await request.body()
        return Claim(
            who.tenant,
            hashlib.sha256(key.encode()).hexdigest(),
            hashlib.sha256(text).hexdigest(),
            secrets.token_hex(16),
            began=now,
            busy_until=now + BUSY + timedelta(seconds=wait_s),
            keep_until=now + KEPT,
        )

    async def _settled(self, claim: Claim, answering: Awaitable[Response]) -> Response:
        store = self._app.store
        try:
            response = await answering
        except BaseException:
            with CancelScope(shield=True):
                await run_sync(store.give_up, claim)
            raise
        with CancelScope(shield=True):
            await run_sync(store.settle, claim, _kept(response))
        return response


def _turn(claim: Claim, wish: Claim) -> Turn:
    name = hashlib.sha256(f"{claim.tenant}\n{claim.key}\n{claim.fingerprint}".encode()).hexdigest()
    return Turn(name, None if claim.began == wish.began else claim.began)


def _answered(claim: Claim, wish: Claim) -> Response:
    """What somebody else did with this key. Raises `KeyReused` and `InFlight`."""
    if claim.fingerprint != wish.fingerprint:
        raise KeyReused(
            "This Idempotency-Key came with another request before. Nothing was done: give each"
            " request a key of its own."
        )
    if claim.reply is None:
        raise InFlight(
            "The same request is still being worked on. Send it again in a moment, with the same"
            " key: then its answer is here."
        )
    kept = from_text(claim.reply)
    return Response(kept["body"], kept["status"], {**kept["headers"], REPLAYED: "true"})


def _kept(response: Response) -> str:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    body = bytes(response.body).decode()
    return to_text({"status": response.status_code, "headers": headers, "body": body})
