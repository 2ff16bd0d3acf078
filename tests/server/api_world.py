"""A served application for tests of the API: a crew that pays and asks, and whoever comes in."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from fastapi import Request

from twelvefold.app import App
from twelvefold.exceptions import NotSignedIn
from twelvefold.server import create_app
from twelvefold.server.principal import Principal

ANNA = Principal("anna", person="anna")
BEN = Principal("ben", person="ben")
EVE = Principal("eve", person="eve")
ROBOT = Principal("key:k1", assurance="key")
STRANGER = Principal("anna", person="anna", tenant="other")


@dataclass
class Door:
    """Whoever says who he is, by a header. A test puts people in."""

    known: dict[str, Principal] = field(default_factory=dict[str, Principal])

    async def principal(self, request: Request) -> Principal:
        name = request.headers.get("authorization", "").removeprefix("Bearer ")
        if name not in self.known:
            raise NotSignedIn(f"{name or 'nobody'} is not known here. Send a key.")
        return self.known[name]


def door() -> Door:
    known = {"anna": ANNA, "ben": BEN, "eve": EVE, "robot": ROBOT, "stranger": STRANGER}
    reader = replace(ROBOT, name="key:reader", scopes=frozenset({"threads:read"}))
    return Door({**known, "reader": reader})


@asynccontextmanager
async def visiting(
    app: App, *, who: str = "anna", access: Any = None, **options: Any
) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the application as it is served, without a socket."""
    served = create_app(app, access=access or door(), **options)
    transport = httpx.ASGITransport(served)
    headers = {"Authorization": f"Bearer {who}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=headers
    ) as client:
        yield client


def as_(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {who}"}
