"""No request tells anything of another tenant: every route, foreign ids, cursors and keys.

A foreign id is answered exactly like one that is not there; and all that is answered is the same
as on a server where the other tenant does not exist.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server import two_tenants
from server.known import keyed
from server.two_tenants import (
    ABSENT,
    FOREIGN,
    OURS,
    OWN,
    SECRET,
    THEIRS,
    Asking,
    Operation,
    all_of_theirs,
    application,
    asking,
    made_up,
    operations,
    peopled,
    said,
    with_ids_of,
)
from twelvefold.app import App
from twelvefold.exceptions import UnknownThread
from twelvefold.server.principal import SCOPES
from twelvefold.store import EmbeddedStore, ThreadRow
from twelvefold.stores import open_store
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio

ALL = operations(application(MemoryStore()))
DESCRIBED = [one for one in ALL if one.spec]
GUARDED = [one for one in ALL if not one.is_open]
ABOUT = [one for one in ALL if one.is_about_a_tenant]
LISTS = [one for one in DESCRIBED if one.method == "GET" and "cursor" in one.takes("query")]
ONCE = [one for one in DESCRIBED if "idempotency-key" in one.takes("header")]
UNREACHED = {400, 404, 405, 413, 415, 422}
"""What says nothing of a route that was asked for what is there."""


@pytest.fixture(params=["sqlite", "postgres"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    found = application(store_of(request, tmp_path / "two.db"))
    yield found
    found.close()


@pytest.fixture
def without(tmp_path: Path) -> Iterator[App]:
    """The same server, where the other tenant never was."""
    found = application(open_store(str(tmp_path / "one.db")))
    yield found
    found.close()


def store_of(request: pytest.FixtureRequest, path: Path) -> EmbeddedStore:
    if request.param == "sqlite":
        return open_store(str(path))
    return open_store(request.getfixturevalue("postgres_url"))


def anna(app: App, **options: Any) -> str:
    return keyed(app, person="anna", **{"tenant": OURS} | options)


def test_there_are_routes_of_every_kind():
    assert len(DESCRIBED) > 20
    assert len(ALL) - len(DESCRIBED) > 10
    assert len(ABOUT) > 15
    assert len(LISTS) >= 3
    assert len(ONCE) >= 8


# Foreign ids


async def test_a_foreign_id_is_answered_like_one_that_is_not_there(app: App):
    await peopled(app, with_theirs=True)
    key, before = anna(app), all_of_theirs(app)
    async with asking(app) as ask:
        for operation in ABOUT:
            foreign = await ask(operation, FOREIGN, key)
            absent = await ask(operation, ABSENT, key)
            assert foreign.status_code == 404, operation
            assert said(foreign, id=FOREIGN) == said(absent, id=ABSENT), operation

    assert all_of_theirs(app) == before
    assert len(before) == 2


@pytest.mark.parametrize("operation", ABOUT, ids=str)
async def test_the_same_request_reaches_what_is_ones_own(operation: Operation):
    """Else the test above would prove nothing of it. Give a field of its body a value in VALUES."""
    app = application(MemoryStore())
    await peopled(app, with_theirs=False)
    async with asking(app) as ask:
        answer = await ask(operation, OWN, anna(app))

    by_form = not operation.spec and answer.status_code == 422
    assert answer.status_code not in UNREACHED or by_form, f"{operation}: {answer.text}"


async def test_an_id_in_a_body_names_nothing_of_another_tenant(app: App, without: App):
    await peopled(app, with_theirs=True)
    await peopled(without, with_theirs=False)
    before, bodies = all_of_theirs(app), 0
    async with asking(app) as ask, asking(without) as alone:
        for operation in DESCRIBED:
            for body in with_ids_of(operation, FOREIGN):
                bodies += 1
                both = [
                    said(await each(operation, OWN, anna(of), body=body))
                    for each, of in ((ask, app), (alone, without))
                ]
                assert both[0] == both[1], operation

    assert all_of_theirs(app) == before
    assert bodies >= 1


# Lists, cursors and keys of requests


async def pages(ask: Asking, operation: Operation, thread: str, key: str, **query: Any) -> Any:
    answer = await ask(operation, thread, key, params={"limit": 1, **query})
    return answer


async def test_a_foreign_cursor_shows_nothing_of_another_tenant(app: App, without: App):
    await peopled(app, with_theirs=True)
    await peopled(without, with_theirs=False)
    ours, theirs, alone_key = anna(app), anna(app, tenant=THEIRS), anna(without)
    async with asking(app) as ask, asking(without) as alone:
        for operation in LISTS:
            cursor = (await pages(ask, operation, FOREIGN, theirs)).json()["next_cursor"]
            if cursor is None:
                assert operation.is_about_a_tenant, f"{operation} has one page of two rows"
                continue
            used = await pages(ask, operation, OWN, ours, cursor=cursor)
            alike = await pages(alone, operation, OWN, alone_key, cursor=cursor)
            assert said(used, id=FOREIGN) == said(alike, id=FOREIGN), operation
            assert SECRET not in used.text


async def test_everything_is_as_if_the_other_tenant_were_not_there(app: App, without: App):
    await peopled(app, with_theirs=True)
    await peopled(without, with_theirs=False)
    keys = {id(app): anna(app), id(without): anna(without)}
    async with asking(app) as ask, asking(without) as alone:
        for operation in (one for one in DESCRIBED if one.path.startswith("/v1/")):
            both = [
                said(await each(operation, OWN, keys[id(of)]))
                for each, of in ((ask, app), (alone, without))
            ]
            assert both[0] == both[1], operation


async def test_no_page_holds_a_word_of_another_tenant(app: App):
    await peopled(app, with_theirs=True)
    key, seen = anna(app), 0
    async with asking(app) as ask:
        for operation in (one for one in ALL if not one.spec and one.method == "GET"):
            answer = await ask(operation, OWN, key)
            if answer.status_code == 200:
                seen += 1
                for word in (SECRET, FOREIGN, THEIRS):
                    assert word not in answer.text, operation

    assert seen >= 6


async def test_the_key_of_a_request_means_nothing_to_another_tenant(app: App, without: App):
    await peopled(app, with_theirs=True)
    await peopled(without, with_theirs=False)
    once = {"Idempotency-Key": "shared-by-two"}
    ours, theirs, alone_key = anna(app), anna(app, tenant=THEIRS), anna(without)
    async with asking(app) as ask, asking(without) as alone:
        for operation in ONCE:
            await ask(operation, FOREIGN, theirs, headers=once)
            used = await ask(operation, OWN, ours, headers=once)
            alike = await alone(operation, OWN, alone_key, headers=once)
            assert said(used) == said(alike), operation


# Nobody, and too little


async def test_nobody_is_let_in_anywhere():
    app = application(MemoryStore())
    await peopled(app, with_theirs=False)
    anna(app)
    async with asking(app) as ask:
        for operation in GUARDED:
            answer = await ask(operation, OWN, None)
            assert answer.status_code == 401 or is_a_way_in(operation, answer), operation
            if operation.spec:
                assert answer.headers["content-type"] == "application/problem+json"


def is_a_way_in(operation: Operation, answer: Any) -> bool:
    """The first page leads on to one that asks who it is."""
    return operation.path == "/" and answer.status_code == 303


async def test_what_is_open_is_open_and_nothing_else():
    """A route that is added is guarded, or named in OPEN."""
    app = application(MemoryStore())
    anna(app)
    paths = {one.path for one in ALL if one.is_open}
    async with asking(app) as ask:
        answers = [(one, await ask(one, OWN, None)) for one in ALL if one.is_open]

    assert paths >= {"/livez", "/readyz", "/v1/problems", "/sign-in", "/h/{token}"}
    for operation, answer in answers:
        own_proof = operation.path.startswith(("/h/", "/v1/triggers/", "/sign-in", "/static/"))
        assert answer.status_code == 200 or own_proof, operation


@pytest.mark.parametrize("operation", [one for one in GUARDED if one.spec], ids=str)
async def test_one_scope_opens_a_route_and_all_others_do_not(operation: Operation):
    app = application(MemoryStore())
    await peopled(app, with_theirs=False)
    opens: list[str] = []
    async with asking(app) as ask:
        for scope in sorted(SCOPES):
            answer = await ask(operation, ABSENT, anna(app, scopes=[scope]))
            if answer.status_code != 403:
                opens.append(scope)
        refused = await ask(operation, ABSENT, anna(app, scopes=SCOPES - set(opens)))
        none = await ask(operation, ABSENT, anna(app, scopes=[]))

    assert len(opens) == 1, opens
    assert opens[0].endswith(":read") == (operation.method == "GET")
    for answer in (refused, none):
        assert answer.status_code == 403
        assert opens[0] in answer.text


async def test_a_page_needs_its_scope_too():
    app = application(MemoryStore())
    await peopled(app, with_theirs=False)
    async with asking(app) as ask:
        for operation in (one for one in GUARDED if not one.spec):
            if operation.path in ("/", "/sign-out"):
                continue
            answer = await ask(operation, OWN, anna(app, scopes=[]))
            assert answer.status_code == 403, operation


async def test_a_machine_decides_nothing(app: App):
    await peopled(app, with_theirs=False)
    machine = keyed(app, tenant=OURS)
    asked = [o for o in ALL if "contact_id" in o.names and o.method == "POST"]
    deciding = [operation for operation in asked if not operation.path.endswith("/remind")]
    before = app.thread(OWN, tenant=OURS).events
    async with asking(app) as ask:
        for operation in deciding:
            answer = await ask(operation, OWN, machine)
            by_form = not operation.spec and answer.status_code == 422  # which shows it again
            assert answer.status_code == 403 or by_form, (operation, answer.text)

    assert len(deciding) >= 3
    assert app.thread(OWN, tenant=OURS).events == before


# What the requests are made of


def test_a_path_parameter_that_nobody_knows_is_noticed():
    with pytest.raises(KeyError, match="order_id"):
        Operation("GET", "/v1/orders/{order_id}").at(OWN)


def test_a_shape_that_nobody_can_make_up_is_noticed():
    with pytest.raises(AssertionError, match="'tuple'"):
        made_up({"type": "tuple"}, {})


class Everywhere(MemoryStore):
    """A store that forgets whose a thread is."""

    def thread_row(self, thread_id: str, *, tenant: str = OURS) -> ThreadRow:
        try:
            return super().thread_row(thread_id, tenant=tenant)
        except UnknownThread:
            return super().thread_row(thread_id, tenant=THEIRS)


async def test_a_store_that_forgets_whose_a_thread_is_does_not_pass():
    app = application(Everywhere())
    await peopled(app, with_theirs=True)
    key = anna(app)
    async with asking(app) as ask:
        differs = [
            str(operation)
            for operation in ABOUT
            if operation.method == "GET"
            and said(await ask(operation, FOREIGN, key), id=FOREIGN)
            != said(await ask(operation, ABSENT, key), id=ABSENT)
        ]

    assert "GET /v1/threads/{thread_id}" in differs


def test_a_leak_is_noticed():
    """The comparison sees one character more, and one header."""
    plain = httpx.Response(404, text=f"no {ABSENT}")
    for other in (
        httpx.Response(403, text=f"no {FOREIGN}"),
        httpx.Response(404, text=f"no {FOREIGN}."),
        httpx.Response(404, text=f"no {FOREIGN}", headers={"ETag": '"3"'}),
    ):
        assert said(other, id=FOREIGN) != said(plain, id=ABSENT)
    assert said(httpx.Response(404, text=f"no {FOREIGN}"), id=FOREIGN) == said(plain, id=ABSENT)
    assert two_tenants.OPEN.fullmatch("/v1/threads") is None
