"""What is personal or secret goes out of texts, and a mark says so."""

import re
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crew import app_of, settle
from logs_of import stored
from twelvefold.agent import Agent
from twelvefold.context import menu, parse, render
from twelvefold.context.redaction import PATTERNS, Redaction, redact
from twelvefold.effects import Ask, Choose, Finish, Wait, run
from twelvefold.steps import Step
from twelvefold.testing import MemoryStore

MAIL, PHONE, CARD = "[redacted: e-mail]", "[redacted: phone]", "[redacted: card]"
TOKEN, KEY = "[redacted: token]", "[redacted: api-key]"


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("write to ann.b+x@mail.example.com.", f"write to {MAIL}."),
        ("<ann@example.com>", f"<{MAIL}>"),
        ("anna@exämple.de, ben@example.org", f"{MAIL}, {MAIL}"),
        ("call +49 (0)30 1234-567 now", f"call {PHONE} now"),
        ("+1 555 010 9999", PHONE),
        ("(555) 010-9999", PHONE),
        ("555-010-9999", PHONE),
        ("030 1234567", PHONE),
        ("4111 1111 1111 1111", CARD),
        ("card: 5500-0000-0000-0004!", f"card: {CARD}!"),
        ("378282246310005", CARD),
        ("3782 822463 10005", CARD),
        ("4111 1111 1111 1111 12/27", f"{CARD} 12/27"),
        ("Authorization: Bearer abc.def-123456", f"Authorization: Bearer {TOKEN}"),
        ("authorization: basic dXNlcjpwYXNz", f"authorization: basic {TOKEN}"),
        ("key sk-proj-abcdefghijklmnop1234 ok", f"key {KEY} ok"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ", KEY),
        ("AKIAABCDEFGHIJKLMNOP", KEY),
        ("xoxb-1234567890-abcdef", KEY),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", KEY),
    ],
)
def test_what_is_found_is_replaced_by_its_mark(text: str, without: str):
    assert redact(text) == without


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # the check digit is wrong
        "0000000000000000",
        "@alex deployed v1.2.3",
        "2026-11-20T09:55:33.123456Z",
        "550e8400-e29b-41d4-a716-446655440000",
        "10.0.0.1:8080",
        "3.14159265358979",
        "order 1234567, sha 4af9ec0",
        "a bearer of news",
        "sk-short",
        "git@example",
    ],
)
def test_what_only_looks_alike_stays(text: str):
    assert redact(text) == text


FOUND = ["ann@example.com", "+49 30 1234567", "4111 1111 1111 1111", "AKIAABCDEFGHIJKLMNOP"]


WORDS = st.text(st.characters(exclude_categories=["N"]))


@given(WORDS, st.sampled_from(FOUND), WORDS)
def test_it_is_found_among_any_words(before: str, what: str, after: str):
    assert what not in redact(f"{before} {what} {after}")


@pytest.mark.parametrize("char", ["a", "1", "1 ", "+", "(", "a.", "-", "eyJ", "a@", "bearer ", "0"])
def test_a_megabyte_of_beginnings_is_read_in_linear_time(char: str):
    assert redact(char * (1_000_000 // len(char)))


def test_a_pattern_of_your_own_says_its_name():
    orders = Redaction(re.compile(r"order (?P<order_id>[A-Z]-\d+)"), re.compile(r"hush"))

    assert orders("order A-7, hush") == "order [redacted: order-id], [redacted]"
    assert len(PATTERNS) == 5


def test_the_view_is_redacted_and_the_log_is_not():
    log = stored(
        ("message_received", {"from": "ann@example.com", "text": "I am ann@example.com"}),
        ("next_step_chosen", {"intent": "look_up", "args": {"who": "ann@example.com"}}),
        ("tool_returned", {"intent": "look_up", "result": [{"phone": "+1 555 010 9999", "n": 3}]}),
    )

    assert parse(render(menu.redacted(log.events))) == [
        ("user_message", {"from": MAIL, "text": f"I am {MAIL}"}),
        ("look_up", {"who": MAIL}),
        ("look_up_result", [{"phone": PHONE, "n": 3}]),
    ]
    assert "ann@example.com" in log.to_jsonl()


def test_the_view_may_be_redacted_by_any_function():
    log = stored(("message_received", {"channel": "sms", "text": "ann"}))

    assert render(menu.redacted(log.events, str.upper)) == "<sms_message>\nANN\n</sms_message>\n"


# Before the append


SECRET_CARD = "4111 1111 1111 1111"
PII = f"ann@example.com paid with {SECRET_CARD}"


class Charge(Step):
    intent: Literal["charge"] = "charge"


class Confirm(Step):
    intent: Literal["confirm"] = "confirm"


def charging(tool: Any) -> Agent:
    def decide(_: Any, state: Any) -> Any:
        match [chosen.step for chosen in state.ready]:
            case [Charge() as step, *_]:
                return run(tool, step)
            case [Confirm() as step, *_]:
                return Ask(step, "Whose card?", to="anna")
            case _ if state.waiting or state.finished:
                return Wait()
            case _:
                return Finish("done") if state.last(Charge) else Choose(Charge(), Confirm())

    return Agent("crew", decide, Charge | Confirm, owner="olga")


async def charged(tool: Any, *, redact: Any = redact) -> str:
    """All that the log holds after messages, an answer, a signal and a tool have said it all."""
    app = app_of(charging(tool), MemoryStore(), redact=redact)
    await app.launch("crew", PII, thread_id="t", sender="ann@example.com")
    await app.send("t", PII)
    await app.signal("t", "paid", {"card": [SECRET_CARD]})
    await settle(app)
    await app.answer("t.s2.1", "answer", by="anna", value=PII, comment=PII)
    await settle(app)
    return app.thread("t").to_jsonl()


@pytest.mark.anyio
async def test_what_is_redacted_never_reaches_the_log():
    log = await charged(lambda _: {"receipt": PII, "rows": [PII]})

    assert SECRET_CARD not in log
    assert log.count(CARD) == 8
    assert log.count("ann@example.com") == 1  # the sender: a reply must find him


@pytest.mark.anyio
async def test_the_error_of_a_tool_is_redacted():
    def tool(_: Any) -> None:
        raise ValueError(PII)

    assert SECRET_CARD not in await charged(tool)


@pytest.mark.anyio
async def test_a_result_is_kept_back_when_redact_fails():
    def only_messages(text: str) -> str:
        if "receipt" in text:
            raise LookupError(text)
        return redact(text)

    log = await charged(lambda _: f"receipt: {PII}", redact=only_messages)

    assert "[redacted: all of it, since redact raised LookupError]" in log
    assert "receipt" not in log
