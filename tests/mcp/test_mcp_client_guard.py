"""Where requests to a server may go, those that the server itself suggests included."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import OAuthClientMetadata
from mcp_apart import tools_of

from twelvefold.exceptions import TwelvefoldError, Unreachable, UrlRefused
from twelvefold.guard import Rules
from twelvefold.mcp.client import Http
from twelvefold.mcp.client.guarded import http_client

pytestmark = pytest.mark.anyio

Answer = Callable[[Any], None]


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """A web server on loopback, and the paths that were asked of it."""
    asked: list[str] = []

    class Web(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.do_GET()

        def do_GET(self) -> None:
            asked.append(self.path)
            answer(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def reply(web: Any, status: int, body: bytes = b"", **headers: str) -> None:
    web.send_response(status)
    for name, value in {"content-length": str(len(body)), **headers}.items():
        web.send_header(name.replace("_", "-"), value)
    web.end_headers()
    web.wfile.write(body)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/mcp",
        "ftp://example.com/mcp",
        "https://me:secret@example.com/mcp",
        "https://0x7f000001/mcp",
        "https://exa mple.com/mcp",
        "file:///etc/passwd",
    ],
)
def test_a_url_that_leads_nowhere_public_is_refused_when_it_is_given(url: str):
    with pytest.raises(UrlRefused):
        Http(url)


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/mcp", "https://10.0.0.1/mcp", "https://[fd00::1]:8443/mcp"]
)
async def test_an_address_inside_is_refused_before_anything_is_sent(url: str, tmp_path: Path):
    with pytest.raises(Unreachable, match="which is"):
        await tools_of(tmp_path, Http(url)).check()


def test_the_rules_follow_the_url():
    local, public = Http("http://localhost:8000/mcp"), Http("https://example.com:8443/mcp")

    assert local.let_through.ports == {8000}
    assert "127.0.0.0/8" in local.let_through.inside
    assert public.let_through == Rules(frozenset({"https"}), frozenset({443, 8443}))


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"]])
async def test_a_name_that_means_this_machine_is_refused(addresses: list[str]):
    async def rebound(host: str, port: int) -> list[str]:
        return addresses

    why: list[str] = []
    rules = Http("https://example.com/mcp").let_through
    async with http_client(rules, {}, auth=None, bytes_max=1000, why=why) as client:
        client._transport._resolve = rebound  # pyright: ignore
        response = await client.post("https://example.com/mcp")

    assert response.status_code == 502
    assert why == ["example.com is 127.0.0.1, which is loopback."]


async def test_a_redirect_elsewhere_is_not_followed(tmp_path: Path):
    def away(web: Any) -> None:
        reply(web, 307, location="http://169.254.169.254/latest/meta-data")

    with answering(away) as (url, asked), pytest.raises(TwelvefoldError):
        await tools_of(tmp_path, Http(f"{url}/mcp")).check()
    assert set(asked) == {"/mcp"}


@pytest.mark.parametrize("guarded", [True, False])
async def test_what_a_server_names_for_its_oauth_flow_is_held_against_the_rules(
    guarded: bool, tmp_path: Path
):
    with answering(lambda web: reply(web, 404)) as (inside, asked):

        def unauthorized(web: Any) -> None:
            reply(web, 401, www_authenticate=f'Bearer resource_metadata="{inside}/latest"')

        with answering(unauthorized) as (url, _):
            redirects: Any = ["http://localhost:3030/back"]
            metadata = OAuthClientMetadata(client_name="test", redirect_uris=redirects)
            auth = OAuthClientProvider(f"{url}/mcp", metadata, Nothing())
            rules = Rules(frozenset({"http"}), frozenset(range(1, 65536)), ("127.0.0.0/8",))
            at = Http(f"{url}/mcp", auth=auth, rules=None if guarded else rules)
            with pytest.raises(TwelvefoldError):
                await tools_of(tmp_path, at).check()

    assert bool(asked) is not guarded


class Nothing:
    """No token is kept."""

    async def get_tokens(self) -> None: ...
    async def set_tokens(self, tokens: Any) -> None: ...
    async def get_client_info(self) -> None: ...
    async def set_client_info(self, client_info: Any) -> None: ...


async def test_a_small_reply_that_holds_a_large_one_is_not_unpacked(tmp_path: Path):
    bomb = gzip.compress(b" " * 10_000_000)

    def packed(web: Any) -> None:
        reply(web, 200, bomb, content_type="application/json", content_encoding="gzip")

    with answering(packed) as (url, _), pytest.raises(Unreachable, match="packed"):
        await tools_of(tmp_path, Http(f"{url}/mcp")).check()


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
async def test_a_server_that_refuses_is_an_error_and_no_hang(status: int, tmp_path: Path):
    def refusing(web: Any) -> None:
        reply(web, status, b"<html>no", content_type="text/html")

    with answering(refusing) as (url, _), pytest.raises(TwelvefoldError):
        await tools_of(tmp_path, Http(f"{url}/mcp")).check()


async def test_an_answer_that_is_no_json_is_an_error_and_no_hang(tmp_path: Path):
    def nonsense(web: Any) -> None:
        reply(web, 200, json.dumps({"jsonrpc": 1}).encode(), content_type="application/json")

    with answering(nonsense) as (url, _), pytest.raises(TwelvefoldError):
        await tools_of(tmp_path, Http(f"{url}/mcp")).check()
