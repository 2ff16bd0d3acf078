"""What is asked moves while it is sent: whoever is asked now hears of it, once each time."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from crew import START, STORES, Clock, Pay, app_of, events, pipeline, settle, store_of
from twelvefold.app import App
from twelvefold.deliveries import Delivery, pending
from twelvefold.directory import Directory
from twelvefold.effects import Approve, escalate, run
from twelvefold.exceptions import Conflict
from twelvefold.policy import at_least
from twelvefold.store import Append
from twelvefold.stores import open_store
from twelvefold.testing import Postbox
from twelvefold.thread import Draft, Event, Json, Thread

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
PEOPLE = Directory(
    addresses={"anna": {"email": "anna@x.org"}, "bob": {"email": "bob@x.org"}, "olga": {}},
    people=["anna", "bob", "olga"],
)


@pytest.fixture(params=[*STORES, "postgres"])
def store(request, tmp_path):
    if request.param == "postgres":
        store = open_store(request.getfixturevalue("postgres_url"))
    else:
        store = store_of(request.param, tmp_path)
    yield store
    store.close()


def app_on(store: Any, *boxes: Any, clock: Clock | None = None, **options: Any) -> App:
    """An application that asks for an approval with these `options`."""

    def carry_out(chosen: Any) -> Any:
        if chosen.approved:
            return run(lambda step: step.to, chosen.step)
        return Approve(chosen.step, **({"by": ("anna", "bob")} | options))

    agent = pipeline(Pay(to="x"), carry_out=carry_out)
    return app_of(agent, store, channels=boxes, directory=PEOPLE, clock=clock or Clock(START))


async def asked(store: Any, *boxes: Any, sender: str = "zoe", **options: Any) -> App:
    """One whose thread waits for the approval."""
    app = app_on(store, *boxes, **options)
    await app.launch("crew", "pay x", thread_id="t", channel="web", sender=sender)
    await settle(app)
    return app


class Slow(Postbox):
    """A channel during whose first send something happens."""

    def __init__(self, name: str, then: Callable[[], Awaitable[None]]) -> None:
        super().__init__(name)
        self._then: Callable[[], Awaitable[None]] | None = then

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        said = await super().send(delivery)
        if self._then is not None:
            then, self._then = self._then, None
            await then()
        return said


async def test_what_is_closed_while_it_is_sent_is_sent_to_nobody_else(store):
    email = Slow("email", lambda: app_on(store).answer("t.s1.1", "approve", by="bob"))
    await asked(store, email)

    assert [one.recipient.person for one in email.sent] == ["anna"]


class Between:
    """A store on which somebody commits right before a timer is dropped: as a rule that of the
    sender, when it comes to rest."""

    def __init__(
        self, store: Any, then: Callable[[], Awaitable[None]], *, when: str = "send:s1.1"
    ) -> None:
        self._store, self._then, self._when = store, then, when
        self.came = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        if not self.came and self._when in appends[0].cancel:
            self.came += 1
            await self._then()
        return await self._store.commit(*appends)


async def test_a_reminder_in_the_last_instant_of_a_round_is_sent(store):
    other = app_on(store, Postbox("email"))
    email = Postbox("email")
    between = Between(store, lambda: other.remind("t.s1.1"))

    app = await asked(between, email, by="bob")

    assert between.came == 1
    assert [one.round for one in email.sent] == [0, 1]
    assert len(events(app, "contact_sent")) == 2


async def test_those_to_whom_it_is_escalated_hear_of_it_where_the_thread_began(store):
    clock, web = Clock(START), Postbox("web")
    then = escalate(to="olga", within=HOUR)
    app = await asked(store, web, clock=clock, by="anna", within=HOUR, on_expiry=then)
    clock.forward(HOUR)
    await settle(app)

    assert [one.notice.asked_of for one in web.sent if one.notice] == ["anna", "olga"]
    assert [one.notice.deadline for one in web.sent if one.notice] == [
        START + HOUR,
        START + 2 * HOUR,
    ]


async def test_who_gets_a_place_back_is_asked_again_and_the_others_are_not(store):
    email = Postbox("email")
    app = await asked(store, email, by=("anna", "olga"))
    await app.reassign("t.s1.1", to="bob", by="anna")
    await settle(app)
    await app.reassign("t.s1.1", to="anna", by="bob")
    await settle(app)

    assert [one.recipient.person for one in email.sent] == ["anna", "bob", "anna"]
    assert len({one.key for one in email.sent}) == 3


@pytest.mark.parametrize("sender", ["zoe\0", "z" * 5000, "\ud800"])
async def test_an_address_that_is_no_key_is_written_to_once(store, sender):
    web = Postbox("web")
    app = await asked(store, web, sender=sender)
    await settle(app)

    assert len(web.sent) == 1
    assert len([e for e in events(app, "contact_sent") if not e.data.get("person")]) == 1


class Odd(Postbox):
    """A channel that says something of its message that no log keeps."""

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        await super().send(delivery)
        return {"at": object()}


async def test_what_was_sent_is_not_sent_again_for_what_its_channel_says(store):
    clock, email = Clock(START), Odd("email")
    app = await asked(store, email, clock=clock, by="bob")
    clock.forward(HOUR)
    await settle(app)

    assert len(email.sent) == 1
    assert "ref" not in events(app, "contact_sent")[0].data


def test_records_of_a_copied_log_about_what_is_still_to_come_count_for_nothing():
    forged = {"contact": "s1.1", "channel": "email", "to": "bob@x.org", "person": "bob"}
    to = {"people": ["bob"], "needed": 1}
    request = {"contact": "s1.1", "step": "s1", "kind": "approval", "to": to, "args": {}}
    chosen = {"intent": "pay", "args": {}, "by": "code"}
    thread = Thread("t", "crew").then(
        Draft("message_received", {"text": "go"}, START),
        Draft("contact_sent", forged, START),
        Draft("imported", {"from": "t"}, START),
        Draft("next_step_chosen", chosen, START),
        Draft("contact_requested", request | {"intent": "pay"}, START),
    )

    [one] = pending(thread, "s1.1", ["email"], PEOPLE)

    assert (one.recipient.person, one.round) == ("bob", 0)


async def test_a_reminder_by_hand_in_the_instant_of_the_timer_ends_no_reminders(store):
    clock, email = Clock(START), Postbox("email")
    by_hand = app_on(store, email, clock=clock)
    between = Between(store, lambda: by_hand.remind("t.s1.1"), when="remind:s1.1")
    app = await asked(between, email, clock=clock, by="bob", remind=HOUR)

    clock.forward(HOUR)
    await settle(app)
    await settle(app)

    assert between.came == 1
    assert [e.data["reminder"] for e in events(app, "contact_reminded")] == [1, 2]
    assert store.next_due() == START + 2 * HOUR


async def test_a_vote_in_the_instant_of_an_escalation_does_not_take_its_deadline_away(store):
    clock = Clock(START)
    then = escalate(to=at_least(2, "anna", "bob"), within=HOUR)
    options: Any = {"by": "olga", "within": HOUR, "on_expiry": then, "clock": clock}
    voting = app_on(store, **options)
    between = Between(
        store, lambda: voting.answer("t.s1.1", "approve", by="bob"), when="expire:s1.1"
    )
    app = await asked(between, **options)

    clock.forward(HOUR + timedelta(seconds=1))
    await settle(app)

    assert between.came == 1
    assert store.next_due() == clock() + HOUR
    clock.forward(HOUR)
    await settle(app)
    assert [e.data["outcome"] for e in events(app, "contact_closed")] == ["expired"]


async def test_two_words_of_one_person_in_one_instant_leave_the_deadline(store):
    clock = Clock(START)
    both = {"by": at_least(2, "anna", "bob"), "within": HOUR, "clock": clock}
    app = await asked(store, **both)
    voting = app_on(store, **both)
    between = Between(
        store, lambda: voting.answer("t.s1.1", "approve", by="bob"), when="expire:s1.1"
    )
    hasty = app_on(between, **both)

    with pytest.raises(Conflict, match="bob has already answered"):
        await hasty.answer("t.s1.1", "deny", by="bob", comment="no")

    assert store.next_due() == START + HOUR
    clock.forward(2 * HOUR)
    await settle(app)
    assert [e.data["outcome"] for e in events(app, "contact_closed")] == ["expired"]
