"""One release from launch to end, for processes that are killed: test_proofs.py."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twelvefold import Agent, App
from twelvefold.directory import Directory
from twelvefold.store import ContactRow
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import Point, Scenario

from agent import OPS, AnyStep, decide
from app import MODELS
from cluster import Cluster

BACKEND_FIRST = "can you deploy the backend first?"


def release(folder: Path, point: Point) -> Scenario:
    """The first deploy is denied, as people do; the others are approved."""

    class PointedCluster(Cluster):
        """The process is killed before and after each effect, too."""

        def deploy(self, what: str, tag: str, *, key: str) -> str:
            point(f"before {what}")
            answer = super().deploy(what, tag, key=key)
            point(f"after {what}")
            return answer

    cluster = PointedCluster(folder / "cluster.db")
    agent = Agent("deploybot", decide, AnyStep, deps=lambda tenant: cluster, owner=OPS)
    app = App(
        [agent],
        store=SqliteStore(folder / "threads.db"),
        model=MODELS["script"],
        directory=Directory(roles={"ops": ["anna"]}),
    )

    async def launch(app: App) -> None:
        await app.launch("deploybot", "deploy the newest release", thread_id="r1")

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        """What anna says. Whether a run that was cut off took place is looked up in `effects`."""
        if contact.data["kind"] == "question":
            return {"decision": "answer", "value": "leave it", "by": "anna"}
        if contact.id == "s2.1":
            return {"decision": "deny", "comment": BACKEND_FIRST, "by": "anna"}
        return {"decision": "approve", "by": "anna"}

    return Scenario(app, launch, answer, effects=cluster.effects)
