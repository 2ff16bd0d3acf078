"""A link is one person's, for one contact, for a while; looking at it decides nothing."""

from datetime import timedelta
from typing import Any, ClassVar, Literal

import pytest

from crew import START, STORES, Clock, app_of, approved_then, events, settle, status, store_of
from twelvefold import Agent, Choose, Finish, Wait, links
from twelvefold.app import App
from twelvefold.exceptions import Conflict, NotAllowed, UnknownContact, UnknownThread
from twelvefold.policy import Risk
from twelvefold.steps import Step
from twelvefold.stores import open_store
from twelvefold.thread import Draft, Json, Thread, from_jsonl

pytestmark = pytest.mark.anyio
CRAWLS = 50
SECRET = b"\x07" * links.SECRET_BYTES


def spending(at_risk: Risk, done: list[str]) -> Agent[Any, Any]:
    """An agent whose one step needs a yes."""

    class Spend(Step):
        risk: ClassVar[Risk] = at_risk
        intent: Literal["pay"] = "pay"
        to: str = "x"

    carry_out = approved_then(lambda step: done.append(step.to), by=("anna", "bob"))

    def decide(_: Thread, state: Any) -> Any:
        if state.ready:
            return carry_out(state.ready[0])
        if state.waiting or state.finished:
            return Wait()
        return Finish("done") if state.by_id("s1") else Choose(Spend())

    return Agent("crew", decide, Spend, owner="olga")


@pytest.fixture(params=[*STORES, "postgres"])
def store(request, tmp_path):
    if request.param == "postgres":
        store = open_store(request.getfixturevalue("postgres_url"))
    else:
        store = store_of(request.param, tmp_path)
    yield store
    store.close()


async def waiting(store: Any, risk: Risk, done: list[str]) -> App:
    app = app_of(spending(risk, done), store)
    await app.launch("crew", "pay x", thread_id="t")
    await settle(app)
    return app


async def test_a_link_decides_as_its_person_about_what_was_shown(store):
    done: list[str] = []
    app = await waiting(store, "low", done)
    token = await app.link("t.s1.1", "anna")

    await app.answer_by_link(token, "approve")
    await settle(app)

    [vote] = events(app, "contact_answered")
    assert (vote.data["by"], vote.data["channel"], vote.data["assurance"]) == (
        "anna",
        "link",
        "link",
    )
    assert done == ["x"]


async def test_the_log_keeps_no_token(store):
    app = await waiting(store, "low", [])
    token = await app.link("t.s1.1", "anna")

    assert token.partition("~")[2] not in app.thread("t").to_jsonl()
    assert len(bytes.fromhex(token.partition("~")[2])) == 16


@pytest.mark.parametrize("risk", ["medium", "high"])
async def test_a_crawler_that_submits_everything_decides_nothing(store, risk):
    done: list[str] = []
    app = await waiting(store, risk, done)
    token = await app.link("t.s1.1", "anna")

    for _ in range(CRAWLS):
        app.opened_link(token)
        with pytest.raises(NotAllowed):
            await app.answer_by_link(token, "approve")
    await settle(app)

    assert (done, status(app)) == ([], "waiting")


async def test_the_typed_code_settles_medium_but_not_high_risk(store):
    done: list[str] = []
    app = await waiting(store, "medium", done)
    token = await app.link("t.s1.1", "anna")
    code = app.opened_link(token).code

    with pytest.raises(NotAllowed, match="not the code"):
        await app.answer_by_link(token, "approve", typed="000000")
    await app.answer_by_link(token, "approve", typed=f" {code.lower()} ")
    await settle(app)

    assert done == ["x"]


async def test_the_code_does_not_settle_high_risk(store):
    done: list[str] = []
    app = await waiting(store, "high", done)
    token = await app.link("t.s1.1", "anna")

    with pytest.raises(NotAllowed, match="may not settle high risk"):
        await app.answer_by_link(token, "approve", typed=app.opened_link(token).code)

    assert done == []


@pytest.mark.parametrize("name", ["a~b", "~", "s1~s2"])
async def test_a_link_opens_its_thread_whatever_that_is_called(store, name: str):
    app = app_of(spending("low", []), store)
    await app.launch("crew", "pay x", thread_id=name)
    await settle(app)

    token = await app.link(f"{name}.s1.1", "anna")

    assert app.opened_link(token).person == "anna"


async def test_a_link_ends(store):
    clock = Clock(START)
    app = app_of(spending("low", []), store, clock=clock)
    await app.launch("crew", "pay x", thread_id="t")
    await settle(app)
    token = await app.link("t.s1.1", "anna", ttl=timedelta(hours=1))

    clock.now += timedelta(hours=1, seconds=1)

    with pytest.raises(NotAllowed, match="This link ended at"):
        await app.answer_by_link(token, "approve")


async def test_a_link_of_somebody_who_was_not_asked_decides_nothing(store):
    app = await waiting(store, "low", [])
    token = await app.link("t.s1.1", "mallory")

    with pytest.raises(NotAllowed, match="mallory may not answer"):
        await app.answer_by_link(token, "approve")


async def test_a_link_decides_once_and_for_one_contact(store):
    app = await waiting(store, "low", [])
    anna, bob = await app.link("t.s1.1", "anna"), await app.link("t.s1.1", "bob")

    await app.answer_by_link(anna, "deny", comment="no")

    for token in (anna, bob):
        with pytest.raises(Conflict, match="already denied by anna"):
            await app.answer_by_link(token, "approve")


@pytest.mark.parametrize(
    "token", ["", "t", "t.s1.1", "t.s1.1~", "t.s1.1~" + "0" * 32, "~" + "0" * 32, "x~y~z"]
)
async def test_what_was_never_sent_opens_nothing(store, token):
    app = await waiting(store, "low", [])
    await app.link("t.s1.1", "anna")

    with pytest.raises(NotAllowed, match="not one that was sent"):
        app.opened_link(token)


async def test_a_link_to_a_thread_that_is_gone_says_so(store):
    app = await waiting(store, "low", [])

    with pytest.raises(UnknownThread):
        app.opened_link("gone.s1.1~" + "0" * 32)


async def test_there_is_no_link_to_what_is_not_open(store):
    app = await waiting(store, "low", [])

    with pytest.raises(UnknownContact, match=r"no open contact s9\.1"):
        await app.link("t.s9.1", "anna")


async def test_a_link_opens_neither_a_fork_nor_another_tenant(store):
    app = await waiting(store, "low", [])
    token = await app.link("t.s1.1", "anna")
    await app.fork("t", new_id="copy")
    copied = app.thread("copy")

    with pytest.raises(NotAllowed):
        links.opened(copied, token, now=START)
    with pytest.raises(NotAllowed):
        links.opened(copied, token.replace("t.s1.1", "copy.s1.1"), now=START)
    other = Thread("t", "crew", app.thread("t").events, tenant="other")
    with pytest.raises(NotAllowed):
        links.opened(other, token, now=START)


def planted(token: str, contact: str) -> Draft:
    """What somebody who wrote a log by hand put into it."""
    data: dict[str, Json] = {
        "contact": contact,
        "to": "anna",
        "link": links._hashed("default", token),
    }
    return Draft("contact_sent", data | {"digest": None, "expires": "2099-01-01T00:00:00Z"}, START)


def requested(contact: str) -> Draft:
    data: dict[str, Json] = {"contact": contact, "step": "s1", "kind": "question", "args": {}}
    return Draft("contact_requested", data | {"to": {"people": ["anna"], "needed": 1}}, START)


def test_a_link_that_lay_in_the_log_before_its_contact_opens_nothing():
    token = "t.s1.1~" + SECRET.hex()
    before = Thread("t", "crew").then(planted(token, "s1.1"), requested("s1.1"))
    after = Thread("t", "crew").then(requested("s1.1"), planted(token, "s1.1"))

    with pytest.raises(NotAllowed):
        links.opened(before, token, now=START)
    assert links.opened(after, token, now=START).person == "anna"


@pytest.mark.parametrize("how", ["imported", "forked"])
def test_a_link_that_was_copied_with_its_log_opens_nothing(how: str):
    token = "t.s1.1~" + SECRET.hex()
    copied = Thread("t", "crew").then(
        requested("s1.1"), planted(token, "s1.1"), Draft(how, {"from": "x", "at": 2}, START)
    )

    with pytest.raises(NotAllowed):
        links.opened(from_jsonl(copied.to_jsonl()), token, now=START)


@pytest.mark.parametrize("secret", [b"", b"short", b"x" * 17])
def test_a_link_needs_all_its_chance(secret: bytes):
    with pytest.raises(ValueError, match="16 bytes of chance"):
        links.issue(Thread("t", "crew"), "s1.1", "anna", secret=secret, now=START)
