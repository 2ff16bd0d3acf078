"""The first answer closes a contact everywhere: what asked elsewhere is changed, and says who."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from crew import (
    STORES,
    Clock,
    Done,
    Gate,
    Pay,
    Question,
    app_of,
    approved_then,
    events,
    pipeline,
    seen,
    settle,
    status,
    store_of,
)
from crew import chat as talk
from twelvefold.app import App
from twelvefold.deliveries import PAUSE_FIRST, SENDS_MAX, Delivery
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Ask
from twelvefold.testing import Postbox, replays
from twelvefold.thread import Json

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
PEOPLE = Directory(
    addresses={"anna": {"chat": "U1"}, "bob": {"chat": "U2"}, "cleo": {"email": "cleo@x.org"}}
)
DOWN = ConnectionError("the server is down")


class Chat(Postbox):
    """A place where messages can be changed."""

    updates = True

    @property
    def asked(self) -> list[Delivery]:
        return [one for one in self.sent if one.closing is None]

    @property
    def changed(self) -> list[Delivery]:
        return [one for one in self.sent if one.closing is not None]


@pytest.fixture(params=[*STORES, "postgres"])
def store(request: Any, tmp_path: Any) -> Any:
    if request.param == "postgres":
        from twelvefold.stores import open_store

        store: Any = open_store(request.getfixturevalue("postgres_url"))
    else:
        store = store_of(request.param, tmp_path)
    yield store
    store.close()


def asking_three(**more: Any) -> Any:
    ask = lambda chosen: Ask(chosen.step, "Which?", to=["anna", "bob", "cleo"], **more)  # noqa: E731
    return pipeline(Question(), carry_out=ask)


async def begun(store: Any, agent: Any, chat: Chat, *others: Postbox, **options: Any) -> App:
    given: dict[str, Any] = {"clock": Clock(), "directory": PEOPLE}
    app = app_of(agent, store, channels=[chat, *others], **(given | options))
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    return app


async def test_the_other_messages_are_changed_and_say_who_answered(store: Any):
    chat, email = Chat("chat"), Postbox("email")
    app = await begun(store, asking_three(), chat, email)
    assert [one.recipient.person for one in chat.asked] == ["anna", "bob"]

    await app.answer("t.s1.1", "answer", value="blue", by="cleo", channel="email")
    await settle(app)

    closings = [(one.recipient.to, one.closing) for one in chat.changed]
    assert [to for to, _ in closings] == ["U1", "U2"]
    assert {(c.outcome, c.by, c.channel) for _, c in closings if c} == {
        ("answered", "cleo", "email")
    }
    assert [c.said for _, c in closings if c] == [{"number": 1}, {"number": 2}]
    assert len(email.sent) == 1  # what cannot be changed gets nothing more
    assert status(app) == "finished"


async def test_each_message_is_changed_once(store: Any):
    chat = Chat("chat")
    app = await begun(store, asking_three(), chat)
    await app.answer("t.s1.1", "answer", value="blue", by="anna")

    for _ in range(3):
        await settle(app)
        await app.send("t", "and?")

    assert len(chat.changed) == 2
    sent = [e.data for e in events(app, "contact_sent") if "closing" in e.data]
    assert [(one["to"], one["closing"]) for one in sent] == [("U1", "answered"), ("U2", "answered")]


async def test_a_change_that_fails_is_tried_again_and_given_up_at_last(store: Any):
    clock, chat = Clock(), Chat("chat", failures=[None, None, *[DOWN] * (2 * SENDS_MAX)])
    app = await begun(store, asking_three(), chat, clock=clock)
    await app.answer("t.s1.1", "answer", value="blue", by="anna")

    for _ in range(SENDS_MAX + 2):
        await settle(app)
        clock.forward(2 * HOUR)

    assert chat.changed == []
    dead = [e.data for e in events(app, "contact_not_sent") if "closing" in e.data]
    assert [(one["to"], one["tries"]) for one in dead if one.get("dead")] == [
        ("U1", SENDS_MAX),
        ("U2", SENDS_MAX),
    ]
    assert len(dead) == 2 * SENDS_MAX


async def test_a_change_that_failed_once_is_made_after_a_pause(store: Any):
    clock, chat = Clock(), Chat("chat", failures=[None, None, DOWN])
    app = await begun(store, asking_three(), chat, clock=clock)
    await app.answer("t.s1.1", "answer", value="blue", by="anna")
    await settle(app)
    assert [one.recipient.to for one in chat.changed] == ["U2"]

    clock.forward(PAUSE_FIRST)
    await settle(app)

    assert [one.recipient.to for one in chat.changed] == ["U2", "U1"]


async def test_a_deadline_closes_it_everywhere_too(store: Any):
    clock, chat = Clock(), Chat("chat")
    app = await begun(store, asking_three(within=HOUR), chat, clock=clock)

    clock.forward(2 * HOUR)
    await settle(app)

    assert [one.closing.outcome for one in chat.changed if one.closing] == ["expired", "expired"]


async def test_a_message_of_each_round_stands_for_the_newest(store: Any):
    chat = Chat("chat")
    app = await begun(store, asking_three(), chat)
    await app.remind("t.s1.1")
    await settle(app)
    assert len(chat.asked) == 4

    await app.answer("t.s1.1", "answer", value="blue", by="anna")
    await settle(app)

    said: list[Mapping[str, Json]] = [one.closing.said for one in chat.changed if one.closing]
    assert said == [{"number": 3}, {"number": 4}]


async def test_what_was_never_sent_is_not_changed(store: Any):
    chat = Chat("chat", failures=[DOWN, DOWN])
    app = await begun(store, asking_three(), chat)

    await app.answer("t.s1.1", "answer", value="blue", by="anna")
    await settle(app)

    assert chat.sent == []


async def test_without_such_a_channel_nothing_is_woken(store: Any):
    app = await begun(store, asking_three(), Postbox("chat"))  # pyright: ignore
    await app.answer("t.s1.1", "answer", value="blue", by="anna")
    await settle(app)

    assert [e.data for e in events(app, "contact_sent") if "closing" in e.data] == []


async def test_a_vote_that_ends_nothing_changes_nothing(store: Any):
    from twelvefold.policy import at_least

    chat = Chat("chat")
    two = lambda chosen: Approve(chosen.step, by=at_least(2, "anna", "bob"))  # noqa: E731
    app = await begun(store, pipeline(Pay(to="x"), carry_out=two), chat)

    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)
    assert chat.changed == []
    await app.answer("t.s1.1", "deny", by="bob", comment="no")
    await settle(app)

    assert [one.closing.comment for one in chat.changed if one.closing] == ["no", "no"]


async def test_what_is_sent_during_a_run_does_not_hide_what_the_model_has_read(store: Any):
    gate = Gate()

    class Slow(Chat):
        async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
            if delivery.closing is not None:
                await gate.has_begun()
            return await super().send(delivery)

    box, carry_out = Slow("chat"), approved_then(gate, by="anna")
    app = app_of(
        talk(carry_out),
        store,
        Pay(to="x"),
        Done(),
        channels=[box],
        directory=PEOPLE,
        clock=Clock(),
    )
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    running = asyncio.create_task(settle(app))
    await seen(app, "t", "contact_sent", 2)  # says who approved
    gate.let_go.set()
    await running

    assert status(app) == "finished"
    assert len(events(app, "next_step_chosen")) == 2
    assert replays(app) == 1
