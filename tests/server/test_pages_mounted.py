"""The pages work wherever the server is put: every link and form leads where it should."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from server.visiting import PERSON, Named, begun, form_with, office, words
from twelvefold.app import App
from twelvefold.server import create_app, router

PATHS = ("/inbox", "/inbox?tab=history", "/contacts/t.s1.1", "/contacts/t.s1.1/edit")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with office(tmp_path) as app:
        begun(app, "label", name="t")
        yield app


def mounted(app: App) -> FastAPI:
    theirs = FastAPI()
    theirs.mount("/agents", create_app(app, access=Named()))
    return theirs


def included(app: App) -> FastAPI:
    theirs = FastAPI()
    theirs.include_router(router(app, access=Named(), prefix="/agents"))
    return theirs


@pytest.fixture(params=[mounted, included])
def anna(request: pytest.FixtureRequest, app: App) -> TestClient:
    theirs = request.param(app)
    headers = {PERSON: "anna"}
    return TestClient(
        theirs, base_url="http://inbox.example", headers=headers, follow_redirects=False
    )


@pytest.mark.parametrize("path", PATHS)
def test_every_address_on_a_page_is_below_ours(anna: TestClient, path: str):
    page = anna.get(f"/agents{path}")

    addresses = re.findall(r'(?:href|src|action|data-changes)="([^"]*)"', page.text)
    assert len(addresses) > 5
    assert [one for one in addresses if not one.startswith(("/agents/", "#"))] == []


def test_a_contact_is_decided_there(anna: TestClient):
    page = anna.get("/agents/contacts/t.s1.1")

    answer = form_with(page, "Approve").send(anna, "Approve")

    assert answer.headers["location"] == "/agents/contacts/t.s1.1"
    assert "Approved by anna" in words(anna.get(answer.headers["location"]))


def test_a_link_is_opened_and_decided_there(app: App, anna: TestClient):
    contact = begun(app, "note", name="u")
    token = app.sync.link(contact, "anna")

    page = anna.get(f"/agents/h/{token}")
    answer = form_with(page, "Approve").send(anna, "Approve")

    assert "Approved by anna" in words(anna.get(answer.headers["location"]))


def test_the_style_sheet_is_there(anna: TestClient):
    [sheet] = re.findall(
        r'rel="stylesheet" href="([^"]+style[^"]+)"', anna.get("/agents/inbox").text
    )

    assert anna.get(sheet).status_code == 200
