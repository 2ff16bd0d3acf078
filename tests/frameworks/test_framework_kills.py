"""Killed before any call of the database, the rows of Django and SQLAlchemy agree with the log."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from docs.blocks import ROOT, Reader, blocks
from proof.reporting import Report, compared
from proof.reporting import proof as proof

TIMEOUT_S = 1500
ONCE = {"placed": 1, "approved": 1, "shipped": 1}
SCENARIOS = {
    "django": """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django
django.setup()
from django.contrib.auth.models import User
from django.test import Client
from orders.agents import app

TABLE = "orders_order"

def place():
    assert Client().post("/orders", {"item": "a bike"}).status_code == 201

def approve():
    anna = Client()
    anna.force_login(User.objects.get_or_create(username="anna")[0])
    assert anna.post("/orders/1/approve").status_code == 200
""",
    "flask": """
from shop import app
from web import web

TABLE = "orders"

def place():
    assert web.test_client().post("/orders", data={"item": "a bike"}).status_code == 201

def approve():
    anna = web.test_client()
    with anna.session_transaction() as visit:
        visit["user"] = "anna"
    assert anna.post("/orders/1/approve").status_code == 200
""",
    "fastapi": '''
from api import api
from fastapi.testclient import TestClient
from shop import ME, agents as app

TABLE = """(
    select state, (
        select group_concat(1) from twelvefold_events where type = 'contact_answered'
    ) as approved_by from orders
)"""

def place():
    assert TestClient(api).post("/orders", json={"item": "a bike"}).status_code == 201

def approve():
    app.sync.answer("order-1.s1.1", "approve", by=ME)
''',
}


@pytest.fixture(params=SCENARIOS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The programs of a page, and its database with nothing in it but tables."""
    name: str = request.param
    page = ROOT / "docs" / "frameworks" / f"{name}.md"
    reader = Reader(tmp_path)
    for block in blocks(page.name, page.read_text(encoding="utf-8")):
        migrates = block.text.startswith("$ python -m django migrate")
        if block.note.startswith("keep: ") or migrates:
            text = block.text.replace("$ python try_it.py\n", "")
            assert reader.follow(replace(block, text=text)) == []
    (tmp_path / "scenario.py").write_text(SCENARIOS[name])
    (tmp_path / "page").write_text(page.name)
    made = subprocess.run(
        [sys.executable, "-c", "import scenario; scenario.app.close()"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return tmp_path


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize(
    ("apart", "kills_min"), [(25, 1), pytest.param(1, 50, marks=pytest.mark.long)]
)
def test_rows_and_log_agree_wherever_the_process_dies(
    folder: Path, apart: int, kills_min: int, proof: Report
):
    program = Path(__file__).parent / "kill_each.py"
    done = subprocess.run(
        [sys.executable, str(program), str(apart)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    *kills, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(kills) >= kills_min
    assert all(kill["killed"] for kill in kills)
    assert not last["killed"]
    for kill in (*kills, last):
        found, after = kill["found"], kill["after"]
        agreed = compared(found["log"], found["rows"])
        ended = [compared(ONCE, counted) for counted in after.values()]
        lost, twice = map(sum, zip(agreed, *ended, strict=True))
        proof.add(lost=lost, duplicated=twice)
        assert (lost, twice) == (0, 0), kill
    proof.note(f"{(folder / 'page').read_text()}: {len(kills)} kills")
    reached = {tuple(kill["found"]["rows"].values()) for kill in kills}
    assert reached == {(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)}
