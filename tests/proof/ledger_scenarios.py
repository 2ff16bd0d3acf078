"""A scenario whose ledger is the application's own table, beside the log."""

from pathlib import Path

from transfers import Books, transfers_app

from twelvefold import App
from twelvefold.store import ContactRow
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import Point, Scenario


def transfers(folder: Path, point: Point) -> Scenario:
    """An order with its launch, then transfers in the transactions of their outcomes."""
    books = Books(folder / "bank.db")
    app = transfers_app(point, store=SqliteStore(folder / "bank.db"))

    async def launch(app: App) -> None:
        books.place_order(app, point)

    def answer(_: ContactRow) -> dict[str, str]:
        return {"decision": "approve", "by": "anna"}

    return Scenario(app, launch, answer, books.counts)
