"""The pages of Flask and FastAPI on Postgres, and with a scoped session."""

from pathlib import Path

import pytest

from frameworks.pages import blocks_of, kept, ran

SCOPED = """
from shop import Order, Session, app
from sqlalchemy.orm import scoped_session

session = scoped_session(Session)
for end in (session.rollback, session.commit):
    order = Order(item="a bike")
    session.add(order)
    session.flush()
    app.sync.within(session).launch("shipping", str(order.id), thread_id="order-1")
    end()
    print(len(app.threads()), session.query(Order).count())
    session.remove()
"""


@pytest.mark.parametrize(("page", "app"), [("flask.md", "app"), ("fastapi.md", "agents")])
def test_on_postgres_rows_and_log_are_one_transaction(
    tmp_path: Path, postgres_url: str, page: str, app: str
):
    engine = postgres_url.replace("postgresql://", "postgresql+psycopg://", 1)
    kept(
        page,
        tmp_path,
        ("shop.py", 'create_engine("sqlite:///shop.db")', f"create_engine({engine!r})"),
        ("shop.py", 'SqliteStore("shop.db")', f"SqliteStore({postgres_url!r})"),
        ("shop.py", "stores.sqlite", "stores.postgres"),
        ("shop.py", "SqliteStore", "PostgresStore"),
        ("shop.py", "id = ?", "id = %s"),
    )
    [requests, _] = [
        block.text for block in blocks_of(page) if block.language == "python" and not block.note
    ]

    tried = ran(tmp_path, "-c", requests)
    assert tried.returncode == 0, tried.stderr
    assert ran(tmp_path, "killed.py").returncode == -9
    counted = ran(tmp_path, "-c", COUNTED.format(app=app))
    assert counted.stdout.split() == ["1", "1"], counted.stderr


COUNTED = """
from shop import Order, Session, {app} as app
with Session() as tx:
    print(tx.query(Order).count(), len(app.threads()))
"""


def test_a_scoped_session_is_followed_too(tmp_path: Path):
    kept("flask.md", tmp_path)

    done = ran(tmp_path, "-c", SCOPED)

    assert done.stdout.split() == ["0", "0", "1", "1"], done.stderr
