"""Whole runs in memory, with the scripted model; each of them decides the same when replayed."""

import asyncio
from pathlib import Path
from typing import Any

from twelvefold import Agent, App, ScriptedModel
from twelvefold.testing import MemoryStore, replays

from agent import OWNERS, STUCK, AnyStep, decide
from app import MODELS
from tools import Outbox


def test_what_is_approved_is_sent(tmp_path: Path):
    bot = app_in(tmp_path)

    assert asyncio.run(play(bot, {"decision": "approve"})) == "The message is sent."
    assert Outbox(tmp_path).sent() == ["team@example.com"]
    assert replays(bot) == 1


def test_what_is_changed_by_a_person_is_sent_as_changed(tmp_path: Path):
    bot = app_in(tmp_path)
    asyncio.run(play(bot, {"decision": "edit", "changes": {"to": "carl@example.com"}}))

    assert Outbox(tmp_path).sent() == ["carl@example.com"]
    assert replays(bot) == 1


def test_what_is_refused_is_not_sent(tmp_path: Path):
    bot = app_in(tmp_path)
    no = {"decision": "deny", "comment": "not on a Friday"}

    said = asyncio.run(play(bot, no, {"decision": "answer", "value": "leave it"}))

    assert said == "Nothing was sent."
    assert Outbox(tmp_path).sent() == []
    assert replays(bot) == 1


def test_when_the_model_makes_no_sense_a_person_is_asked(tmp_path: Path):
    bot = app_in(tmp_path, ScriptedModel(lambda request: {"intent": "sing"}))
    asyncio.run(play(bot))

    assert [row.data["question"] for row in bot.inbox()] == [STUCK.question]


def app_in(folder: Path, model: ScriptedModel | None = None) -> App:
    outbox = Outbox(folder)
    agent = Agent("bot", decide, AnyStep, deps=lambda tenant: outbox, owner=OWNERS)
    return App([agent], store=MemoryStore(), model=model or MODELS["script"])


async def play(bot: App, *answers: dict[str, Any]) -> object:
    """Run, and again after each answer of anna to what is open; what the thread ends with."""
    thread = await bot.launch("bot", "tell the team that the release is out")
    await bot.run(until_idle=True)
    for answer in answers:
        [row] = bot.inbox()
        await bot.answer(f"{row.ref.id}.{row.id}", by="anna", **answer)
        await bot.run(until_idle=True)
    return bot.thread(thread).events[-1].data.get("message")
