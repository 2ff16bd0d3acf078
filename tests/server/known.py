"""A server that knows people by keys and visits, and those who come to it."""

import asyncio
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi.testclient import TestClient

from twelvefold.app import App
from twelvefold.keys import CHANCE_BYTES, new_key
from twelvefold.server import create_app
from twelvefold.server.access import Entrance, Way, one_time_path
from twelvefold.server.access.around import Around
from twelvefold.server.listening import Listener, bound, url_of
from twelvefold.server.principal import SCOPES

LOCAL = ("127.0.0.1", 40000)
AWAY = ("203.0.113.9", 40000)
INBOX = "http://inbox.example"
PATIENCE_S = 20.0


class Hours:
    """A clock that tests put forward."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


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
    url: str = INBOX,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> TestClient:
    """Redirects are not followed: tests look at them."""
    served = create_app(app, **options)
    return TestClient(served, base_url=url, client=peer, headers=headers, follow_redirects=False)


def at_hours(app: App, hours: Hours, way: Way | None = None, **options: Any) -> TestClient:
    """A server whose keys and visits end by this clock."""
    return client(app, access=Entrance(Around(app, now=hours), way), **options)


def signed_in(
    visitor: TestClient, app: App, person: str = "anna", **options: Any
) -> httpx.Response:
    """By a link that is used once."""
    answer = visitor.get(one_time_path(app.store, person=person, **options))
    assert answer.status_code == 303, answer.text
    return answer


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    """The attributes of the one cookie that an answer sets, and its `name` and `value`."""
    (header,) = answer.headers.get_list("set-cookie")
    first, *rest = header.split("; ")
    name, _, value = first.partition("=")
    flags = dict(part.partition("=")[::2] for part in rest)
    return {"name": name, "value": value} | {key.lower(): value for key, value in flags.items()}


@contextmanager
def running(app: App, **options: Any) -> Iterator[str]:
    """A server as `twelvefold serve` makes it, in a thread of its own; its URL."""
    listens = bound("127.0.0.1", 0)
    up, loop = threading.Event(), asyncio.new_event_loop()
    listener = Listener(create_app(app, **options), grace_s=1, started=up.set)

    def run() -> None:
        with closing(loop):
            loop.run_until_complete(listener.serve([listens]))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert up.wait(PATIENCE_S)
        yield url_of(listens)
    finally:
        loop.call_soon_threadsafe(listener.stop)
        thread.join()
