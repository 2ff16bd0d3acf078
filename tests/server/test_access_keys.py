"""Keys over HTTP: what a key opens, and that nothing else does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from server import two_tenants
from server.known import AWAY, LOCAL, Hours, at_hours, bearer, client, keyed, signed_in
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.exceptions import StoreUnavailable
from twelvefold.keys import id_of, new_secret
from twelvefold.server import Principal
from twelvefold.server.access import Entrance, Keys, Loopback, Visits, any_of
from twelvefold.server.access.around import Around
from twelvefold.stores import open_store

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App([], store=tmp_path / "x.db")


def asked(who: TestClient, token: str | None) -> int:
    return who.get("/v1/threads", headers=bearer(token) if token else {}).status_code


def test_a_key_opens_what_its_scopes_say(app: App):
    reads, writes = keyed(app, scopes=["threads:read"]), keyed(app, scopes=["threads:write"])
    who = client(app)

    assert (asked(who, reads), asked(who, writes)) == (200, 403)


def test_a_scope_that_is_not_known_here_opens_nothing(app: App):
    assert asked(client(app), keyed(app, scopes=["threads:*", "all", ""])) == 403


@pytest.mark.parametrize(
    "header",
    [
        "{}",
        "Basic {}",
        "Bearer",
        "Bearer ",
        "Bearer {}x",
        "Bearer {} {}",
        "Bearer {},{}",
        "Token {}",
        "Bearer null",
        "Bearer tf_{}",
        "Bearer \xe9",
    ],
)
def test_what_is_no_key_is_refused_also_where_nothing_would_have_been_taken(app: App, header: str):
    token = keyed(app)
    header = header.format(token, token)

    for ways in (None, any_of(Keys(), Visits(), Loopback())):
        who = client(app, peer=LOCAL, url="http://localhost", access=ways)
        assert (
            who.get("/v1/threads", headers={"Authorization": header.encode("latin-1")}).status_code
            == 401
        )


def test_a_wrong_key_is_not_taken_for_somebody_of_this_machine(tmp_path: Path):
    bare = App([], store=tmp_path / "bare.db")  # without keys: this machine may come in
    who = client(bare, peer=LOCAL, url="http://localhost")

    assert asked(who, None) == 200
    assert asked(who, keyed(App([], store=tmp_path / "other.db"))) == 401


def test_two_keys_at_once_are_refused(app: App):
    token = keyed(app)
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]

    assert client(app).get("/v1/threads", headers=headers).status_code == 401


def test_with_the_first_key_this_machine_is_nobody_any_more(app: App):
    who = client(app, peer=LOCAL, url="http://localhost")
    assert asked(who, None) == 200

    token = keyed(app)
    assert (asked(who, None), asked(who, token)) == (401, 200)

    app.store.revoke_key(str(id_of(token)), datetime.now(UTC))
    assert (asked(who, None), asked(who, token)) == (401, 401)


def test_a_token_to_sign_in_by_ends_nothing_and_opens_no_request(app: App):
    from twelvefold.server.access import one_time_path

    token = one_time_path(app.store, person="anna").partition("=")[2]
    who = client(app, peer=LOCAL, url="http://localhost")

    assert (asked(who, None), asked(who, token)) == (200, 401)


def test_a_key_ends_when_it_says(app: App):
    hours = Hours()
    token = keyed(app, now=hours(), expires_at=hours() + timedelta(hours=1))
    who = at_hours(app, hours)

    assert asked(who, token) == 200
    hours.forward(hours=1)
    assert asked(who, token) == 401


def test_after_a_rotation_both_secrets_open_until_the_date(app: App):
    hours = Hours()
    before = keyed(app)
    id = str(id_of(before))
    after, kept = new_secret(id, chance=b"\7" * 32)
    app.store.rotate_key(id, kept, former_until=hours() + timedelta(days=7))
    who = at_hours(app, hours)

    assert (asked(who, before), asked(who, after)) == (200, 200)
    hours.forward(days=7)
    assert (asked(who, before), asked(who, after)) == (401, 200)


def test_the_last_use_is_written_once_an_hour(app: App):
    hours = Hours()
    token = keyed(app)
    who = at_hours(app, hours)
    seen = []

    for minutes in (0, 59, 1):
        hours.forward(minutes=minutes)
        asked(who, token)
        seen.append(app.store.key(str(id_of(token))).used_at)

    assert seen[0] == seen[1] < seen[2] == hours()


def test_a_refused_key_is_not_used(app: App):
    token = keyed(app)
    id = str(id_of(token))

    asked(client(app), f"{id}.{'x' * 43}")

    assert app.store.key(id).used_at is None


async def test_a_key_says_who_it_is(app: App):
    app.people = lambda tenant: Directory(addresses={"anna": {"email": "a@x.org"}}, people=["anna"])
    of_person = keyed(app, person="A@x.org", tenant="acme", scopes=["threads:read"])
    of_machine = keyed(app)

    assert await principal(app, of_person) == Principal(
        "anna", "anna", "acme", frozenset({"threads:read"}), "key", ambient=False
    )
    machine = await principal(app, of_machine)
    assert (machine.name, machine.person) == (f"key:{id_of(of_machine)}", None)


async def principal(app: App, token: str) -> Principal:
    from starlette.requests import Request

    from twelvefold.server.access import Entrance
    from twelvefold.server.access.around import Around

    header = (b"authorization", f"Bearer {token}".encode())
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [header], "client": AWAY}
    return await Entrance(Around(app)).principal(Request(scope))


def test_whoever_left_the_directory_comes_in_by_no_key(app: App):
    app.people = lambda tenant: Directory(people=["ben"])

    assert asked(client(app), keyed(app, person="ben")) == 200
    answer = client(app).get("/v1/threads", headers=bearer(keyed(app, person="anna")))
    assert answer.status_code == 403
    assert "directory" in answer.json()["detail"]


def test_the_secret_of_a_key_is_in_no_refusal(app: App):
    token = keyed(app, expires_at=datetime.now(UTC) + timedelta(hours=1))
    for wrong in (token[:-1] + "_", token + "x"):
        answer = client(app).get("/v1/threads", headers=bearer(wrong))
        assert token.partition(".")[2][:20] not in answer.text + str(answer.headers)


def test_the_store_is_asked_for_nothing_that_is_no_key(app: App, monkeypatch: pytest.MonkeyPatch):
    keyed(app)
    found: list[str] = []
    monkeypatch.setattr(app.store, "key", lambda id: found.append(id))

    for wrong in ("", "x" * 100_000, "tf_'; drop table twelvefold_keys", "\xe9" * 10):
        header = {"Authorization": f"Bearer {wrong}".encode("latin-1")}
        assert client(app).get("/v1/threads", headers=header).status_code == 401

    assert found == []


async def test_a_key_settles_medium_risk_and_a_visit_high(tmp_path: Path):
    app = two_tenants.application(open_store(str(tmp_path / "risky.db")))
    await two_tenants.peopled(app, with_theirs=False)
    (asked,) = app.inbox(tenant=two_tenants.OURS)
    path = f"/v1/contacts/{asked.ref.id}.{asked.id}/answer"
    said = {"decision": "approve", "digest": asked.data["digest"]}
    token = keyed(app, person="anna", tenant=two_tenants.OURS)

    by_key = client(app).post(path, json=said, headers=bearer(token))
    visitor = client(app)
    signed_in(visitor, app, tenant=two_tenants.OURS)
    csrf = visitor.get("/threads").text.partition('name="csrf" value="')[2].partition('"')[0]
    by_visit = visitor.post(path, json=said, headers={"X-CSRF-Token": csrf})

    assert (by_key.status_code, by_key.json()["type"]) == (
        403,
        "https://twelvefold.dev/problems/not-allowed",
    )
    assert by_visit.status_code == 200, by_visit.text
    vote = [e for e in app.thread(asked.ref.id, tenant=two_tenants.OURS).events][-2]
    assert (vote.type, vote.data["by"], vote.data["assurance"]) == (
        "contact_answered",
        "anna",
        "signed_in",
    )


def test_a_store_that_cannot_write_when_a_key_was_used_answers_all_the_same(
    app: App, monkeypatch: pytest.MonkeyPatch
):
    def locked(id: str, at: datetime) -> None:
        raise StoreUnavailable("locked")

    token = keyed(app)
    monkeypatch.setattr(app.store, "key_used", locked)

    assert asked(client(app), token) == 200


@pytest.mark.parametrize("ends", ["revoked", "expired", "removed", "visit"])
async def test_a_stream_goes_on_as_long_as_whoever_reads_may(ends: str, tmp_path: Path):
    hours, people = Hours(), ["anna", "ben"]
    app = App([], store=tmp_path / "y.db", directory=lambda tenant: Directory(people=people))
    expires = hours.at + timedelta(hours=1) if ends == "expired" else None
    token, other = keyed(app, person="anna", expires_at=expires), keyed(app, person="ben")
    door = Entrance(Around(app, now=hours))
    headers = bearer(token)
    if ends == "visit":
        visitor = client(app, access=door)
        signed = visitor.post("/sign-in", data={"key": token})
        assert signed.status_code == 303, signed.text
        headers = {"Cookie": signed.headers["set-cookie"].partition(";")[0]}
    mine, others = [request_of(given) for given in (headers, bearer(other))]
    assert [(await door.principal(one)).name for one in (mine, others)] == ["anna", "ben"]
    assert await door.lets_in_still(mine)

    if ends == "removed":
        people.remove("anna")
    elif ends == "expired":
        hours.forward(hours=2)
    else:
        app.store.revoke_key(str(id_of(token)), datetime.now(UTC))

    assert [await door.lets_in_still(one) for one in (mine, others)] == [False, True]
    assert (await door.principal(mine)).name == "anna"  # of this request it was said already


def request_of(headers: dict[str, str]) -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": raw, "client": AWAY}
    return Request(scope | {"query_string": b"", "scheme": "http", "server": ("inbox.example", 80)})
