"""One thread from launch to end, for processes that are killed: test_proofs.py."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twelvefold import Agent, App
from twelvefold.store import ContactRow
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import Point, Scenario

from agent import OWNERS, AnyStep, decide
from app import MODELS
from tools import Outbox


def bot(folder: Path, point: Point) -> Scenario:
    class PointedOutbox(Outbox):
        """The process is killed before and after each effect, too."""

        def put(self, to: str, text: str, *, key: str) -> None:
            point("before it is sent")
            super().put(to, text, key=key)
            point("after it is sent")

    outbox = PointedOutbox(folder / "outbox")
    agent = Agent("bot", decide, AnyStep, deps=lambda tenant: outbox, owner=OWNERS)
    store = SqliteStore(folder / "threads.db")
    app = App([agent], store=store, model=MODELS["script"])

    async def launch(app: App) -> None:
        await app.launch("bot", "tell the team that the release is out", thread_id="t1")

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        """What anna says. Whether a run that was cut off took place is looked up in `effects`."""
        if contact.data["kind"] == "question":  # after a no, which wins half of the races
            return {"decision": "answer", "value": "leave it", "by": "anna"}
        return {"decision": "approve", "by": "anna"}

    return Scenario(app, launch, answer, effects=lambda: Counter(outbox.sent()))
