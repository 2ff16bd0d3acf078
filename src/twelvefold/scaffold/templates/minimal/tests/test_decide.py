"""Given these facts, what does the agent decide? No model, no store, no tool is touched."""

from twelvefold import Approve, AskModel, Finish, Wait, run
from twelvefold.intents import DoneForNow
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

from agent import DAY, OWNERS
from app import app
from tools import Send, send

BOT = app.agent("bot")
HELLO = Send(to="team@example.com", text="Hello!")
CHOSEN = given(message("say hello to the team"), chosen(HELLO), agent=BOT)
ASKED = given(asked(OWNERS, within=DAY), onto=CHOSEN, agent=BOT)


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
