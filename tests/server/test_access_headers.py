"""What every answer carries wherever its route is put, and what no log and no answer ever holds."""

import logging
import re
import secrets
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from server.known import INBOX, bearer, client, cookie_of, keyed, running
from twelvefold.app import App
from twelvefold.keys import hashed
from twelvefold.server import create_app, router
from twelvefold.server.access import one_time_path
from twelvefold.server.serving import Options

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
CANARY = "canary-" + secrets.token_hex(8)


@pytest.fixture
def app(tmp_path: Path) -> App:
    found = App([], store=tmp_path / "x.db")
    keyed(found)
    return found


def alone(app: App) -> TestClient:
    return client(app)


def mounted(app: App) -> TestClient:
    theirs = FastAPI()
    theirs.mount("/agents", create_app(app))
    return TestClient(theirs, base_url=f"{INBOX}/agents", follow_redirects=False)


def included(app: App) -> TestClient:
    theirs = FastAPI()
    theirs.include_router(router(app, prefix="/agents"))
    return TestClient(theirs, base_url=f"{INBOX}/agents", follow_redirects=False)


def routes_of(app: App) -> list[tuple[str, str]]:
    """Method and path of every route of a server, pages included."""
    found: list[tuple[str, str]] = []

    def walk(routes: list[BaseRoute]) -> None:
        for route in routes:
            inner = getattr(route, "original_router", None)
            if inner is not None:
                walk(inner.routes)
            elif getattr(route, "methods", None):
                found.extend((method, route.path) for method in sorted(route.methods))

    walk(create_app(app).routes)
    return sorted(set(found))


@pytest.mark.parametrize("serve", [alone, mounted, included])
def test_every_answer_of_every_route_carries_the_headers(app: App, serve):
    who = serve(app)
    key = bearer(keyed(app, person="anna"))
    routes = routes_of(app)

    assert len(routes) > 20
    for headers in ({}, key):
        for method, template in routes:
            if template == "/openapi.json" and serve is included:
                continue  # theirs, with their routes
            path = re.sub(r"\{[^}]+\}", "nothing", template)
            with who.stream(method, path, headers=headers) as answer:
                assert answer.status_code < 500, (method, path)
                assert_dressed(answer, (method, path))


def assert_dressed(answer: httpx.Response, what: object) -> None:
    given = answer.headers
    assert given.get("content-security-policy") == CSP, what
    assert given.get("x-content-type-options") == "nosniff", what
    assert given.get("referrer-policy") == "no-referrer", what
    is_public = "immutable" in given.get("cache-control", "")
    assert is_public or given.get("cache-control") in ("no-store", "no-cache"), what
    assert not is_public or "/static/" in str(answer.url), what
    assert not given.get_list("access-control-allow-origin"), what


@pytest.mark.parametrize("serve", [alone, mounted])
def test_what_is_no_route_carries_them_too(app: App, serve):
    who = serve(app)

    for method, path in (("GET", "/nothing"), ("PATCH", "/v1/threads"), ("GET", "/v1/%00")):
        answer = who.request(method, path)
        assert answer.status_code in (404, 405)
        assert_dressed(answer, path)


def test_a_style_sheet_is_kept_and_nothing_private_is(app: App):
    page = client(app).get("/sign-in")
    sheet = re.search(r'href="(/static/[^"]+\.css)"', page.text)

    assert sheet is not None
    kept = client(app).get(sheet[1])
    assert "immutable" in kept.headers["cache-control"]
    assert "set-cookie" not in kept.headers
    assert page.headers["cache-control"] == "no-store"


def test_another_site_is_answered_without_leave_to_read(app: App):
    headers = {**bearer(keyed(app)), "Origin": "https://evil.example"}
    asked = {"Access-Control-Request-Method": "POST", "Origin": "https://evil.example"}

    for answer in (
        client(app).get("/v1/threads", headers=headers),
        client(app).options("/v1/threads", headers=asked),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


# Logs


def test_no_secret_is_in_any_log_or_refusal(app: App, caplog: pytest.LogCaptureFixture):
    """Of a real server at its most talkative; what is sent wrongly holds a canary."""
    caplog.set_level(logging.DEBUG)
    token = keyed(app, person="anna")
    link = one_time_path(app.store, person="anna")
    said: list[str] = []
    with running(app) as url, httpx.Client(base_url=url) as who:
        cookie = cookie_of(who.get(link))["value"]
        for answer in (
            who.get(link),
            who.get("/v1/threads", headers=bearer(token)),
            who.get("/v1/threads", headers=bearer(token + CANARY)),
            who.get("/v1/threads", headers={"Authorization": f"Basic {CANARY}"}),
            who.get("/v1/threads", headers={"X-CSRF-Token": CANARY}),
            who.get(f"/sign-in?token={CANARY}"),
            who.get(f"/h/{CANARY}"),
            who.post("/sign-in", data={"key": CANARY}),
            who.post("/sign-in", data={"key": token}),
            who.post("/sign-out", data={"csrf": CANARY}),
            who.get("/v1/threads", headers={"Cookie": f"twelvefold_visit={CANARY}"}),
        ):
            said.append(answer.text + str(answer.headers))
    log = "\n".join(
        f"{record.getMessage()} {record.exc_text or ''}"
        for record in caplog.records
        if not record.name.startswith(("httpx", "httpcore"))  # the client's own
    )
    kept = Path(str(app.store.path) + ".signing-key").read_text()

    for secret in (CANARY, token.partition(".")[2], link.partition(".")[2], cookie, kept):
        assert secret not in log
    for secret in (token.partition(".")[2], link.partition(".")[2], hashed(token), kept):
        assert not any(secret in text for text in said)
    assert not any(CANARY in text for text in said)


def test_what_a_server_is_made_of_shows_no_secret(app: App):
    key = secrets.token_hex(32)

    assert key not in repr(Options(signing_key=key))
    token = keyed(app)
    assert token.partition(".")[2] not in repr(app.store.keys())


def test_a_visit_over_a_real_socket_reaches_the_pages(app: App):
    with running(app) as url, httpx.Client(base_url=url, follow_redirects=True) as who:
        page = who.get(one_time_path(app.store, person="anna"))

        assert page.status_code == 200
        assert page.url.path == "/inbox"
        assert "token" not in str(page.url)
