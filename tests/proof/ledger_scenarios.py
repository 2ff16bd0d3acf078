"""A scenario whose ledger is the application's own table, beside the log."""

from pathlib import Path

from places import store_in, url_of
from transfers import Books, PostgresBooks, transfers_app

from twelvefold import App
from twelvefold.store import ContactRow
from twelvefold.testing import Point, Scenario


def transfers(folder: Path, point: Point) -> Scenario:
    """An order with its launch, then transfers in the transactions of their outcomes."""
    store = store_in(folder, "bank.db")
    url = url_of(folder)
    books = Books(str(folder / "bank.db")) if url is None else PostgresBooks(url)
    app = transfers_app(point, store=store, books=books)

    async def launch(app: App) -> None:
        books.place_order(app, point)

    def answer(_: ContactRow) -> dict[str, str]:
        return {"decision": "approve", "by": "anna"}

    return Scenario(app, launch, answer, books.counts)
