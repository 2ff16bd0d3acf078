"""A server with keys, and those who come to it."""

import os
from collections.abc import Iterable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient

from twelvefold.app import App
from twelvefold.keys import CHANCE_BYTES, new_key
from twelvefold.server import create_app
from twelvefold.server.principal import SCOPES

NOW = datetime(2026, 11, 20, 9, 55, 33, tzinfo=UTC)
LOCAL = ("127.0.0.1", 40000)
AWAY = ("203.0.113.9", 40000)


class Hours:
    """A clock that tests put forward."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


def keyed(app: App, *, scopes: Iterable[str] = SCOPES, **options: Any) -> str:
    """The text of a new key."""
    options = {"now": datetime.now(UTC)} | options
    key, token = new_key("a key", chance=os.urandom(CHANCE_BYTES), scopes=scopes, **options)
    app.store.add_key(key)
    return token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def client(
    app: App,
    *,
    peer: tuple[str, int] = AWAY,
    url: str = "http://inbox.example",
    headers: dict[str, str] | None = None,
    **options: Any,
) -> TestClient:
    """Redirects are not followed: tests look at them."""
    served = create_app(app, **options)
    return TestClient(served, base_url=url, client=peer, headers=headers, follow_redirects=False)
