"""What the scenarios serve: the examples, with their world in the folder that a variable names."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from http_names import FOLDER, WORLD
from loading import example

from twelvefold import App

HERE = Path(os.environ.get(FOLDER, "."))
BY_KEY = {"key": "high"}
"""People come with keys of their own; here those decide what a terminal decides in the examples."""
SPIRAL = 3

RELEASE = example("release_pipeline")


def served(module: Any, deps: Any = None) -> App:
    """The example's application, for people with keys."""
    agents: list[Any] = list(module.app.agents.values())
    for agent in agents:
        if agent.deps:
            object.__setattr__(agent, "deps", lambda tenant: deps)
    return App(agents, models=module.app.models, settles=BY_KEY)


class Spiral(RELEASE.Cluster):
    """Its first three deploys fail, whichever process tries, and however often it tries each."""

    def deploy(self, what: str, tag: str, *, key: str) -> str:
        with sqlite3.connect(self.path.with_name("spiral.db")) as db:
            db.execute("create table if not exists failed (key text primary key)")
            [(count,)] = db.execute("select count(*) from failed where key <> ?", (key,))
            if count < SPIRAL:
                db.execute("insert or ignore into failed values (?)", (key,))
        db.close()
        if count < SPIRAL:
            raise ConnectionError("Failed to connect to deployment service")
        said: str = super().deploy(what, tag, key=key)
        return said


def release(**world: Any) -> App:
    return served(RELEASE, RELEASE.Cluster(HERE / "cluster.db", **world))


def pipeline() -> App:
    return release()


def rollback() -> App:
    return release(e2e_fails_in="production")


def spiral() -> App:
    return served(RELEASE, Spiral(HERE / "cluster.db"))


def calculator() -> App:
    return served(example("calculator"))


def support() -> App:
    module = example("support_triage")
    return served(module, module.Postbox(HERE / "postbox.db"))


WORLDS = {
    "pipeline": pipeline,
    "rollback": rollback,
    "spiral": spiral,
    "calculator": calculator,
    "support": support,
}
app = WORLDS[os.environ[WORLD]]() if WORLD in os.environ else None
