"""One complaint from launch to end, for processes that are killed: test_proofs.py."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twelvefold import Agent, App
from twelvefold.directory import Directory
from twelvefold.store import ContactRow
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import Point, Scenario

from agent import SUPPORT, AnyStep, decide
from app import MODELS
from orders import Orders


def complaint(folder: Path, point: Point) -> Scenario:
    class PointedOrders(Orders):
        """The process is killed before and after each effect, too."""

        def refund(self, number: str, cents: int, *, key: str) -> None:
            point("before the refund")
            super().refund(number, cents, key=key)
            point("after the refund")

    orders = PointedOrders(folder / "orders.db")
    app = App(
        [Agent("refunds", decide, AnyStep, deps=lambda tenant: orders, owner=SUPPORT)],
        store=SqliteStore(folder / "threads.db"),
        model=MODELS["script"],
        directory=Directory(roles={"support": ["anna"]}),
    )

    async def launch(app: App) -> None:
        await app.launch("refunds", "order 1007: it came in pieces", thread_id="c1")

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        """What anna says. Whether a run that was cut off took place is looked up in `effects`."""
        if contact.data["kind"] == "question":  # after a no, which wins half of the races
            return {"decision": "answer", "value": "a new one", "by": "anna"}
        return {"decision": "approve", "by": "anna"}

    def effects() -> Mapping[str, int]:
        teapot = orders.find("1007")
        return {} if teapot is None else {"teapots refunded": teapot.refunded_cents // teapot.cents}

    return Scenario(app, launch, answer, effects)
