"""Requests to URLs that somebody gave, such as webhooks: to public hosts and nowhere else.

A URL is read once, by rules stricter than a browser's. Its host is resolved once; every address is
held against a table of our own, and the connection goes to an address that was checked, so that a
name which means something else a moment later is of no use. No redirect is followed, and a reply
costs at most a time and a number of bytes. No proxy of the environment is asked.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

from twelvefold.exceptions import ConfigurationError, Unreachable, UrlRefused

TIMEOUT_S = 10.0
"""Of everything: the name, the connection, the request and the reply."""
REPLY_BYTES_MAX = 64_000
URL_CHARS_MAX = 2000
ADDRESSES_MAX = 8

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host. It is asked once."""

DENIED: Mapping[str, str] = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by a carrier (CGNAT)",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "the metadata of a cloud",
    "169.254.0.0/16": "link-local, where clouds keep their metadata",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "kept for protocols",
    "192.0.2.0/24": "for documentation",
    "192.31.196.0/24": "kept for AS112",
    "192.52.193.0/24": "kept for AMT",
    "192.88.99.0/24": "a relay of 6to4",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "kept for AS112",
    "198.18.0.0/15": "for benchmarks",
    "198.51.100.0/24": "for documentation",
    "203.0.113.0/24": "for documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved, or broadcast",
    "::/96": "unspecified, loopback, or an IPv4 address inside",
    "::ffff:0:0/96": "an IPv4 address inside",
    "::ffff:0:0:0/96": "an IPv4 address inside",
    "64:ff9b::/96": "an IPv4 address inside (NAT64)",
    "64:ff9b:1::/48": "an IPv4 address inside (NAT64)",
    "100::/64": "thrown away",
    "2001::/23": "kept for protocols, such as Teredo",
    "2001:db8::/32": "for documentation",
    "2002::/16": "an IPv4 address inside (6to4)",
    "2620:4f:8000::/48": "kept for AS112",
    "3fff::/20": "for documentation",
    "5f00::/16": "segments of a network",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
"""Where nothing is sent. Of IPv6 all that is not global unicast is denied as well."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?:#.*)?"
)
_HOST = re.compile(r"(?=.{1,253}\.?\Z)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is let through. `inside`: networks that are reached although the table denies them."""

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443})
    inside: tuple[str, ...] = ()


PUBLIC = Rules()


class Target(NamedTuple):
    """A URL, read. `host` is an ASCII name in lower case, or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As the header `Host` says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


class Reply(NamedTuple):
    """What came back. `cut`: there was more than `reply_bytes_max`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool


def read_url(url: str, rules: Rules = PUBLIC) -> Target:
    """The parts of a URL that may be asked, as far as that can be told without resolving its host.

    Raises `UrlRefused`.
    """
    found = _URL.fullmatch(url)
    if found is None or len(url) > URL_CHARS_MAX or not re.fullmatch(r"[!-\[\]-~]+", url):
        raise UrlRefused(
            f"{_shown(url)!r} is no URL of at most {URL_CHARS_MAX} ASCII characters. Give one such"
            " as https://example.com/hook; a name in other letters in its xn-- form."
        )
    scheme, authority = found["scheme"].lower(), found["authority"]
    if scheme not in rules.schemes or scheme not in _PORTS:
        allowed = ", ".join(sorted(rules.schemes))
        raise UrlRefused(f"{scheme}:// is not taken here, only {allowed}.")
    if "@" in authority:
        raise UrlRefused("A URL with a name or a password in it is not taken. Leave them out.")
    host, port = _host_and_port(authority, _PORTS[scheme])
    if port not in rules.ports:
        allowed = ", ".join(map(str, sorted(rules.ports)))
        raise UrlRefused(f"Port {port} is not taken here, only {allowed}.")
    target = found["target"]
    return Target(scheme, host, port, target if target.startswith("/") else f"/{target}")


def refusal(address: str, rules: Rules = PUBLIC) -> str | None:
    """Why nothing is sent to this address; None where it may be."""
    try:
        found = ip_address(address)
    except ValueError:
        return "no address"
    if getattr(found, "scope_id", None):
        return "an address of one link"
    if any(found in network for network in map(ip_network, rules.inside)):
        return None
    for network, why in _table():
        if found in network:
            return why
    if isinstance(found, IPv6Address) and found not in _GLOBAL_UNICAST:
        return "not global unicast"
    return None


async def resolved(host: str, port: int) -> list[str]:
    """What this machine takes a host for."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


async def send(
    method: str,
    url: str,
    *,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    rules: Rules = PUBLIC,
    resolve: Resolve = resolved,
    tls: ssl.SSLContext | None = None,
    timeout_s: float = TIMEOUT_S,
    reply_bytes_max: int = REPLY_BYTES_MAX,
) -> Reply:
    """Send one request and read the reply, of any status; a redirect is a reply as well.

    Raises `UrlRefused` before anything is sent, and `Unreachable` when no whole reply came in time.
    """
    target = read_url(url, rules)
    httpx = _httpx()
    try:
        async with asyncio.timeout(timeout_s):
            addresses = await _addresses(target, rules, resolve)
            transport = httpx.AsyncHTTPTransport(verify=True if tls is None else tls, retries=0)
            async with transport:
                for n, address in enumerate(addresses, start=1):
                    request = _request(method, target, address, content, headers or {})
                    try:
                        response = await transport.handle_async_request(request)
                    except (httpx.ConnectError, httpx.ConnectTimeout):
                        if n == len(addresses):
                            raise
                        continue
                    return await _reply(response, reply_bytes_max)
    except TimeoutError as error:
        raise _unreachable(target, f"no whole reply within {timeout_s:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise _unreachable(target, str(error) or type(error).__name__) from error
    raise _unreachable(target, "its name has no address")


def _host_and_port(authority: str, default: int) -> tuple[str, int]:
    """Raises `UrlRefused`."""
    bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?", authority)
    plain = re.fullmatch(r"([^:\[\]]+)(?::([0-9]{1,5}))?", authority)
    found = bracketed or plain
    if found is None or not (_is_ipv6(found[1]) if bracketed else _is_host(found[1])):
        raise UrlRefused(f"{_shown(authority)!r} is no host. Give a name, or an address in full.")
    return found[1].lower(), int(found[2]) if found[2] else default


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    """A name, or four numbers: 127.1, 0x7f000001 and 2130706433 are addresses to some readers."""
    last = text.rstrip(".").rpartition(".")[2]
    if re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", last):
        try:
            IPv4Address(text)
        except ValueError:
            return False
    return _HOST.fullmatch(text) is not None and ".." not in text


async def _addresses(target: Target, rules: Rules, resolve: Resolve) -> list[str]:
    """All of the host's. Raises `UrlRefused` when one of them is denied."""
    found = list(dict.fromkeys(await resolve(target.host, target.port)))
    for address in found:
        if why := refusal(address, rules):
            raise UrlRefused(
                f"{target.host} is {_shown(address)}, which is {why}. Give a public host."
            )
    return found[:ADDRESSES_MAX]


def _request(
    method: str, target: Target, address: str, content: bytes, headers: Mapping[str, str]
) -> Any:
    """To the address that was checked; the name is in `Host`, and is what a certificate proves."""
    httpx = _httpx()
    host = f"[{address}]" if ":" in address else address
    own = {"Host": target.authority, "Accept-Encoding": "identity", "Connection": "close"}
    return httpx.Request(
        method,
        f"{target.scheme}://{host}:{target.port}{target.path}",
        content=content,
        headers={**_without(headers, own), **own},
        extensions={"sni_hostname": target.host.rstrip(".")},
    )


def _without(headers: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    taken = {name.lower() for name in own}
    return {name: value for name, value in headers.items() if name.lower() not in taken}


async def _reply(response: Any, bytes_max: int) -> Reply:
    """As it came: nothing is unpacked, for a small reply may hold a large one."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in response.stream:
            parts.append(part)
            size += len(part)
            if size > bytes_max:
                break
    finally:
        await response.aclose()
    body = b"".join(parts)
    return Reply(response.status_code, dict(response.headers), body[:bytes_max], size > bytes_max)


def _unreachable(target: Target, why: str) -> Unreachable:
    return Unreachable(f"{target.scheme}://{target.authority} did not answer: {why}.")


def _shown(text: str) -> str:
    return text[:100].encode("ascii", "backslashreplace").decode()


@cache
def _table() -> list[tuple[Any, str]]:
    return [(ip_network(network), why) for network, why in DENIED.items()]


@cache
def _httpx() -> Any:
    try:
        import httpx
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "Sending to URLs needs httpx. Run: pip install 'twelvefold[webhook]'"
        ) from error
    return httpx
