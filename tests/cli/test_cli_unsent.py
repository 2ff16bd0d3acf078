"""`twelvefold doctor` says what waits to be sent, by channel: how many, since when, and why."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import Cli

from crew import Clock, Pay, Question, app_of, approved_then, pipeline, settle
from twelvefold.app import App
from twelvefold.cli.unsent import said_of, unsent
from twelvefold.deliveries import PAUSE_FIRST, SENDS_MAX, Delivery
from twelvefold.directory import Directory
from twelvefold.effects import Tell
from twelvefold.testing import MemoryStore, Postbox
from twelvefold.thread import Json

pytestmark = pytest.mark.anyio
PEOPLE = Directory(addresses={"anna": {"chat": "U1"}, "bob": {"email": "bob@x.org"}})
CHANNELS = """
from itertools import repeat
from twelvefold.directory import Directory
from twelvefold.testing import Postbox
away = Postbox("email", failures=repeat(ConnectionError("the mail server is down")))
app = App(app.agents.values(), models=app.models, settles=app.settles.levels,
          channels=[away, Postbox("chat")],
          directory=Directory(addresses={"anna": {"email": "anna@x.org"}}))
"""


class Chat(Postbox):
    """A place where messages can be changed, and which may be away."""

    updates = True
    away = False

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        if self.away:
            raise ConnectionError(f"away: {delivery.recipient.to}")
        return await super().send(delivery)


def away_app(agent: Any, clock: Clock, chat: Chat, *others: Postbox) -> App:
    channels = [chat, *others]
    return app_of(agent, MemoryStore(), channels=channels, directory=PEOPLE, clock=clock)


def test_doctor_says_what_waits_and_which_channel_has_nothing(cli: Cli, folder: Path):
    app = folder / "app.py"
    app.write_text(app.read_text() + CHANNELS)
    cli("run", "bot", "deploy v1", "--id", "one")
    cli("run", "bot", "deploy v2", "--id", "two")

    ran = cli("doctor")

    assert ran.code == 0
    [line] = [line for line in ran.out.splitlines() if "channel email" in line]
    error = "last error: ConnectionError: the mail server is down"
    assert re.search(rf"^note +channel email +2 not sent yet, the oldest for \d+ s; {error}", line)
    assert re.search(r"^ok +channel chat +nothing waits to be sent", ran.out, re.MULTILINE)
    found = {one["about"]: one for one in cli("doctor", "--json").document["data"]}
    assert found["channel email"]["level"] == "note"
    assert found["channel email"]["says"].startswith("2 not sent yet")


def test_doctor_lists_a_few_of_many_that_have_not_got_their_message(cli: Cli, folder: Path):
    app = folder / "app.py"
    app.write_text(app.read_text() + CHANNELS)
    for number in range(7):
        cli("run", "bot", "deploy v1", "--id", f"t{number}")

    said = cli("doctor").out

    assert said.count("not sent to ") == 5  # anna has an address here, and ben has none
    assert "and 9 more: twelvefold inbox" in said
    assert "7 not sent yet" in said


async def test_it_says_since_when_and_when_it_is_tried_again():
    clock, chat = Clock(), Chat("chat")
    chat.away = True
    paid = approved_then(lambda step: "paid", by=("anna", "bob"))
    app = away_app(pipeline(Pay(to="x"), carry_out=paid), clock, chat, Postbox("email"))
    for name in ("t", "u"):
        await app.launch("crew", "go", thread_id=name)
        await settle(app)
        clock.forward(PAUSE_FIRST / 2)

    [one] = unsent(app, app.store)

    assert (one.channel, one.count, one.error) == ("chat", 2, "ConnectionError: away: U1")
    assert said_of(one, now=clock.now) == (
        "2 not sent yet, the oldest for 10 s; last error: ConnectionError: away: U1"
    )
    clock.forward(timedelta(hours=1))
    await settle(app)
    [one] = unsent(app, app.store)
    assert said_of(one, now=clock.now).endswith("; next try in 20 s")
    chat.away = False
    clock.forward(timedelta(hours=1))
    await settle(app)
    assert unsent(app, app.store) == []


async def test_what_is_told_and_what_is_to_be_changed_waits_as_well():
    clock, chat = Clock(), Chat("chat")
    paid = approved_then(lambda step: "paid", by="anna")

    def carry_out(chosen: Any) -> Any:
        asks = isinstance(chosen.step, Pay)
        return paid(chosen) if asks else Tell(chosen.step, "so it is", to="anna")

    app = away_app(pipeline(Pay(to="x"), Question(), carry_out=carry_out), clock, chat)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    chat.away = True
    await app.answer("t.s1.1", "approve", by="anna")
    await app.launch("crew", "go", thread_id="u")
    await settle(app)

    [one] = unsent(app, app.store)

    assert (one.channel, one.count) == ("chat", 3)  # one end, one question, one text
    assert one.oldest == clock.now


async def test_what_is_given_up_waits_no_more():
    clock, chat = Clock(), Chat("chat")
    chat.away = True
    app = away_app(
        pipeline(Pay(to="x"), carry_out=approved_then(lambda step: "paid", by="anna")), clock, chat
    )
    await app.launch("crew", "go", thread_id="t")
    for _ in range(SENDS_MAX + 1):
        await settle(app)
        clock.forward(timedelta(hours=1))

    assert unsent(app, app.store) == []


async def test_a_thread_that_is_erased_meanwhile_is_passed_over():
    clock, chat = Clock(), Chat("chat")
    chat.away = True
    app = away_app(
        pipeline(Pay(to="x"), carry_out=approved_then(lambda step: "paid", by="anna")), clock, chat
    )
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.cancel("t")
    await settle(app)
    await app.erase("t", by="anna", reason="asked")

    assert unsent(app, app.store) == []
