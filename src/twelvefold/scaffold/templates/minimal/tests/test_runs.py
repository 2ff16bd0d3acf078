"""Whole runs in memory, with the scripted model; each of them decides the same when replayed."""

import asyncio
from pathlib import Path

from twelvefold import Agent, App, ScriptedModel
from twelvefold.testing import MemoryStore, ended, play, replays

from agent import OWNERS, STUCK, AnyStep, decide
from app import MODELS
from tools import Outbox

NEWS = ("bot", "tell the team that the release is out")
YES = {"decision": "approve"}


def test_what_is_approved_is_sent(tmp_path: Path):
    bot = app_in(tmp_path)

    asyncio.run(play(bot, *NEWS, YES, by="anna"))

    assert ended(bot) == "The message is sent."
    assert Outbox(tmp_path).sent() == ["team@example.com"]
    assert replays(bot) == 1


def test_what_is_changed_by_a_person_is_sent_as_changed(tmp_path: Path):
    bot = app_in(tmp_path)
    edit = {"decision": "edit", "changes": {"to": "carl@example.com"}}

    asyncio.run(play(bot, *NEWS, edit, by="anna"))

    assert Outbox(tmp_path).sent() == ["carl@example.com"]
    assert replays(bot) == 1


def test_what_is_refused_is_not_sent(tmp_path: Path):
    bot = app_in(tmp_path)
    no = {"decision": "deny", "comment": "not on a Friday"}

    asyncio.run(play(bot, *NEWS, no, {"decision": "answer", "value": "leave it"}, by="anna"))

    assert ended(bot) == "Nothing was sent."
    assert Outbox(tmp_path).sent() == []
    assert replays(bot) == 1


def test_when_the_model_makes_no_sense_a_person_is_asked(tmp_path: Path):
    bot = app_in(tmp_path, ScriptedModel(lambda request: {"intent": "sing"}))
    asyncio.run(play(bot, *NEWS, by="anna"))

    [contact] = bot.inbox()
    assert contact.data["question"].startswith(f"{STUCK}\n\n")  # and then what failed


def app_in(folder: Path, model: ScriptedModel | None = None) -> App:
    outbox = Outbox(folder)
    agent = Agent("bot", decide, AnyStep, deps=lambda tenant: outbox, owner=OWNERS)
    return App([agent], store=MemoryStore(), model=model or MODELS["script"])
