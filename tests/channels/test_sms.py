"""SMS by Twilio, over a local API and Twilio's own way to sign: codes, refusals, and STOP."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio_api import ANNA, BEN, TOKEN, URL, Twilio, text, twilio_api

from crew import (
    Pay,
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
from twelvefold.channels.sms import Sms, signature
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Ask
from twelvefold.exceptions import BadSignature, InvalidRequest
from twelvefold.forms import yes_no
from twelvefold.inbound import Inbound, thread_of
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio
PEOPLE = Directory(addresses={"anna": {"sms": ANNA}, "ben": {"sms": BEN}})
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with twilio_api() as twilio:
        yield twilio


def sms(twilio: Twilio, **options: Any) -> Sms:
    given = {"account_sid": "AC1", "auth_token": TOKEN, "number": "+1555", "url": URL}
    return Sms(**(given | {"agent": "crew", "api": twilio.url} | options))


async def begun(twilio: Twilio, agent: Any, **options: Any) -> App:
    given: dict[str, Any] = {"directory": PEOPLE, "settles": {"sms": "high"}}
    app = app_of(agent, MemoryStore(), channels=[sms(twilio)], **(given | options))
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    return app


async def came(app: App, inbound: Inbound) -> tuple[str, str]:
    receipt, reply = await app.receive("sms", inbound)
    assert (reply.status, reply.content_type) == (200, "text/xml")
    await settle(app)
    return receipt.outcome, reply.body.decode()


def paying(**more: Any) -> Any:
    if more:
        return pipeline(
            Pay(to="x"), carry_out=lambda c: Approve(c.step, by=["anna", "ben"], **more)
        )
    paid = approved_then(lambda step: "paid", by=["anna", "ben"])
    return pipeline(Pay(to="<ben> & co"), carry_out=paid)


async def test_yes_with_the_code_approves_once(twilio: Twilio):
    app = await begun(twilio, paying())
    assert "to  <ben> & co" in twilio.to(ANNA)
    assert twilio.code(ANNA) != twilio.code(BEN)
    yes = f"Yes {twilio.code(ANNA)}"

    outcomes = [(await came(app, text(yes)))[0] for _ in range(2)]

    assert outcomes == ["answered", "refused"]
    assert len(events(app, "tool_started")) == 1
    [vote] = events(app, "contact_answered")
    assert (vote.data["by"], vote.data["assurance"]) == ("anna", "sms")


@pytest.mark.parametrize("said", ["YES 0000", "YES {ben}", "{anna} yes", "{anna}"])
async def test_another_code_or_another_form_approves_nothing(twilio: Twilio, said: str):
    app = await begun(twilio, paying())
    codes = {"anna": twilio.code(ANNA), "ben": twilio.code(BEN)}

    await came(app, text(said.format(**codes)))

    assert events(app, "tool_started") == []
    assert status(app) == "waiting"


async def test_by_default_it_settles_no_high_risk(twilio: Twilio):
    app = await begun(twilio, paying(), settles=App([]).settles.levels)

    outcome, reply = await came(app, text(f"YES {twilio.code(ANNA)}"))

    assert outcome == "refused"
    assert "<Message>" in reply
    assert len(events(app, "answer_refused")) == 1


async def test_no_needs_a_reason_and_gets_one(twilio: Twilio):
    app = await begun(twilio, paying())
    code = twilio.code(ANNA)

    assert (await came(app, text(f"no {code}")))[0] == "refused"
    assert (await came(app, text(f"No {code}: wrong <account>", sid="SM10")))[0] == "answered"

    [closed] = events(app, "contact_closed")
    assert (closed.data["outcome"], closed.data["comment"]) == ("denied", "wrong <account>")


@pytest.mark.parametrize(
    ("form", "said", "value"),
    [(None, "{} the blue one", "the blue one"), (yes_no(), "no {}", False)],
)
async def test_a_question_is_answered_with_its_code(
    twilio: Twilio, form: Any, said: str, value: Any
):
    ask = lambda chosen: Ask(chosen.step, "Which?", to="anna", form=form)  # noqa: E731
    app = await begun(twilio, pipeline(Question(), carry_out=ask))

    assert (await came(app, text(said.format(twilio.code(ANNA)))))[0] == "answered"

    assert state(app).by_id("s1").result == value


async def test_who_wrote_and_is_not_asked_sees_nothing_of_what_others_decide(twilio: Twilio):
    app = app_of(
        paying(), MemoryStore(), channels=[sms(twilio)], directory=PEOPLE, settles={"sms": "high"}
    )

    assert (await came(app, text("pay me", sender="+4933")))[0] == "begun"

    assert sorted(one["To"] for one in twilio.sent) == [ANNA, BEN]


async def test_a_text_without_a_code_begins_a_thread_and_continues_it(twilio: Twilio):
    app = await begun(twilio, pipeline(Question(), carry_out=asking))

    first = [(await came(app, text("hello", sid="SM1")))[0] for _ in range(2)]

    assert first == ["begun", "ignored"]
    assert (await came(app, text("and?", sid="SM2")))[0] == "continued"
    assert len(events(app, "message_received", thread_of("sms", ANNA))) == 2


async def test_stop_is_left_to_twilio(twilio: Twilio):
    app = await begun(twilio, paying())

    assert (await came(app, text("STOP", OptOutType="STOP")))[0] == "ignored"


async def test_what_does_not_fit_is_decided_elsewhere(twilio: Twilio):
    long = pipeline(Pay(to="b" * 5000), carry_out=lambda c: Approve(c.step, by="anna"))
    await begun(twilio, long)

    assert twilio.to(ANNA) == "crew asks more than fits here. Decide in the inbox."


# Who signed it


def test_twilios_published_vector():
    """As https://www.twilio.com/docs/usage/webhooks/webhooks-security has it."""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"

    assert signature("12345", url, form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize(
    "tamper",
    [
        lambda one: Inbound(one.body.replace(b"hello", b"YES+1"), one.headers),
        lambda one: Inbound(one.body, {"x-twilio-signature": "A" * 28}),
        lambda one: Inbound(one.body, {"x-twilio-signature": "\u00e9"}),
        lambda one: Inbound(one.body, {}),
        lambda one: Inbound(one.body + b"&From=%2B49", one.headers),
        lambda one: Inbound(b"", one.headers),
        lambda one: Inbound(b"%%%", one.headers),
        lambda one: Inbound(b"Body=%ff", one.headers),
        lambda one: Inbound(b"\xff\xfe", one.headers),
        lambda one: Inbound(b"a=1&" * 200, one.headers),
    ],
)
def test_what_is_forged_or_no_form_is_refused(twilio: Twilio, tamper: Any):
    with pytest.raises(BadSignature):
        sms(twilio).read(tamper(text("hello")), now=NOW)


def test_a_signed_form_without_a_message_says_so(twilio: Twilio):
    form = {"Body": "hello"}
    inbound = Inbound(urlencode(form).encode(), {"x-twilio-signature": signature(TOKEN, URL, form)})

    with pytest.raises(InvalidRequest, match="Nothing was done"):
        sms(twilio).read(inbound, now=NOW)
