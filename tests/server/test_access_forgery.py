"""Requests that another site's page makes in somebody's browser change nothing.

`let_through` is what the route says when it is reached: this application has no agents.
"""

import getpass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.known import LOCAL, bearer, client, cookie_of, keyed, signed_in
from twelvefold.app import App
from twelvefold.server import Principal
from twelvefold.server.access import Keys, Loopback, TrustedProxy, Visits, any_of
from twelvefold.server.access.around import Around
from twelvefold.server.access.forgery import HEADER, form_token

LAUNCH = "/v1/threads"
BODY = {"agent": "none", "input": "go"}
LET_THROUGH, REFUSED = 404, 403
PROXY = {"X-Forwarded-User": "anna"}
WAYS = any_of(Keys(), TrustedProxy(networks=["127.0.0.1"]), Visits(), Loopback())
OTHERS: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": "nonsense"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost@evil.example"},
    {"Origin": "http://localhost:9999"},
    {"Origin": "http://[::1"},
    {"Origin": ""},
]


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App([], store=tmp_path / "x.db")


def here(app: App, **options: Any) -> TestClient:
    return client(app, peer=LOCAL, url="http://localhost", access=WAYS, **options)


def by(app: App, how: str) -> TestClient:
    """A browser that proves somebody by itself."""
    if how == "proxy":
        return here(app, headers=PROXY)
    visitor = here(app)
    if how == "visit":
        signed_in(visitor, app)
    return visitor


def token_of(app: App, who: TestClient, how: str) -> str:
    """As it stands in a form of theirs."""
    page = who.get("/threads")
    assert page.status_code == 200, page.text
    found = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    if found:
        return found
    person = "anna" if how == "proxy" else getpass.getuser()
    return form_token(Principal(person, person), Around(app))


@pytest.mark.parametrize("how", ["visit", "proxy", "loopback"])
@pytest.mark.parametrize("headers", OTHERS, ids=str)
def test_another_site_changes_nothing_even_with_the_right_token(
    app: App, how: str, headers: dict[str, str]
):
    who = by(app, how)
    token = {HEADER: token_of(app, who, how)}

    assert who.post(LAUNCH, json=BODY, headers=token).status_code == LET_THROUGH
    assert who.post(LAUNCH, json=BODY, headers={**token, **headers}).status_code == REFUSED
    assert who.post("/sign-out", data={"csrf": token[HEADER]}, headers=headers).status_code == 403


@pytest.mark.parametrize("how", ["visit", "proxy", "loopback"])
@pytest.mark.parametrize("content", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_without_its_token_changes_nothing(app: App, how: str, content: str):
    who = by(app, how)

    for given in ({}, {"csrf": ""}, {"csrf": "x" * 43}, {"CSRF": token_of(app, who, how)}):
        sent: dict[str, Any] = {"data": {**given, "a": "b"}}
        if content.startswith("multipart"):
            sent = {"files": {name: (None, value) for name, value in sent["data"].items()}}
        assert who.post("/sign-out", **sent).status_code == REFUSED
    assert who.post("/sign-out", data={"csrf": token_of(app, who, how)}).status_code == 303


def test_a_token_in_the_address_counts_for_nothing(app: App):
    anna = by(app, "visit")

    assert anna.post("/sign-out", params={"csrf": token_of(app, anna, "visit")}).status_code == 403


@pytest.mark.parametrize("content", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_of_another_site_can_send_needs_the_token(app: App, content: str):
    """Such a request is sent without asking first, and on this machine nothing else is proven."""
    headers = {"Content-Type": content} if content else {}
    mine = here(app)

    answer = mine.post("/sign-out", content=b"a=b", headers={**headers, "Origin": "null"})
    assert answer.status_code == REFUSED


def test_a_program_of_this_machine_needs_no_token(app: App):
    assert here(app).post(LAUNCH, json=BODY).status_code == LET_THROUGH


@pytest.mark.parametrize("headers", [{"Origin": "null"}, {"Sec-Fetch-Site": "same-origin"}])
def test_a_browser_of_this_machine_needs_it(app: App, headers: dict[str, str]):
    mine = by(app, "loopback")
    token = {HEADER: token_of(app, mine, "loopback")}

    assert mine.post(LAUNCH, json=BODY, headers=headers).status_code == REFUSED
    assert mine.post(LAUNCH, json=BODY, headers={**headers, **token}).status_code == LET_THROUGH


def test_our_own_form_passes_although_its_origin_is_not_said(app: App):
    """As browsers send it under `Referrer-Policy: no-referrer`."""
    for headers in (
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null"},
        {"Origin": "http://localhost"},
    ):
        anna = by(app, "visit")
        field = {"csrf": token_of(app, anna, "visit")}
        assert anna.post("/sign-out", data=field, headers=headers).status_code == 303


def test_a_visit_needs_the_token_for_whatever_it_changes(app: App):
    anna = by(app, "visit")
    own = {"Sec-Fetch-Site": "same-origin"}

    assert anna.post(LAUNCH, json=BODY).status_code == REFUSED
    assert anna.post(LAUNCH, json=BODY, headers=own).status_code == REFUSED
    given = {**own, HEADER: token_of(app, anna, "visit")}
    assert anna.post(LAUNCH, json=BODY, headers=given).status_code == LET_THROUGH


def test_the_token_of_another_visit_or_person_is_worth_nothing(app: App, tmp_path: Path):
    anna, again, ben = (by(app, "visit") for _ in range(3))
    signed_in(ben, app, "ben")
    tokens = [token_of(app, each, "visit") for each in (again, ben)]
    elsewhere = App([], store=tmp_path / "elsewhere.db")
    tokens.append(token_of(elsewhere, by(elsewhere, "visit"), "visit"))
    tokens.append(form_token(Principal("anna", "anna"), Around(app)))
    tokens.append(form_token(Principal("anna", "anna", tenant="acme"), Around(app)))

    assert len({*tokens}) == len(tokens)
    for token in tokens:
        assert anna.post("/sign-out", data={"csrf": token}).status_code == REFUSED


def test_the_value_of_the_cookie_is_no_token(app: App):
    anna = here(app)
    value = cookie_of(signed_in(anna, app))["value"]

    for token in (value, value.partition(".")[2]):
        assert anna.post("/sign-out", data={"csrf": token}).status_code == REFUSED


def test_who_sends_a_key_needs_no_token(app: App):
    """No browser adds a key by itself; and one that another site's page sends was known to it."""
    who = here(app)
    headers = {**bearer(keyed(app)), "Origin": "https://dashboard.example"}

    assert who.post(LAUNCH, json=BODY, headers=headers).status_code == LET_THROUGH


def test_a_wrong_key_beside_a_cookie_is_not_made_up_for_by_it(app: App):
    anna = by(app, "visit")
    token = token_of(app, anna, "visit")
    headers = {**bearer("tf_wrong"), HEADER: token}

    assert anna.get(LAUNCH, headers=headers).status_code == 401
    assert anna.post(LAUNCH, json=BODY, headers=headers).status_code == 401


def test_a_name_that_leads_here_from_elsewhere_opens_nothing(app: App):
    """DNS rebinding: the page of evil.example asks evil.example, which is 127.0.0.1 by now."""
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0"):
        answer = here(app).get(LAUNCH, headers={"Host": host})
        assert answer.status_code == 401, host


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"])
def test_a_proxy_on_this_machine_is_not_taken_for_its_user(app: App, name: str):
    assert here(app).get(LAUNCH, headers={name: "203.0.113.9"}).status_code == 401


def test_looking_needs_no_token(app: App):
    anna = by(app, "visit")

    assert anna.get(LAUNCH).status_code == 200
    assert anna.get("/threads", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
