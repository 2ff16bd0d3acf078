"""A proxy that names people: from its addresses alone, and never twice."""

import logging
from pathlib import Path

import pytest
from starlette.requests import Request

from server.known import LOCAL, client, keyed
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.exceptions import ConfigurationError, NotPermitted, NotSignedIn
from twelvefold.server import Principal
from twelvefold.server.access import Entrance, Keys, Loopback, TrustedProxy, Visits, any_of
from twelvefold.server.access.around import Around

pytestmark = pytest.mark.anyio

PEOPLE = Directory(
    addresses={"anna": {"email": "anna@example.com"}, "ben": {}, "gone": {}}, people=["anna", "ben"]
)
OURS = ("10.0.0.7", 4711)


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App([], store=tmp_path / "x.db", directory=lambda tenant: PEOPLE)


def asked(*headers: tuple[str, str], peer: tuple[str, int] | None = OURS) -> Request:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": raw, "client": peer}
    return Request({**scope, "scheme": "http", "server": ("inbox", 80), "query_string": b""})


def door(app: App, **options) -> Entrance:
    options = {"networks": ["10.0.0.7", "fd00::/64"]} | options
    ways = any_of(Keys(), TrustedProxy(**options), Visits(), Loopback())
    return Entrance(Around(app), ways)


USER = "X-Forwarded-User"


@pytest.mark.parametrize("peer", ["10.0.0.7", "::ffff:10.0.0.7", "fd00::1"])
async def test_the_proxy_says_who_it_is_by_name_or_address(app: App, peer: str):
    for name in ("anna", "ANNA@example.com", " anna "):
        who = await door(app).principal(asked((USER, name), peer=(peer, 1)))
        assert who == Principal("anna", "anna")
        assert (who.assurance, who.ambient) == ("signed_in", True)


@pytest.mark.parametrize(
    "peer",
    [
        *("10.0.0.8", "127.0.0.1", "::1", "fd00:0:0:1::1", "", "unix", None),
        *("10.0.0.7%eth0", "0x0a000007", "010.0.0.7", "::ffff:10.0.0.8", "10.0.0.7\n"),
    ],
)
async def test_the_header_from_elsewhere_is_refused_loudly(
    app: App, peer: str | None, caplog: pytest.LogCaptureFixture
):
    request = asked((USER, "anna"), ("Host", "localhost"), peer=None if peer is None else (peer, 1))
    with caplog.at_level(logging.WARNING, "twelvefold.server"), pytest.raises(NotSignedIn):
        await door(app).principal(request)

    assert "no trusted proxy" in caplog.text


async def test_the_header_from_elsewhere_is_refused_whatever_else_is_carried(app: App):
    ways = any_of(Keys(), Visits(), TrustedProxy(networks=["10.0.0.7"]), Loopback())
    who = client(app, access=ways, peer=LOCAL)
    key = {"Authorization": f"Bearer {keyed(app, person='anna')}"}

    assert who.get("/v1/threads", headers=key).status_code == 200
    assert who.get("/v1/threads", headers={**key, USER: "ben"}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        [(USER, "anna"), (USER, "ben")],
        [(USER, "anna, ben")],
        [(USER, "")],
        [(USER, "  ")],
        [(USER, "an\x07na")],
        [(USER, "x" * 201)],
    ],
    ids=["twice", "joined", "empty", "blank", "control", "long"],
)
async def test_a_header_that_names_nobody_or_two_is_refused(app: App, headers):
    with pytest.raises(NotSignedIn, match="must set it to one name"):
        await door(app).principal(asked(*headers))


@pytest.mark.parametrize("name", ["gone", "eve", "anna@example.org"])
async def test_whom_the_directory_does_not_know_does_not_come_in(app: App, name: str):
    with pytest.raises(NotPermitted, match="directory"):
        await door(app).principal(asked((USER, name)))


async def test_the_tenant_comes_from_the_proxy_where_that_says_so(app: App):
    entrance = door(app, tenant_header="X-Tenant", scopes=["threads:read"])

    who = await entrance.principal(asked((USER, "anna"), ("X-Tenant", "acme")))
    assert (who.tenant, who.scopes) == ("acme", frozenset({"threads:read"}))
    for headers in ([(USER, "anna")], [("X-Tenant", "acme")]):
        with pytest.raises(NotSignedIn):
            await entrance.principal(asked(*headers))


async def test_a_request_without_the_header_is_somebody_elses_to_know(app: App):
    way = TrustedProxy(networks=["10.0.0.7"])
    request = asked()

    assert await way.principal(request) is None


@pytest.mark.parametrize(
    "networks", [[], ["0.0.0.0/0"], ["::/0"], ["10.0.0.7/8"], ["proxy.internal"], ["10.0.0.7", ""]]
)
def test_networks_that_are_none_or_everybody_are_refused(networks: list[str]):
    with pytest.raises(ConfigurationError, match="networks"):
        TrustedProxy(networks=networks)
