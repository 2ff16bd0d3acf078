"""Given these facts, what does the agent decide? No model, no store, no tool is touched."""

from twelvefold import Approve, AskModel, Finish, Wait, run
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

from agent import DAY, OWNERS, AnyStep
from app import app
from tools import Send, send

BOT = app.agent("bot")
HELLO = Send(to="team@example.com", text="Hello!")
WRITTEN = given(message("say hello to the team"), agent=BOT)
CHOSEN = given(chosen(HELLO), onto=WRITTEN, agent=BOT)
ASKED = given(asked(OWNERS, within=DAY), onto=CHOSEN, agent=BOT)
EXAMPLES = [HELLO, RequestHumanInput(question="To whom?"), DoneForNow(message="It is sent.")]


def test_a_message_waits_for_an_owner():
    assert decision(BOT, CHOSEN) == Approve(HELLO, by=OWNERS, within=DAY)
    assert decision(BOT, ASKED) == Wait()


def test_a_yes_sends_it():
    thread = given(approved(), onto=ASKED, agent=BOT)

    assert decision(BOT, thread) == run(send, HELLO, retry_safe=True)


def test_after_a_no_the_model_is_asked_again():
    assert isinstance(decision(BOT, given(denied("too short"), onto=ASKED, agent=BOT)), AskModel)


def test_done_is_the_end():
    done = DoneForNow(message="sent")
    thread = given(approved(), started(), returned("sent"), chosen(done), onto=ASKED, agent=BOT)

    assert decision(BOT, thread) == Finish("sent", done)


def test_each_step_of_the_union_has_an_example_above_and_a_case_in_carry_out():
    assert {type(step) for step in EXAMPLES} == {*members(AnyStep).values()}
    for step in EXAMPLES:  # `decision` raises where nothing is decided, and names the step
        assert decision(BOT, given(chosen(step), onto=WRITTEN, agent=BOT)) != Wait()
