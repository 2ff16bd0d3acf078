"""Guessing is slowed, floods and large bodies are refused, and nobody is locked out by others."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from server.known import AWAY, PATIENCE_S, bearer, client, keyed, running, signed_in
from server.visiting import begun, office
from twelvefold.app import App
from twelvefold.exceptions import TooManyRequests
from twelvefold.keys import id_of
from twelvefold.server import Principal
from twelvefold.server.access import Entrance, Rates, rates
from twelvefold.server.access.around import Around

LIST = "/v1/threads"


class Ticks:
    """Seconds that tests count."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App([], store=tmp_path / "x.db")


def slowed(app: App, ticks: Ticks, *, peer: tuple[str, int] = AWAY, **limits: int) -> TestClient:
    return client(app, access=Entrance(Around(app), rates=Rates(now=ticks, **limits)), peer=peer)


def tried(who: TestClient, token: str) -> int:
    return who.get(LIST, headers=bearer(token)).status_code


def test_guessing_is_slowed_and_the_answer_says_for_how_long(app: App):
    ticks = Ticks()
    keyed(app)
    thief = slowed(app, ticks, failures_per_minute_max=3)
    guesses = [f"tf_{'a' * 16}.{n:043}" for n in range(9)]

    assert [tried(thief, guess) for guess in guesses[:5]] == [401, 401, 401, 429, 429]
    answer = thief.get(LIST, headers=bearer(guesses[5]))
    assert answer.headers["retry-after"] == "20"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/too-many-requests")
    ticks.at += 20
    assert [tried(thief, guess) for guess in guesses[6:]] == [401, 429, 429]


def test_the_right_key_is_not_found_out_by_guessing_on(app: App):
    """A guess that is refused with 429 was not looked at, so it says nothing."""
    right, ticks = keyed(app), Ticks()
    thief = slowed(app, ticks, failures_per_minute_max=1)

    assert [tried(thief, "tf_wrong"), tried(thief, right)] == [401, 429]


def test_who_was_right_a_moment_ago_still_comes_in_beside_a_thief(app: App):
    right, ticks = keyed(app), Ticks()
    both = slowed(app, ticks, failures_per_minute_max=1)

    assert [tried(both, right), tried(both, "tf_no"), tried(both, "tf_no")] == [200, 401, 429]
    assert tried(both, right) == 200


def test_a_key_that_was_right_is_slowed_when_it_is_so_no_more(app: App):
    right, ticks = keyed(app), Ticks()
    who = slowed(app, ticks, failures_per_minute_max=1)
    assert tried(who, right) == 200
    app.store.revoke_key(str(id_of(right)), datetime.now(UTC))

    assert [tried(who, right), tried(who, right)] == [401, 429]


def test_links_and_the_sign_in_form_are_slowed_as_well(app: App):
    thief = slowed(app, Ticks(), failures_per_minute_max=2)

    codes = [thief.get(f"/sign-in?token=tf_{n}").status_code for n in range(2)]
    codes += [thief.post("/sign-in", data={"key": "tf_x"}).status_code]
    codes += [thief.get("/sign-in?token=tf_y").status_code]
    assert codes == [401, 401, 429, 429]


def test_addresses_are_slowed_each_for_itself_and_an_ipv6_network_as_one(app: App):
    counted = Rates(now=Ticks(), failures_per_minute_max=1)

    def asked(host: str) -> Request:
        return Request({"type": "http", "headers": [], "client": (host, 1)})

    def is_slowed(host: str) -> bool:
        try:
            counted.refuse_guessing(asked(host), "another guess")
        except TooManyRequests:
            return True
        return False

    for host in ("203.0.113.9", "2001:db8::1"):
        counted.failed(asked(host), "a guess")
    assert [is_slowed(h) for h in ("203.0.113.9", "203.0.113.8")] == [True, False]
    assert [is_slowed(h) for h in ("2001:db8::ffff", "2001:db8:0:1::1")] == [True, False]


def test_a_principal_that_asks_too_often_waits_and_others_do_not(app: App):
    ticks = Ticks()
    anna, ben = keyed(app, person="anna"), keyed(app, person="ben")
    both = slowed(app, ticks, requests_per_minute_max=2)

    assert [tried(both, anna) for _ in range(3)] == [200, 200, 429]
    assert tried(both, ben) == 200
    assert both.get(LIST, headers=bearer(anna)).headers["retry-after"] == "30"
    ticks.at += 30
    assert [tried(both, anna) for _ in range(2)] == [200, 429]


def test_a_person_is_one_by_however_many_keys_and_another_in_another_tenant(app: App):
    who = slowed(app, Ticks(), requests_per_minute_max=1)
    keys = [keyed(app, person="anna"), keyed(app, person="anna")]

    assert [tried(who, key) for key in keys] == [200, 429]
    assert tried(who, keyed(app, person="anna", tenant="acme")) == 200


def test_what_is_remembered_of_strangers_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rates, "REMEMBERED_MAX", 3)
    counted = Rates(now=Ticks())
    for n in range(10):
        request = Request({"type": "http", "headers": [], "client": (f"10.0.0.{n}", 1)})
        counted.failed(request, "x")
        counted.succeeded(request, f"{n}")
        counted.count(Principal(f"p{n}"))

    held = (counted._failures._left, counted._requests._left, counted._right)
    assert [len(each) for each in held] == [3, 3, 3]


def test_the_limits_are_options_of_the_server(app: App):
    keyed(app)
    who = client(app, failures_per_minute_max=1, requests_per_minute_max=1)
    right = keyed(app)

    assert [tried(who, right), tried(who, right), tried(who, "tf_"), tried(who, "tf_")] == [
        200,
        429,
        401,
        429,
    ]


# Bodies


def chunks(size: int) -> Iterator[bytes]:
    """A body without a length."""
    for _ in range(size // 1000):
        yield b"x" * 1000


FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@pytest.mark.parametrize(
    ("path", "content"),
    [(LIST, JSON), ("/v1/contacts/t.s1.1/answer", JSON), ("/sign-in", FORM)],
)
def test_a_body_that_says_nothing_of_its_size_ends_at_the_limit(app: App, path: str, content: str):
    key = {} if content == FORM else bearer(keyed(app, person="anna"))
    who = client(app, body_bytes_max=10_000, headers=key)

    answer = who.post(path, content=chunks(50_000), headers={"Content-Type": content})

    assert answer.status_code == 413
    assert "set-cookie" not in answer.headers


def test_a_form_that_a_visit_sends_ends_at_the_limit_too(app: App):
    anna = client(app, body_bytes_max=10_000)
    signed_in(anna, app)

    answer = anna.post("/sign-out", content=chunks(50_000), headers={"Content-Type": FORM})

    assert answer.status_code == 413


def test_a_body_that_lies_about_its_size_ends_at_the_limit(app: App):
    who = client(app, body_bytes_max=10_000)
    headers = {"Content-Length": "5", "Content-Type": "application/x-www-form-urlencoded"}

    answer = who.post("/sign-in", content=b"key=" + b"x" * 20_000, headers=headers)

    assert answer.status_code == 413


def test_a_body_of_the_largest_size_is_read(app: App):
    who = client(app, body_bytes_max=10_000)
    body = b"key=" + b"x" * 9_996
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    assert who.post("/sign-in", content=body, headers=headers).status_code == 401
    assert who.post("/sign-in", content=body + b"x", headers=headers).status_code == 413


def test_headers_without_end_are_refused(app: App):
    with running(app) as url, socket.create_connection(parts(url), timeout=PATIENCE_S) as line:
        line.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        said = b""
        for n in range(100):
            try:
                line.sendall(b"X-%d: %s\r\n" % (n, b"x" * 1000))
            except OSError:  # it has hung up
                break
        with suppress(OSError):
            said = line.recv(1000)

    assert b"200 OK" not in said


def parts(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def test_a_form_of_very_many_fields_or_files_is_refused(app: App):
    who = client(app)

    many = "&".join(f"f{n}=" for n in range(5000))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    files = [("file", (f"{n}", b"x")) for n in range(1500)]
    assert who.post("/sign-in", content=many, headers=headers).status_code in (400, 413)
    assert who.post("/sign-in", files=files).status_code in (400, 413)


def test_guessing_at_links_is_slowed_and_keeps_nobody_from_another_thread(tmp_path: Path):
    ticks = Ticks()
    with office(tmp_path) as app:
        one, two = (app.sync.link(begun(app, "note", name=name), "anna") for name in ("a", "b"))
        thief = slowed(app, ticks, failures_per_minute_max=3)
        name = one.partition("~")[0]

        def opened(token: str) -> int:
            return thief.get(f"/h/{token}").status_code

        at_a_thread = [opened(f"{name}~{n:032x}") for n in range(5)]
        at_none = [opened(f"x{n}.s1.1~{n:032x}") for n in range(4)] + [opened("nothing")]
        sent = thief.post(f"/h/{name}~{7:032x}", data={"decision": "approve"})

        assert at_a_thread == [404, 404, 404, 429, 429]
        assert at_none == [404, 404, 404, 429, 429]
        assert (sent.status_code, sent.headers["retry-after"]) == (429, "20")
        assert (opened(two), opened(one)) == (200, 429)
        ticks.at += 20
        assert opened(one) == 200
        assert [opened(f"{name}~{n:032x}") for n in range(2)] == [404, 429]
        assert opened(one) == 200  # it was right a moment ago


def test_guessing_at_links_takes_nothing_from_who_has_a_key(app: App):
    token, ticks = keyed(app), Ticks()
    who = slowed(app, ticks, failures_per_minute_max=2)

    assert [who.get(f"/h/x.s1.1~{n:032x}").status_code for n in range(3)] == [404, 404, 429]
    assert tried(who, token) == 200
