"""Every engine under the contract of all engines."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from contracts.engine import *  # noqa: F403
from contracts.engine import Make
from crew import app_of
from twelvefold.app import App
from twelvefold.engine.procrastinate import migrate
from twelvefold.stores import open_store

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["embedded on sqlite", "embedded on postgres", "procrastinate"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    name, _, place = request.param.partition(" on ")
    url = str(tmp_path / "a.db") if place == "sqlite" else request.getfixturevalue("postgres_url")
    if name == "procrastinate":
        migrate(url)
    with ExitStack() as stack:

        def app(agents: Any, *replies: Any, **options: Any) -> App:
            store = open_store(url)
            stack.callback(store.close)
            return app_of(agents, store, *replies, engine=name, **options)

        yield app
