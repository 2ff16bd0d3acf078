"""Visits: signing in by a link or a key, and what a cookie is worth."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI

from server.known import INBOX, LOCAL, Hours, at_hours, client, cookie_of, keyed, signed_in
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.keys import id_of, new_secret
from twelvefold.server import create_app, router
from twelvefold.server.access import one_time_path
from twelvefold.server.access.signing import Signing
from twelvefold.server.access.visits import IDLE_MAX, PURPOSE, VISIT_MAX
from twelvefold.stores import open_store


@pytest.fixture
def app(tmp_path: Path) -> App:
    found = App([], store=tmp_path / "x.db")
    keyed(found)  # so that nobody comes in for being on this machine
    return found


LIST = "/v1/threads"


# The link


def test_a_link_signs_in_once_and_leaves_no_token_in_the_address(app: App):
    path = one_time_path(app.store, person="anna")
    anna, thief = client(app), client(app)

    answer = anna.get(path)

    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")
    assert path.partition("=")[2] not in str(answer.headers) + answer.text
    assert anna.get(LIST).status_code == 200
    again = thief.get(path)
    assert again.status_code == 401
    assert "was used before" in again.text
    assert "set-cookie" not in again.headers
    assert thief.get(LIST).status_code == 401


def test_a_link_used_before_stays_used_when_the_server_starts_anew(app: App, tmp_path: Path):
    path = one_time_path(app.store, person="anna")
    client(app).get(path)
    app.close()

    assert client(App([], store=tmp_path / "x.db")).get(path).status_code == 401


def test_a_link_ends_by_itself(app: App):
    hours = Hours()
    path = one_time_path(app.store, person="anna", now=hours())
    hours.forward(minutes=15)

    answer = at_hours(app, hours).get(path)

    assert answer.status_code == 401
    assert "twelvefold dev" in answer.text


def test_a_link_of_another_server_and_a_key_are_no_links(app: App, tmp_path: Path):
    other = App([], store=tmp_path / "other.db")
    for path in (one_time_path(other.store), f"/sign-in?token={keyed(app)}", "/sign-in?token="):
        answer = client(app).get(path)
        assert answer.status_code == 401
        assert "is not one of this server" in answer.text or "used before" in answer.text


def test_links_that_are_over_are_forgotten(app: App):
    old = datetime.now(UTC) - timedelta(days=1)
    gone = str(id_of(one_time_path(app.store, now=old).partition("=")[2]))

    one_time_path(app.store)

    assert app.store.key(gone) is None


def test_a_browser_that_only_looks_ahead_does_not_use_the_link_up(app: App):
    path = one_time_path(app.store, person="anna")

    ahead = client(app).get(path, headers={"Sec-Purpose": "prefetch;prerender"})

    assert (ahead.status_code, ahead.headers.get("set-cookie")) == (204, None)
    assert client(app).get(path).status_code == 303
    assert client(app).head(path).status_code == 405


# The cookie


def test_the_cookie_is_for_this_server_alone(app: App):
    cookie = cookie_of(signed_in(client(app), app))

    assert {"httponly", "samesite", "path", "max-age"} <= set(cookie)
    assert (cookie["samesite"], cookie["path"]) == ("Lax", "/")
    assert int(cookie["max-age"]) == IDLE_MAX.total_seconds()
    assert "secure" not in cookie
    assert "domain" not in cookie


def test_the_cookie_is_for_https_where_people_come_by_it(app: App):
    by_itself = client(app, url="https://inbox.example")
    by_a_proxy = client(app, https=True)

    assert "secure" in cookie_of(signed_in(by_itself, app))
    assert "secure" in cookie_of(signed_in(by_a_proxy, app))


@pytest.mark.parametrize("how", ["mounted", "included"])
def test_the_cookie_goes_nowhere_else_in_the_application_around(app: App, how: str):
    theirs = FastAPI()
    if how == "mounted":
        theirs.mount("/agents", create_app(app))
    else:
        theirs.include_router(router(app, prefix="/agents"))
    from fastapi.testclient import TestClient

    visitor = TestClient(theirs, base_url=INBOX, follow_redirects=False)
    answer = visitor.get("/agents" + one_time_path(app.store, person="anna"))

    assert answer.headers["location"] == "/agents/inbox"
    assert cookie_of(answer)["path"] == "/agents"
    assert visitor.get("/agents/v1/threads").status_code == 200


FORGED = {
    "id": "0" * 32,
    "person": "anna",
    "tenant": "default",
    "began": "2026-11-20T09:55:33.123456Z",
    "seen": "2026-11-20T09:55:33.123456Z",
    "key": "",
    "secret": "",
}


def worn(app: App, name: str, value: str) -> int:
    return client(app).get(LIST, headers={"Cookie": f"{name}={value}"}).status_code


def test_a_forged_cookie_is_no_cookie(app: App, tmp_path: Path):
    cookie = cookie_of(signed_in(client(app), app))
    name, value = cookie["name"], cookie["value"]
    text, _, mac = value.partition(".")
    forged = base64.urlsafe_b64encode(json.dumps(FORGED).encode()).decode().rstrip("=")
    foreign = Signing(b"\7" * 32).mac(PURPOSE, text)
    other_use = Signing(bytes.fromhex((tmp_path / "x.db.signing-key").read_text()))

    assert worn(app, name, value) == 200
    wrong = [
        f"{forged}.{mac}",
        f"{forged}.",
        forged,
        f"{text}.",
        f"{text}.{foreign}",
        f"{text}.{other_use.mac('form', text)}",
        f"{text}.{mac[:-1]}",
        f"{text}.{mac[:-1]}{'A' if mac[-1] != 'A' else 'B'}",
        f"{text}=.{mac}",
        f".{mac}",
        "." * 3000,
        "",
    ]
    assert [value for value in wrong if worn(app, name, value) != 401] == []
    assert worn(app, "twelvefold_visit", value) == 401


def test_who_is_in_the_cookie_cannot_be_changed(app: App):
    cookie = cookie_of(signed_in(client(app), app, "anna"))
    text, _, mac = cookie["value"].partition(".")
    held = json.loads(base64.urlsafe_b64decode(text + "=="))
    held["person"] = "olga"
    changed = base64.urlsafe_b64encode(json.dumps(held).encode()).decode().rstrip("=")

    assert worn(app, cookie["name"], f"{changed}.{mac}") == 401


def test_a_cookie_of_another_server_on_this_machine_is_not_in_the_way(app: App, tmp_path: Path):
    other = App([], store=tmp_path / "other.db")
    theirs = cookie_of(signed_in(client(other), other))
    ours = cookie_of(signed_in(client(app), app))

    assert theirs["name"] != ours["name"]
    assert worn(app, theirs["name"], theirs["value"]) == 401
    assert worn(app, ours["name"], theirs["value"]) == 401


def test_a_visit_ends_when_nobody_comes(app: App):
    hours = Hours()
    anna = at_hours(app, hours)
    signed_in(anna, app)

    hours.forward(hours=11.9)
    assert anna.get(LIST).status_code == 200
    hours.forward(hours=12)
    assert anna.get(LIST).status_code == 401


def test_a_visit_is_renewed_while_it_is_used_and_ends_after_a_week_all_the_same(app: App):
    hours = Hours()
    anna = at_hours(app, hours)
    first = cookie_of(signed_in(anna, app))
    hours.forward(minutes=10)
    assert "set-cookie" not in anna.get(LIST).headers
    hours.forward(minutes=50)
    second = cookie_of(anna.get(LIST))
    assert second["name"] == first["name"]
    assert second["value"] != first["value"]

    spent = timedelta(hours=1)
    while spent < VISIT_MAX - timedelta(hours=10):
        hours.forward(hours=10)
        spent += timedelta(hours=10)
        assert anna.get(LIST).status_code == 200
    hours.forward(hours=10)
    assert anna.get(LIST).status_code == 401


def test_signing_in_begins_another_visit_whatever_was_carried(app: App):
    anna = client(app)
    first = cookie_of(signed_in(anna, app))

    second = cookie_of(signed_in(anna, app, "ben"))

    assert first["value"] != second["value"]


def test_a_cookie_outlives_the_process_but_not_the_signing_key(app: App, tmp_path: Path):
    cookie = cookie_of(signed_in(client(app), app))
    name, value = cookie["name"], cookie["value"]
    kept = tmp_path / "x.db.signing-key"

    assert kept.stat().st_mode & 0o777 == 0o600
    assert worn(App([], store=tmp_path / "x.db"), name, value) == 200
    kept.unlink()
    assert worn(App([], store=tmp_path / "x.db"), name, value) == 401


def test_who_left_the_directory_visits_no_more(app: App):
    people = ["anna"]
    app.people = lambda tenant: Directory(people=people)
    anna = client(app)
    signed_in(anna, app)
    assert anna.get(LIST).status_code == 200

    people.remove("anna")
    assert anna.get(LIST).status_code == 403


# A key, typed into the form


def typed(app: App, token: str, **more: str):
    visitor = client(app)
    return visitor, visitor.post("/sign-in", data={"key": token, **more})


def test_a_key_of_a_person_signs_in(app: App):
    anna, answer = typed(app, keyed(app, person="anna", scopes=["threads:read"]), after="/threads")

    assert (answer.status_code, answer.headers["location"]) == (303, "/threads")
    assert anna.get(LIST).status_code == 200
    assert anna.post(LIST, json={}).status_code == 403  # not without the token of a form


@pytest.mark.parametrize("what", ["a machine's", "revoked", "expired", "wrong", "", "a link's"])
def test_any_other_key_signs_nobody_in(app: App, what: str):
    hours = Hours()
    past = hours() - timedelta(days=2)
    token = keyed(app, person=None if what == "a machine's" else "anna", now=past)
    if what == "revoked":
        app.store.revoke_key(str(id_of(token)), hours())
    elif what == "expired":
        token = keyed(app, person="anna", now=past, expires_at=past + timedelta(days=1))
    elif what == "a link's":
        token = one_time_path(app.store, person="anna").partition("=")[2]
    elif what != "a machine's":
        token = token[:-3] + "xyz" if what else ""

    visitor, answer = typed(app, token)

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert visitor.get(LIST).status_code == 401
    assert not token or token not in answer.text


def test_a_visit_ends_with_the_secret_that_began_it(app: App):
    hours = Hours()
    token = keyed(app, person="anna")
    id = str(id_of(token))
    anna = at_hours(app, hours)
    anna.post("/sign-in", data={"key": token})
    assert anna.get(LIST).status_code == 200

    _, rotated = new_secret(id, chance=b"\7" * 32)
    app.store.rotate_key(id, rotated, former_until=hours() + timedelta(hours=1))
    assert anna.get(LIST).status_code == 200
    hours.forward(hours=1)
    assert anna.get(LIST).status_code == 401


def test_a_visit_ends_with_its_key(app: App):
    token = keyed(app, person="anna")
    anna, _ = typed(app, token)
    assert anna.get(LIST).status_code == 200

    app.store.revoke_key(str(id_of(token)), datetime.now(UTC))
    assert anna.get(LIST).status_code == 401


@pytest.mark.parametrize(
    "after",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\evil",
        "javascript:alert(1)",
        "/ok\r\nSet-Cookie: a=b",
        "/\t/evil.example",
        "evil",
        "",
        "/sign-in",
        "/sign-out",
        "/%0a /x",
    ],
)
def test_signing_in_leads_nowhere_else(app: App, after: str):
    _, answer = typed(app, keyed(app, person="anna"), after=after)

    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://inbox.example.evil.example"},
    ],
)
def test_another_site_signs_nobody_in_as_somebody_else(app: App, headers: dict[str, str]):
    answer = client(app).post("/sign-in", data={"key": keyed(app, person="eve")}, headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_signing_out_makes_the_browser_forget(app: App):
    anna = client(app)
    signed_in(anna, app)
    assert anna.post("/sign-out").status_code == 403

    field = anna.get("/threads").text.partition('name="csrf" value="')[2].partition('"')[0]
    answer = anna.post("/sign-out", data={"csrf": field})

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert cookie_of(answer)["max-age"] == "0"
    assert anna.get(LIST).status_code == 401


# The page


def test_a_page_for_somebody_unknown_says_how_to_get_in_and_goes_on_there(app: App):
    answer = client(app).get("/threads?status=waiting")

    assert answer.status_code == 401
    for word in ("twelvefold dev", "proxy", "key"):
        assert word in answer.text
    assert 'name="after" value="/threads?status=waiting"' in answer.text


def test_this_machine_signs_in_by_a_link_too(tmp_path: Path):
    bare = App([], store=tmp_path / "bare.db")
    anna = client(bare, peer=LOCAL, url="http://localhost")
    signed_in(anna, bare)

    assert anna.get(LIST).status_code == 200
    assert open_store(str(tmp_path / "bare.db")).has_keys() is False
