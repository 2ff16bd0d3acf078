"""Sessions of older clients go on in a process that never met them, and for nobody else."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from mcp.server.mcpserver import Context
from mcp_world import FORMS, INITIALIZE, OLDER, World, older

from server.known import AWAY, PATIENCE_S, Hours, bearer
from twelvefold.mcp import Settings, mount
from twelvefold.mcp.hellos import ID_CHARS_MAX, LASTS, PURPOSE
from twelvefold.mcp.serving import Gateway, Wire
from twelvefold.server import create_app
from twelvefold.server.access.signing import Signing

KEY = "5a" * 32
OTHER_KEY = "a5" * 32
ABLE = {**INITIALIZE, "capabilities": {**FORMS, "experimental": {"ours": {"depth": 3}}}}
ID = "Mcp-Session-Id"


class Process:
    """A server of its own: of the others it has the store, and the key that signs."""

    def __init__(self, world: World, gateway: Gateway, http: TestClient) -> None:
        self.world, self.gateway, self.http = world, gateway, http

    def asks(self, method: str, who: str = "anna", *, params: Any = None, **headers: str) -> Any:
        return older(self.http, self.world.keys[who], method, params or {}, **headers)

    def opened(self, said: Any = INITIALIZE) -> dict[str, str]:
        answer = self.asks("initialize", params=said)
        assert answer.status_code == 200
        return {ID: answer.headers[ID]}

    def pinged(self, session: dict[str, str], who: str = "anna") -> int:
        return self.asks("ping", who, **session).status_code

    def ended(self, session: dict[str, str], who: str = "anna") -> int:
        headers = {**bearer(self.world.keys[who]), **session}
        return self.http.delete("/mcp", headers=headers).status_code

    @property
    def inner(self) -> list[str]:
        """What the SDK has."""
        return list(self.gateway.server.session_manager._server_instances)


@contextmanager
def process(world: World, key: str = KEY, **wire: Any) -> Iterator[Process]:
    served = create_app(world.app, inbox=False, signing_key=key)
    gateway = mount(served, settings=Settings(poll_ms=10, wait_s=0), wire=Wire(**wire))

    @gateway.server.tool(structured_output=False)
    async def known(ctx: Context) -> str:
        """Says what the client said of itself."""
        told = ctx.session.client_params
        assert told is not None
        return json.dumps([ctx.protocol_version, told.model_dump(mode="json", exclude_none=True)])

    with TestClient(served, base_url="http://inbox.example", client=AWAY) as http:
        yield Process(world, gateway, http)


def said(answer: Any) -> Any:
    """The result in a stream of events."""
    [line] = [line for line in answer.text.splitlines() if line.startswith("data:")]
    return json.loads(line.removeprefix("data:"))["result"]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def session(world: World) -> dict[str, str]:
    """Of a process that is gone."""
    with process(world) as first:
        return first.opened(ABLE)


@pytest.fixture
def another(world: World) -> Iterator[Process]:
    with process(world) as found:
        yield found


def test_what_a_client_said_of_itself_is_known_in_another_process(
    world: World, session: dict[str, str], another: Process
):
    answer = another.asks("tools/call", params={"name": "known", "arguments": {}}, **session)
    version, told = json.loads(said(answer)["content"][0]["text"])

    assert answer.headers[ID] == session[ID]
    assert version == told["protocol_version"] == OLDER
    assert told["capabilities"]["elicitation"] is not None
    assert told["capabilities"]["experimental"] == {"ours": {"depth": 3}}
    assert told["client_info"] == INITIALIZE["clientInfo"]


def test_a_session_is_begun_anew_once_for_all_requests_of_a_client(
    session: dict[str, str], another: Process
):
    with ThreadPoolExecutor(4) as many:
        found = list(many.map(lambda _: another.pinged(session), range(8)))

    assert found == [200] * 8
    assert len(another.inner) == 1


@pytest.mark.parametrize("who", ["ben", "eve", "machine"])
def test_an_id_of_somebody_else_opens_nothing_in_a_process_that_never_met_it(
    session: dict[str, str], another: Process, who: str
):
    stolen = another.pinged(session, who)
    ended = another.ended(session, who)

    assert (stolen, ended) == (404, 404)
    assert another.inner == []
    assert another.pinged(session) == 200


def test_an_id_is_no_way_in(session: dict[str, str], another: Process):
    keyless = another.http.post("/mcp", json={}, headers=session)

    assert keyless.status_code == 401
    assert keyless.headers["Content-Type"] == "application/problem+json"


def forged(session: dict[str, str]) -> dict[str, str]:
    """Ids that nobody gave, of somebody who knows how they are made."""
    text, _, mac = session[ID].partition(".")
    fields = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    told = base64.urlsafe_b64encode(json.dumps([*fields[:4], "{}"]).encode()).decode().rstrip("=")
    us, them = Signing(bytes.fromhex(KEY)), Signing(bytes.fromhex(OTHER_KEY))
    return {
        "another text": f"{told}.{mac}",
        "another signature": f"{text}.{mac[::-1]}",
        "no signature": text,
        "of another server": f"{text}.{them.mac(PURPOSE, text)}",
        "of a cookie": f"{text}.{us.mac('visit', text)}",
        "no base64": "~.~",
        "of nothing": ".",
        "not ASCII": "\u00e9.\u00e9",
        "long": f"{text}.{mac}{'x' * ID_CHARS_MAX}",
    }


def test_an_id_that_was_not_given_here_is_unknown(session: dict[str, str], another: Process):
    found = {
        name: another.http.post(
            "/mcp",
            json={},
            headers={**bearer(another.world.keys["anna"]), ID: id.encode("latin-1")},
        ).status_code
        for name, id in forged(session).items()
    }

    assert set(found.values()) == {404}, found
    assert another.inner == []


def test_a_session_that_its_client_ended_is_over_in_every_process(
    world: World, session: dict[str, str], another: Process
):
    assert another.pinged(session) == 200

    with process(world) as third:
        ended = third.ended(session)
        told = third.pinged(session), another.pinged(session), another.ended(session)
    with process(world) as fourth:
        later = fourth.pinged(session)

    assert ended == 200
    assert told == (404, 404, 404)
    assert later == 404


def test_to_end_a_session_ends_no_other_one(session: dict[str, str], another: Process):
    other = another.opened(ABLE)
    another.ended(session)

    assert other != session
    assert another.pinged(other) == 200


def test_a_session_is_over_after_a_while_however_busy():
    hours = Hours()
    world = World(clock=hours)
    with process(world) as first, process(world) as second:
        session = first.opened()
        hours.forward(seconds=LASTS.total_seconds() - 1)
        busy = first.pinged(session), second.pinged(session)
        hours.forward(seconds=1)
        over = first.pinged(session), second.pinged(session)

    assert busy == (200, 200)
    assert over == (404, 404)


def test_an_idle_session_leaves_the_memory_and_comes_back(world: World):
    with process(world, idle_s=0.2) as short:
        session = short.opened(ABLE)
        [before] = short.inner
        until = time.monotonic() + PATIENCE_S
        while short.inner and time.monotonic() < until:
            """The SDK forgets it by itself."""
        back = short.pinged(session)
        after = short.inner

    assert back == 200
    assert before not in after


def test_a_client_that_says_too_much_of_itself_is_known_to_one_process_alone(
    world: World, another: Process
):
    much = {**ABLE, "capabilities": {"experimental": {"ours": {"x": "x" * ID_CHARS_MAX}}}}
    with process(world) as first:
        session = first.opened(much)
        there, stolen = first.pinged(session), first.pinged(session, "ben")

    assert (there, stolen) == (200, 404)
    assert another.pinged(session) == 404


def test_the_limit_of_sessions_holds_for_those_of_other_processes(world: World):
    with ExitStack() as gone:
        first = gone.enter_context(process(world))
        sessions = [first.opened() for _ in range(2)]
    with process(world) as second:
        second.pinged(sessions[0])
        second.gateway.server.session_manager.max_sessions = 1
        found = second.pinged(sessions[1]), second.asks("initialize", params=INITIALIZE).status_code

    assert found == (404, 503)
