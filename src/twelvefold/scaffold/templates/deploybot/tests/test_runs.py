"""Whole releases in memory, with the scripted model; each decides the same when replayed."""

import asyncio
from pathlib import Path
from typing import Any

from twelvefold import Agent, App, ScriptedModel
from twelvefold.directory import Directory
from twelvefold.testing import MemoryStore, replays

from agent import OPS, STUCK, AnyStep, decide
from app import MODELS
from cluster import Cluster

YES = {"decision": "approve"}
NO = {"decision": "deny", "comment": "can you deploy the backend first?"}


def test_what_is_approved_is_deployed_once(tmp_path: Path):
    bot = app_in(tmp_path)

    assert asyncio.run(play(bot, YES, YES)) == "v1.4.0 is live."
    assert deployed(tmp_path) == ["deploy_frontend v1.4.0", "deploy_backend v1.4.0"]
    assert replays(bot) == 1


def test_a_denial_is_read_and_followed(tmp_path: Path):
    bot = app_in(tmp_path)

    assert asyncio.run(play(bot, NO, YES, YES)) == "v1.4.0 is live."
    assert deployed(tmp_path) == ["deploy_backend v1.4.0", "deploy_frontend v1.4.0"]
    assert replays(bot) == 1


def test_what_is_refused_is_not_deployed(tmp_path: Path):
    bot = app_in(tmp_path)

    said = asyncio.run(play(bot, NO, NO, {"decision": "answer", "value": "leave it"}))

    assert said == "The release ended unfinished."
    assert deployed(tmp_path) == []
    assert replays(bot) == 1


def test_what_a_person_changed_is_deployed_as_changed(tmp_path: Path):
    bot = app_in(tmp_path)

    asyncio.run(play(bot, {"decision": "edit", "changes": {"tag": "v1.3.2"}}))

    assert deployed(tmp_path) == ["deploy_frontend v1.3.2"]


def test_when_the_model_makes_no_sense_a_person_is_asked(tmp_path: Path):
    bot = app_in(tmp_path, ScriptedModel(lambda request: {"intent": "sing"}))
    asyncio.run(play(bot))

    assert [row.data["question"] for row in bot.inbox()] == [STUCK.question]


def app_in(folder: Path, model: ScriptedModel | None = None) -> App:
    cluster = Cluster(folder / "cluster.db")
    return App(
        [Agent("deploybot", decide, AnyStep, deps=lambda tenant: cluster, owner=OPS)],
        store=MemoryStore(),
        model=model or MODELS["script"],
        directory=Directory(roles={"ops": ["anna"]}),
    )


def deployed(folder: Path) -> list[str]:
    effects = Cluster(folder / "cluster.db").effects()
    assert set(effects.values()) <= {1}
    return list(effects)


async def play(bot: App, *answers: dict[str, Any]) -> object:
    """Run, and again after each answer of anna to what is open; what the thread ends with."""
    thread = await bot.launch("deploybot", "deploy the newest release")
    await bot.run(until_idle=True)
    for answer in answers:
        [row] = bot.inbox()
        await bot.answer(f"{row.ref.id}.{row.id}", by="anna", **answer)
        await bot.run(until_idle=True)
    return bot.thread(thread).events[-1].data.get("message")
