"""Whole releases in memory, with the scripted model; each decides the same when replayed."""

import asyncio
from pathlib import Path

from twelvefold import Agent, App, ScriptedModel
from twelvefold.directory import Directory
from twelvefold.testing import MemoryStore, ended, play, replays

from agent import OPS, STUCK, AnyStep, decide
from app import MODELS
from cluster import Cluster

NEWEST = ("deploybot", "deploy the newest release")
YES = {"decision": "approve"}
NO = {"decision": "deny", "comment": "can you deploy the backend first?"}


def test_what_is_approved_is_deployed_once(tmp_path: Path):
    bot = app_in(tmp_path)

    asyncio.run(play(bot, *NEWEST, YES, YES, by="anna"))

    assert ended(bot) == "v1.4.0 is live."
    assert deployed(tmp_path) == ["deploy_frontend v1.4.0", "deploy_backend v1.4.0"]
    assert replays(bot) == 1


def test_a_denial_is_read_and_followed(tmp_path: Path):
    bot = app_in(tmp_path)

    asyncio.run(play(bot, *NEWEST, NO, YES, YES, by="anna"))

    assert ended(bot) == "v1.4.0 is live."
    assert deployed(tmp_path) == ["deploy_backend v1.4.0", "deploy_frontend v1.4.0"]
    assert replays(bot) == 1


def test_what_is_refused_is_not_deployed(tmp_path: Path):
    bot = app_in(tmp_path)

    asyncio.run(play(bot, *NEWEST, NO, NO, {"decision": "answer", "value": "leave it"}, by="anna"))

    assert ended(bot) == "The release ended unfinished."
    assert deployed(tmp_path) == []
    assert replays(bot) == 1


def test_what_a_person_changed_is_deployed_as_changed(tmp_path: Path):
    bot = app_in(tmp_path)

    asyncio.run(play(bot, *NEWEST, {"decision": "edit", "changes": {"tag": "v1.3.2"}}, by="anna"))

    assert deployed(tmp_path) == ["deploy_frontend v1.3.2"]


def test_when_the_model_makes_no_sense_a_person_is_asked(tmp_path: Path):
    bot = app_in(tmp_path, ScriptedModel(lambda request: {"intent": "sing"}))
    asyncio.run(play(bot, *NEWEST, by="anna"))

    [contact] = bot.inbox()
    assert contact.data["question"].startswith(f"{STUCK}\n\n")  # and then what failed


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
