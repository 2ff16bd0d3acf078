"""The Django page on Postgres, and under Django's own test runner, with what it says to change."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from frameworks.pages import kept, ran

PAGE = "django.md"
SETTINGS = {"DJANGO_SETTINGS_MODULE": "settings"}
TESTS = """
import asyncio
from contextlib import suppress

from django.db import connection, transaction
from django.test import TransactionTestCase

from orders.agents import app
from orders.models import Order
from twelvefold.exceptions import UnknownThread


class Together(TransactionTestCase):
    def setUp(self):
        app.use_store(connection.settings_dict["NAME"])
        assert app.store is not None  # opened here: its tables are made before any transaction

    def tearDown(self):
        app.close()

    def test_an_order_has_its_thread(self):
        number = self.client.post("/orders", {"item": "a bike"}).json()["order"]
        asyncio.run(app.run(until_idle=True))
        self.assertEqual(app.store.thread_row(f"order-{number}").status, "waiting")

    def test_neither_is_there_after_a_rollback(self):
        with suppress(ValueError), transaction.atomic():
            order = Order.objects.create(item="a boat")
            app.sync.within(connection).launch("shipping", "7", thread_id="order-7")
            raise ValueError("out of stock")
        self.assertEqual(Order.objects.count(), 0)
        with self.assertRaises(UnknownThread):
            app.thread("order-7")
"""
IN_MEMORY = """
from django.db import connection
from django.test import TestCase

from orders.agents import app
from twelvefold.exceptions import ConfigurationError


class Refused(TestCase):
    def test_a_database_in_memory_is_refused(self):
        with self.assertRaisesMessage(ConfigurationError, "database in memory"):
            app.sync.within(connection).launch("shipping", "7")
"""


def test_on_postgres_models_and_log_are_one_transaction(tmp_path: Path, postgres_url: str):
    made = conninfo_to_dict(postgres_url)
    place = {name.upper(): made.get(name) or "" for name in ("user", "password", "host", "port")}
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": made["dbname"]} | place
    database["OPTIONS"] = {"options": made["options"]}
    store = 'SqliteStore(settings.DATABASES["default"]["NAME"])'
    kept(
        PAGE,
        tmp_path,
        (
            "settings.py",
            "INSTALLED_APPS =",
            f'DATABASES["default"] = {database!r}\nINSTALLED_APPS =',
        ),
        ("orders/agents.py", store, f"SqliteStore({postgres_url!r})"),
        ("orders/agents.py", "stores.sqlite", "stores.postgres"),
        ("orders/agents.py", "SqliteStore", "PostgresStore"),
        ("orders/agents.py", "id = ?", "id = %s"),
    )

    migrated = ran(
        tmp_path, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0", **SETTINGS
    )
    assert migrated.returncode == 0, migrated.stderr
    tried = ran(tmp_path, "try_it.py", **SETTINGS)
    assert tried.returncode == 0, tried.stderr
    killed = ran(tmp_path, "killed.py", **SETTINGS)
    assert killed.returncode == -9
    counted = ran(tmp_path, "-c", "import django; django.setup()\n" + COUNTED, **SETTINGS)
    assert counted.stdout.split() == ["1", "1"], counted.stderr


COUNTED = """
from orders.agents import app
from orders.models import Order
print(Order.objects.count(), len(app.threads()))
"""


def test_under_djangos_own_test_runner(tmp_path: Path):
    on_disk = '"NAME": BASE_DIR / "shop.db",\n        "TEST": {"NAME": BASE_DIR / "test.db"},'
    kept(PAGE, tmp_path, ("settings.py", '"NAME": BASE_DIR / "shop.db",', on_disk))
    (tmp_path / "orders" / "tests.py").write_text(TESTS)

    done = ran(tmp_path, "-m", "django", "test", "orders", **SETTINGS)

    assert done.returncode == 0, done.stderr
    assert "Ran 2 tests" in done.stderr


@pytest.mark.parametrize("kind", ["TestCase", "TransactionTestCase"])
def test_a_test_database_in_memory_is_refused(tmp_path: Path, kind: str):
    kept(PAGE, tmp_path)
    (tmp_path / "orders" / "tests.py").write_text(IN_MEMORY.replace("TestCase", kind))

    done = ran(tmp_path, "-m", "django", "test", "orders", **SETTINGS)

    assert done.returncode == 0, done.stderr
    assert "Ran 1 test" in done.stderr
