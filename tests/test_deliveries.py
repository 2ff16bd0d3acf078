"""What is asked reaches people, late rather than never; a failed send costs no question."""

from datetime import timedelta
from typing import Any

import pytest

from crew import (
    START,
    STORES,
    Clock,
    Look,
    Pay,
    Steps,
    app_of,
    approved_then,
    events,
    pipeline,
    settle,
    status,
    store_of,
    types,
)
from twelvefold import Agent, Choose, Finish, Wait
from twelvefold.app import App
from twelvefold.deliveries import (
    PAUSE_FIRST,
    PAUSE_MAX,
    SENDS_MAX,
    Recipient,
    about_of,
    checked,
    pending,
    recipients,
    timers_of,
)
from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.effects import Tell
from twelvefold.exceptions import ConfigurationError, Stale, StoreUnavailable
from twelvefold.loop import deliver, delivering
from twelvefold.notices import troubles
from twelvefold.policy import Policy
from twelvefold.store import Append, Ref
from twelvefold.stores import open_store
from twelvefold.testing import Postbox
from twelvefold.thread import Draft, Event, Thread

pytestmark = pytest.mark.anyio
PEOPLE = Directory(
    addresses={
        "anna": {"slack": "U1", "email": "anna@x.org"},
        "bob": {"email": "bob@x.org"},
        "cleo": {},
    }
)
DOWN = ConnectionError("mail server is down")


@pytest.fixture(params=[*STORES, "postgres"])
def store(request, tmp_path):
    if request.param == "postgres":
        store = open_store(request.getfixturevalue("postgres_url"))
    else:
        store = store_of(request.param, tmp_path)
    yield store
    store.close()


def paying(**options: Any) -> Agent[Any, Any]:
    carry_out = approved_then(lambda step: step.to, by=options.pop("by", ("anna", "bob")))
    return pipeline(Pay(to="x"), carry_out=carry_out, **options)


async def asked(store: Any, *boxes: Postbox, clock: Clock | None = None, **agent: Any) -> App:
    """A thread that waits for an approval, with these ways to people."""
    clock = clock or Clock(START)
    app = app_of(paying(**agent), store, channels=boxes, directory=PEOPLE, clock=clock)
    await app.launch("crew", "pay x", thread_id="t", channel="web", sender="zoe")
    await settle(app)
    return app


def places(box: Postbox) -> list[tuple[str, str]]:
    return [(one.recipient.to, one.recipient.person) for one in box.sent]


async def test_each_person_is_asked_at_the_first_address_that_has_a_channel(store):
    email, slack = Postbox("email"), Postbox("slack")
    app = await asked(store, email, slack)

    assert (places(slack), places(email)) == ([("U1", "anna")], [("bob@x.org", "bob")])
    assert [e.data["channel"] for e in events(app, "contact_sent")] == ["slack", "email"]
    assert slack.sent[0].notice is not None
    assert dict(slack.sent[0].notice.args) == {"to": "x"}
    assert events(app, "contact_sent")[0].data["ref"] == {"number": 1}


async def test_the_conversation_in_which_it_began_is_asked_too(store):
    web = Postbox("web")
    await asked(store, web, by="cleo")

    assert places(web) == [("zoe", "")]


async def test_without_channels_nothing_is_sent_and_nothing_is_said(store):
    app = await asked(store)

    assert "contact_sent" not in types(app)
    assert store.next_due() is None


async def test_a_failed_send_keeps_the_pause_and_is_tried_again_under_the_same_key(store):
    clock, email = Clock(START), Postbox("email", failures=[DOWN, DOWN])
    app = await asked(store, email, clock=clock, by="bob")

    assert status(app) == "waiting"
    assert email.tried == ["default/t/s1.1/email/bob@x.org/0"]
    for pause in (PAUSE_FIRST, 2 * PAUSE_FIRST):
        clock.forward(pause - timedelta(seconds=1))
        await settle(app)
        clock.forward(timedelta(seconds=1))
        await settle(app)

    assert len(email.tried) == 3
    assert len(set(email.tried)) == 1
    assert [e.data["tries"] for e in events(app, "contact_not_sent")] == [1, 2]
    assert len(events(app, "contact_sent")) == 1
    assert store.next_due() is None


async def test_a_message_that_never_gets_through_is_given_up_and_shown(store):
    clock, email = Clock(START), Postbox("email", failures=[DOWN] * SENDS_MAX)
    app = await asked(store, email, clock=clock, by="bob")
    for _ in range(SENDS_MAX):
        clock.forward(PAUSE_MAX)
        await settle(app)

    said = "bob: ConnectionError: mail server is down (16 tries, given up)"
    assert troubles(app.thread("t"), "s1.1") == [said]
    assert len(email.tried) == SENDS_MAX
    await app.answer("t.s1.1", "approve", by="bob")
    await settle(app)
    assert status(app) == "finished"


async def test_somebody_whom_no_channel_reaches_is_said_at_once(store):
    app = await asked(store, Postbox("email"), by="cleo")

    [said] = troubles(app.thread("t"), "s1.1")
    assert said == "cleo: no channel of this application reaches cleo (1 tries, given up)"
    assert status(app) == "waiting"


async def test_everybody_whom_no_channel_reaches_is_said(store):
    email = Postbox("email")
    app = await asked(store, email, by=("bob", "cleo"))

    assert places(email) == [("bob@x.org", "bob")]
    assert len(troubles(app.thread("t"), "s1.1")) == 1


async def test_a_delivery_makes_no_answer_stale(store):
    email = Postbox("email")
    app = await asked(store, email, by="bob")
    digest = app.inbox()[0].data["digest"]

    await app.answer("t.s1.1", "approve", by="bob", digest=digest)
    await settle(app)

    assert status(app) == "finished"


async def test_what_is_closed_before_it_was_sent_is_not_sent(store):
    clock, email = Clock(START), Postbox("email", failures=[DOWN])
    app = await asked(store, email, clock=clock, by="bob")
    await app.answer("t.s1.1", "approve", by="bob")
    clock.forward(PAUSE_MAX)
    await settle(app)

    assert email.sent == []
    assert store.next_due() is None


class Losing:
    """A store that fails to keep the first delivery record."""

    def __init__(self, store: Any) -> None:
        self._store, self.lost = store, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        if not self.lost and any(d.type == "contact_sent" for a in appends for d in a.drafts):
            self.lost += 1
            raise StoreUnavailable("the disk is away")
        return await self._store.commit(*appends)


async def test_a_message_whose_record_was_lost_is_sent_again_under_the_same_key(store):
    losing, email = Losing(store), Postbox("email")
    app = await asked(losing, email, by="bob")
    app = app_of(paying(by="bob"), store, channels=[email], directory=PEOPLE, clock=Clock(START))
    await settle(app)

    assert losing.lost == 1
    assert len(email.tried) == 2
    assert len(set(email.tried)) == 1
    assert len(events(app, "contact_sent")) == 1


def telling(to: Any = None) -> Agent[Any, Any]:
    def decide(_: Thread, state: Any) -> Any:
        if state.ready:
            return Tell(state.ready[0].step, "it is done", to=to)
        if state.finished:
            return Wait()
        return Finish("done") if state.by_id("s1") else Choose(Look())

    return Agent("crew", decide, Steps, owner="olga")


@pytest.mark.parametrize(("to", "told"), [(None, ["web"]), ("bob", ["web", "email"])])
async def test_what_is_told_settles_at_once_and_is_sent(store, to, told):
    boxes = [Postbox("web"), Postbox("email")]
    app = app_of(telling(to), store, channels=boxes, directory=PEOPLE, clock=Clock(START))
    await app.launch("crew", "go", thread_id="t", channel="web", sender="zoe")
    await settle(app)

    assert status(app) == "finished"
    assert [box.name for box in boxes for _ in box.sent] == told
    assert [(one.text, one.notice) for box in boxes for one in box.sent] == [
        ("it is done", None) for _ in told
    ]


async def test_a_reminder_is_a_new_round(store):
    email = Postbox("email")
    app = await asked(store, email, by="bob")
    reminded = Draft("contact_reminded", {"contact": "s1.1"}, START)
    timers = timers_of([reminded], now=START)
    await store.commit(Append("t", [reminded], timers=timers))
    await settle(app)

    assert [one.round for one in email.sent] == [0, 1]
    assert events(app, "contact_sent")[1].data["round"] == 1


async def test_a_process_without_channels_drops_the_timer(store):
    email = Postbox("email", failures=[DOWN])
    clock = Clock(START)
    await asked(store, email, clock=clock, by="bob")
    clock.forward(PAUSE_MAX)
    app = app_of(paying(by="bob"), store, clock=clock)
    await settle(app)

    assert store.next_due() is None


class Restless:
    """A store on which something always comes in between."""

    def __init__(self, store: Any) -> None:
        self._store, self.asked = store, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        if appends[0].drafts:
            return await self._store.commit(*appends)
        self.asked += 1
        raise Stale("something came")


async def test_a_log_that_never_rests_is_left_to_the_timer(store, caplog):
    app = await asked(store, Postbox("email"), by="bob")
    restless = Restless(store)
    app.use_store(restless)

    await deliver(Ref("default", "t"), "s1.1", app.surroundings)

    assert restless.asked == delivering.ROUNDS_MAX
    assert "changes faster than it is sent" in caplog.text


def test_two_channels_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match="one name"):
        checked([Postbox("email"), Postbox("email")])


def test_only_a_timer_of_ours_names_a_contact():
    assert about_of("send:s1.1") == "s1.1"
    assert about_of("expire:s1.1") is None


def test_nothing_is_pending_about_what_is_not_there():
    thread = Thread("t", "crew").then(Draft("message_received", {"text": "go"}, START))

    assert pending(thread, "s1.1", ["email"], PEOPLE) == []
    assert recipients(thread, None, ["email"], PEOPLE) == []


def test_one_address_gets_one_message():
    message = {"text": "go", "channel": "email", "from": "bob@x.org"}
    thread = Thread("t", "crew").then(Draft("message_received", message, START))

    found = recipients(thread, Policy(("bob",)), ["email"], PEOPLE)

    assert found == [Recipient("email", "bob@x.org", "bob")]


@pytest.mark.parametrize("message", [{"channel": "email"}, {"channel": "fax", "from": "x"}])
def test_a_beginning_without_an_address_here_gets_nothing(message):
    thread = Thread("t", "crew").then(Draft("message_received", {"text": "go"} | message, START))

    assert recipients(thread, None, ["email"], NAMES_ALONE) == []
