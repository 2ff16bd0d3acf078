"""HTTP to a server: each request guarded, those of an OAuth flow too, and each reply bounded.

A server names addresses of its own (its authorization server, a redirect). They are held against
the same rules as its URL, resolved once, and asked at the address that was checked. What goes wrong
is a reply of the protocol to the one request: the SDK would end all others with it.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from mcp_types import CONNECTION_CLOSED

from twelvefold.exceptions import UrlRefused
from twelvefold.guard import ADDRESSES_MAX, Resolve, Rules, Target, read_url, refusal, resolved

CONNECT_S = 10.0
_EVENTS, _JSON = "text/event-stream", "application/json"
_BAD_GATEWAY = 502


class Guarded(httpx2.AsyncBaseTransport):
    """What every request of one client goes through."""

    def __init__(
        self, rules: Rules, *, bytes_max: int, why: list[str], resolve: Resolve = resolved
    ) -> None:
        self._rules, self._bytes_max, self._why, self._resolve = rules, bytes_max, why, resolve
        self._inner = httpx2.AsyncHTTPTransport(retries=0)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            target = read_url(str(request.url), self._rules)
            response = await self._asked(request, target, await self._addresses(target))
            return await self._bounded(response)
        except (UrlRefused, httpx2.HTTPError, OSError, UnicodeError) as error:
            return self._unanswered(request, str(error) or type(error).__name__)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _addresses(self, target: Target) -> list[str]:
        found = list(dict.fromkeys(await self._resolve(target.host, target.port)))
        for address in found:
            if reason := refusal(address, self._rules):
                raise UrlRefused(f"{target.host} is {address}, which is {reason}.")
        if not found:
            raise OSError(f"{target.host} has no address")
        return found[:ADDRESSES_MAX]

    async def _asked(
        self, request: httpx2.Request, target: Target, addresses: list[str]
    ) -> httpx2.Response:
        """At the first address that takes the connection; nothing is sent before one does."""
        for n, address in enumerate(addresses, start=1):
            try:
                return await self._inner.handle_async_request(_at(request, target, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if n == len(addresses):
                    raise
        raise OSError(f"{target.host} has no address")

    async def _bounded(self, response: httpx2.Response) -> httpx2.Response:
        kind = response.headers.get("content-type", "").lower()
        is_packed = response.headers.get("content-encoding", "identity") != "identity"
        if is_packed or (response.status_code >= 500 and not kind.startswith(_JSON)):
            await response.aclose()
            what = "packed, which was not asked for" if is_packed else f"{response.status_code}"
            raise OSError(f"the reply is {what}")
        if not kind.startswith(_EVENTS):  # of a stream each event has a most of bytes
            response.stream = _Bounded(response.stream, self._bytes_max)
        return response

    def _unanswered(self, request: httpx2.Request, why: str) -> httpx2.Response:
        """What the SDK takes for the end of this request, and of no other."""
        self._why[:] = [why]
        error = {"code": CONNECTION_CLOSED, "message": why}
        body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
        headers = {"content-type": _JSON}
        return httpx2.Response(_BAD_GATEWAY, headers=headers, content=body, request=request)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, inner: Any, bytes_max: int) -> None:
        self._inner, self._bytes_max = inner, bytes_max

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for part in self._inner:
                size += len(part)
                if size > self._bytes_max:
                    raise OSError(f"more than {self._bytes_max} bytes in one message")
                yield part
        except (httpx2.HTTPError, OSError) as error:
            raise httpx2.StreamError(str(error) or type(error).__name__) from error

    async def aclose(self) -> None:
        await self._inner.aclose()


def _at(request: httpx2.Request, target: Target, address: str) -> httpx2.Request:
    """To the address that was checked; the name is in `Host`, and is what a certificate proves."""
    headers = httpx2.Headers(request.headers)
    headers["Host"], headers["Accept-Encoding"] = target.authority, "identity"
    host = f"[{address}]" if ":" in address else address
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=host),
        headers=headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": target.host.rstrip(".")},
    )


def http_client(
    rules: Rules, headers: dict[str, str], *, auth: Any, bytes_max: int, why: list[str]
) -> httpx2.AsyncClient:
    """No proxy of the environment, no redirect of its own; a stream may stay open."""
    return httpx2.AsyncClient(
        transport=Guarded(rules, bytes_max=bytes_max, why=why),
        headers=headers,
        auth=auth,
        timeout=httpx2.Timeout(CONNECT_S, read=None),
        trust_env=False,
    )
