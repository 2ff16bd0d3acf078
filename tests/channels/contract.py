"""What every channel must do, as tests that any channel can be put under.

A test module imports these names and gives the fixture `wire`: a channel with its provider on
loopback and people behind it; see `wires.py` and `test_channel_contract.py`.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from wires import PEOPLE, Wire

from crew import (
    Clock,
    Look,
    Question,
    app_of,
    approved_then,
    asking,
    events,
    pipeline,
    settle,
    state,
    status,
)
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Tell
from twelvefold.exceptions import BadSignature, InvalidRequest
from twelvefold.inbound import Inbound
from twelvefold.testing import MemoryStore, replays

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
BOTH = ("anna", "ben")
UNICODE = "Grüße, 東京 \U0001f389 ß"
EVIL = (
    "<b>x</b> <!channel> <@U1> <https://evil.example|click> <img src=x onerror=y> [a](javascript:b)"
    " \u202e\u2066 \x1b[31m ``` *bold* &amp; \r\nBcc: eve@evil.example"
)


async def made(wire: Wire, agent: Any, **options: Any) -> tuple[App, Clock]:
    """A thread that has begun, and all that was to be sent has been tried."""
    clock = options.pop("clock", None) or Clock()
    people = Directory(addresses={one: {wire.name: wire.addresses[one]} for one in PEOPLE})
    given = {"channels": [wire.channel], "directory": people, "clock": clock} | options
    app = app_of(agent, MemoryStore(), **given)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    return app, clock


def looking(*at: str, by: Any = BOTH, **options: Any) -> Any:
    """Steps of low risk, each of which somebody approves."""
    looked = approved_then(lambda step: f"looked at {step.at}", by=by)

    def carry_out(chosen: Any) -> Any:
        if options and not chosen.approved:
            return Approve(chosen.step, by=by, **options)
        return looked(chosen)

    return pipeline(*(Look(at=one) for one in at or ("x",)), carry_out=carry_out)


async def came(app: App, wire: Wire, inbound: Inbound) -> str:
    receipt, reply = await app.receive(wire.name, inbound)
    assert reply.status in (200, 409)
    await settle(app)
    return receipt.outcome


def ran(app: App, thread_id: str = "t") -> list[Any]:
    return [event.data["result"] for event in events(app, "tool_returned", thread_id)]


def places(wire: Wire) -> list[str]:
    return sorted(one.to for one in wire.arrived())


def both(wire: Wire) -> list[str]:
    return sorted(wire.addresses[one] for one in BOTH)


# Out


async def test_each_who_is_asked_is_asked_once(wire: Wire):
    app, clock = await made(wire, looking())
    for _ in range(3):
        clock.forward(HOUR)
        await settle(app)

    assert places(wire) == both(wire)
    assert len(events(app, "contact_sent")) == 2


async def test_what_is_told_arrives_once(wire: Wire):
    def tell(chosen: Any) -> Any:
        return Tell(chosen.step, f"{UNICODE} is done", to="anna")

    await made(wire, pipeline(Question(), carry_out=tell))

    [told] = wire.arrived()
    assert told.to == wire.addresses["anna"]
    assert f"{UNICODE} is done" in told.text


async def test_a_provider_that_is_down_for_an_hour_gets_every_message_once(wire: Wire):
    wire.fails(True)
    app, clock = await made(wire, looking())
    for _ in range(12):
        clock.forward(HOUR / 12)
        await settle(app)
    assert wire.arrived() == []
    assert status(app) == "waiting"

    wire.fails(False)
    for _ in range(3):
        clock.forward(2 * HOUR)
        await settle(app)

    assert places(wire) == both(wire)
    assert events(app, "contact_not_sent")
    assert await came(app, wire, wire.approves("anna", at=clock.now)) == "answered"


async def test_every_character_arrives(wire: Wire):
    await made(wire, looking(UNICODE))

    assert all(UNICODE in one.text for one in wire.arrived())


async def test_no_text_acts(wire: Wire):
    app, clock = await made(wire, looking(EVIL))
    await came(app, wire, await wire.denies(app, "anna", "<b>x</b> <!channel> no", at=clock.now))

    assert len(wire.arrived()) == 2
    assert wire.acting() == []


async def test_no_secret_is_in_the_log_nor_in_a_line_of_it(
    wire: Wire, caplog: pytest.LogCaptureFixture
):
    wire.fails(True)
    app, clock = await made(wire, looking())
    wire.fails(False)
    clock.forward(HOUR)
    await settle(app)
    for forged in wire.forged(wire.approves("anna", at=clock.now)):
        with suppress(BadSignature, InvalidRequest):
            await app.receive(wire.name, forged)

    kept = app.thread("t").to_jsonl() + caplog.text
    assert [secret for secret in wire.secrets if secret in kept] == []


# Back


async def test_what_is_approved_runs_once_however_often_it_is_delivered(wire: Wire):
    app, clock = await made(wire, looking())
    yes = wire.approves("anna", at=clock.now)

    first, second = await asyncio.gather(*(app.receive(wire.name, yes) for _ in range(2)))
    await settle(app)
    third = await came(app, wire, yes)

    outcomes = [first[0].outcome, second[0].outcome, third]
    assert outcomes.count("answered") == 1
    assert ran(app) == ["looked at x"]
    [vote] = events(app, "contact_answered")
    assert (vote.data["by"], vote.data["channel"]) == ("anna", wire.name)
    assert replays(app) == 1


async def test_of_two_questions_a_yes_approves_the_one_it_answers(wire: Wire):
    app, clock = await made(wire, looking("the-cellar", "the-attic"))
    assert len(app.inbox()) == 2
    newest = [one.text for one in wire.arrived() if one.to == wire.addresses["anna"]][-1]
    [place] = [one for one in ("the-cellar", "the-attic") if one in newest]

    yes = wire.approves("anna", at=clock.now)  # which answers the newest
    assert await came(app, wire, yes) == "answered"

    assert ran(app) == [f"looked at {place}"]
    assert len(app.inbox()) == 1
    for _ in range(2):  # and the same bytes once more approve nothing else
        await came(app, wire, yes)
    assert ran(app) == [f"looked at {place}"]


async def test_what_is_forged_decides_nothing(wire: Wire):
    app, clock = await made(wire, looking())
    honest = wire.approves("anna", at=clock.now)

    for forged in wire.forged(honest):
        with suppress(BadSignature, InvalidRequest):
            assert await came(app, wire, forged) != "answered"
        assert ran(app) == []
        assert events(app, "contact_answered") == []

    assert await came(app, wire, honest) == "answered"


async def test_what_was_signed_long_ago_is_refused(wire: Wire):
    if not wire.timed:  # there, a replay is a delivery that has come before
        return
    app, clock = await made(wire, looking())
    yes = wire.approves("anna", at=clock.now)
    clock.forward(HOUR)

    with pytest.raises(BadSignature, match="clocks"):
        await app.receive(wire.name, yes)
    assert ran(app) == []


@pytest.mark.parametrize("person", ["carl", "ben"])
async def test_somebody_who_is_not_asked_decides_nothing_with_her_message(wire: Wire, person: str):
    app, clock = await made(wire, looking(by="anna"))

    outcome = await came(app, wire, wire.approves(person, at=clock.now, of="anna"))

    assert outcome in ("refused", "continued", "ignored")
    assert ran(app) == []
    assert events(app, "contact_answered") == []
    assert await came(app, wire, wire.approves("anna", at=clock.now)) == "answered"


async def test_a_late_yes_changes_nothing(wire: Wire):
    app, clock = await made(wire, looking())
    late = wire.approves("anna", at=clock.now)
    assert await came(app, wire, await wire.denies(app, "ben", "not now", at=clock.now)) == (
        "answered"
    )

    assert await came(app, wire, late) != "answered"

    assert ran(app) == []
    [closed] = events(app, "contact_closed")
    assert (closed.data["outcome"], closed.data["by"]) == ("denied", "ben")


async def test_a_no_says_why(wire: Wire):
    app, clock = await made(wire, looking())

    no = await wire.denies(app, "anna", f"wrong place: {UNICODE}", at=clock.now)
    assert await came(app, wire, no) == "answered"

    [closed] = events(app, "contact_closed")
    assert (closed.data["outcome"], closed.data["comment"]) == (
        "denied",
        f"wrong place: {UNICODE}",
    )
    assert ran(app) == []


async def test_after_the_deadline_nothing_is_approved(wire: Wire):
    app, clock = await made(wire, looking(within=HOUR))
    clock.forward(2 * HOUR)

    assert await came(app, wire, wire.approves("anna", at=clock.now)) != "answered"

    assert ran(app) == []
    assert events(app, "contact_closed")[0].data["outcome"] == "expired"


async def test_a_question_is_answered_in_words(wire: Wire):
    app, clock = await made(wire, pipeline(Question(), carry_out=asking))

    assert await came(app, wire, wire.answers("anna", UNICODE, at=clock.now)) == "answered"

    assert state(app).by_id("s1").result == UNICODE


async def test_what_is_changed_by_a_person_is_what_runs(wire: Wire):
    if not wire.edits:  # that is for the inbox
        return
    app, clock = await made(wire, looking(by="anna"))

    edit = wire.edited("anna", {"at": "the other one"}, at=clock.now)
    assert await came(app, wire, edit) == "answered"

    assert ran(app) == ["looked at the other one"]


async def test_the_end_is_told_where_a_message_can_be_changed(wire: Wire):
    app, clock = await made(wire, looking())
    await came(app, wire, wire.approves("anna", at=clock.now))
    await settle(app)

    assert places(wire) == both(wire)  # nobody gets another message
    changed = sorted(one.to for one in wire.changed())
    assert changed == (both(wire) if getattr(wire.channel, "updates", False) else [])
    assert all("approved" in one.text for one in wire.changed())


async def test_a_message_begins_one_thread_however_often_it_is_delivered(wire: Wire):
    app, clock = await made(wire, looking())
    hello = wire.writes("carl", f"hello {UNICODE}", at=clock.now)

    outcomes = [await came(app, wire, hello) for _ in range(2)]

    assert outcomes == ["begun", "ignored"]
    assert len(app.threads()) == 2
    [begun] = [row.ref.id for row in app.threads() if row.ref.id != "t"]
    [message] = events(app, "message_received", begun)
    assert (message.data["text"], message.data["from"]) == (f"hello {UNICODE}", "carl")


async def test_what_is_malformed_is_an_error_that_says_so_and_no_crash(wire: Wire):
    app, clock = await made(wire, looking())
    before = app.thread("t").head

    with suppress(InvalidRequest):
        receipt, _ = await app.receive(wire.name, wire.malformed(at=clock.now))
        assert receipt.outcome == "ignored"

    assert (app.thread("t").head, len(app.threads())) == (before, 1)
