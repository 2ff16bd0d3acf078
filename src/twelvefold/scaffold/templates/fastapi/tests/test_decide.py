"""Given these facts, what does the agent decide? No model, no store, no tool is touched."""

import pytest
from twelvefold import Approve, AskModel, Finish, Settle, Wait, run
from twelvefold.directory import Directory
from twelvefold.intents import DoneForNow, RequestHumanInput
from twelvefold.steps import members
from twelvefold.testing import (
    approved,
    asked,
    chosen,
    decision,
    denied,
    given,
    message,
    returned,
    started,
)

from agent import DAY, SUPPORT, AnyStep
from app import app
from tools import LookUp, Refund, look_up, refund

BOT = app.agent("refunds")
PEOPLE = Directory(roles={"support": ["anna", "ben"]})
TEAPOT = {"number": "1007", "item": "teapot", "cents": 4200, "refunded_cents": 0}
BACK = Refund(order="1007", cents=4200)
WRITTEN = given(message("order 1007: it came in pieces"), agent=BOT)
FOUND = given(chosen(LookUp(order="1007")), started(), returned(TEAPOT), onto=WRITTEN, agent=BOT)
ASKED = given(chosen(BACK), asked(SUPPORT, within=DAY), onto=FOUND, agent=BOT, directory=PEOPLE)
EXAMPLES = [
    LookUp(order="1007"),
    BACK,
    RequestHumanInput(question="A new one, or the money?"),
    DoneForNow(message="bye"),
]


def test_looking_up_needs_nobody():
    thread = given(chosen(LookUp(order="1007")), onto=WRITTEN, agent=BOT)

    assert decision(BOT, thread) == run(look_up, LookUp(order="1007"), retry_safe=True)


def test_a_refund_waits_for_support():
    assert decision(BOT, given(chosen(BACK), onto=FOUND, agent=BOT)) == Approve(
        BACK, by=SUPPORT, within=DAY
    )
    assert decision(BOT, ASKED) == Wait()


def test_a_yes_runs_it():
    thread = given(approved(), onto=ASKED, agent=BOT, directory=PEOPLE)

    assert decision(BOT, thread) == run(refund, BACK, retry_safe=True)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Refund(order="1007", cents=4201), "refused: 4200 cents of 1007 can be refunded"),
        (Refund(order="1007", cents=0), "refused: 4200 cents of 1007 can be refunded"),
        (Refund(order="1008", cents=1), "refused: 1008 was not looked up"),
    ],
)
def test_what_nobody_should_even_be_asked_is_refused_by_code(wrong: Refund, why: str):
    assert decision(BOT, given(chosen(wrong), onto=FOUND, agent=BOT)) == Settle(wrong, why)


def test_after_a_no_the_model_is_asked_again():
    thread = given(denied("not now", by="ben"), onto=ASKED, agent=BOT, directory=PEOPLE)

    assert isinstance(decision(BOT, thread), AskModel)


def test_done_is_the_end():
    done = DoneForNow(message="bye")

    assert decision(BOT, given(chosen(done), onto=FOUND, agent=BOT)) == Finish("bye", done)


def test_each_step_of_the_union_has_an_example_above_and_a_case_in_carry_out():
    assert {type(step) for step in EXAMPLES} == {*members(AnyStep).values()}
    for step in EXAMPLES:  # `decision` raises where nothing is decided, and names the step
        assert decision(BOT, given(chosen(step), onto=FOUND, agent=BOT)) != Wait()
