"""Channels that fetch what comes in: run beside the engine, again when they fail, twice is once."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crew import PATIENCE_S, Question, app_of, asking, events, pipeline
from twelvefold.app import App
from twelvefold.app.listening import listeners, listening
from twelvefold.exceptions import ConfigurationError
from twelvefold.inbound import Receive, thread_of
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import Letterbox, MemoryStore

pytestmark = pytest.mark.anyio
T = thread_of("mail", "c1")
HELLO: dict[str, Any] = {"text": "hello", "sender": "anna", "conversation": "c1"}


class Fetching(Letterbox):
    """Brings one letter each time it is listened to, and then does what `then` says."""

    def __init__(self, then: Callable[[int], Any], name: str = "mail") -> None:
        super().__init__(name, agent="crew")
        self.times, self._then = 0, then

    async def listen(self, receive: Receive, /) -> None:
        self.times += 1
        await receive(self.name, self.letter("written", key="m1", **HELLO))
        await self._then(self.times)


def made(*channels: Any, store: Any = None) -> App:
    agent = pipeline(Question(), carry_out=asking)
    return app_of(agent, store or MemoryStore(), channels=channels)


async def became(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 # another task makes it true
            await asyncio.sleep(0.01)


async def rests(times: int) -> None:
    await asyncio.Event().wait()


async def fails(times: int) -> None:
    raise ConnectionError("the mailbox is away")


async def returns(times: int) -> None:
    return


@pytest.mark.parametrize("then", [fails, returns])
async def test_one_that_ends_is_listened_to_again_and_a_letter_counts_once(
    then: Any, caplog: pytest.LogCaptureFixture
):
    mail = Fetching(then)
    app = made(mail)

    async with listening(app, pause_s=0.001):
        await became(lambda: mail.times > 3)

    assert len(events(app, "message_received", T)) == 1
    assert ("the mailbox is away" in caplog.text) == (then is fails)


async def test_the_pauses_grow(caplog: pytest.LogCaptureFixture):
    mail = Fetching(fails)

    async with listening(made(mail), pause_s=1.0):
        await became(lambda: mail.times > 1)

    assert "listened to again in 1 s" in caplog.text
    assert "listened to again in 2 s" in caplog.text


async def test_what_is_set_wrongly_is_said_and_not_tried_again(caplog: pytest.LogCaptureFixture):
    async def wrong(times: int) -> None:
        raise ConfigurationError("imap= is missing")

    mail = Fetching(wrong)
    async with listening(made(mail), pause_s=0.001):
        await became(lambda: "mail is not listened to: imap= is missing" in caplog.text)

    assert mail.times == 1


async def test_it_ends_with_the_block():
    ended: list[bool] = []

    async def until_cancelled(times: int) -> None:
        try:
            await rests(times)
        finally:
            ended.append(True)

    mail = Fetching(until_cancelled)
    async with listening(made(mail)):
        await became(lambda: mail.times == 1)

    assert ended == [True]


async def test_one_that_fails_stops_no_other():
    good, bad = Fetching(rests), Fetching(fails, "other")
    app = made(good, bad)

    async with listening(app, pause_s=0.001):
        await became(lambda: good.times == 1 and bad.times > 2)

    assert len(app.store.threads()) == 2


def test_only_channels_with_something_to_listen_to_are_listened_to():
    idle = Fetching(rests, "idle")
    idle.listens = False  # type: ignore[attr-defined]

    app = made(Fetching(rests), idle, Letterbox("plain", agent="crew"))

    assert [one.name for one in listeners(app)] == ["mail"]


async def test_two_processes_that_listen_to_one_mailbox_bring_it_once(tmp_path: Path):
    stores = [SqliteStore(tmp_path / "a.db") for _ in range(2)]
    mails = [Fetching(rests) for _ in stores]
    apps = [made(mail, store=store) for mail, store in zip(mails, stores, strict=True)]

    async with listening(apps[0]), listening(apps[1]):
        await became(lambda: all(mail.times == 1 and mail.replied for mail in mails))

    assert len(events(apps[0], "message_received", T)) == 1
    for store in stores:
        store.close()


async def test_a_server_with_an_engine_listens():
    from twelvefold.server.runner import running

    mail = Fetching(rests)
    app = made(mail)

    async with running(app):
        await became(lambda: mail.times == 1 and len(app.inbox()) == 1)  # read, and advanced

    assert len(events(app, "message_received", T)) == 1
