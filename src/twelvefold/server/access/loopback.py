"""Nobody configured who may come in: then only this machine may, as whoever runs the server."""

import getpass
from ipaddress import ip_address

from anyio.to_thread import run_sync
from fastapi import Request

from twelvefold.exceptions import NotSignedIn
from twelvefold.server.access.around import around
from twelvefold.server.principal import Principal

MAKE_ONE = "Make a key with `twelvefold keys create`, and send it as `Authorization: Bearer <key>`."
PROXIED = ("forwarded", "via", "x-real-ip")


class Loopback:
    """Only requests from this machine, to a name of this machine, through no proxy, and only while
    the store holds no key: for development."""

    async def principal(self, request: Request) -> Principal:
        if await run_sync(around(request).app.store.has_keys):
            raise NotSignedIn(f"This server has keys, so it takes nobody without one. {MAKE_ONE}")
        host = request.client.host if request.client else ""
        if not (_is_local(host) and _is_local(request.url.hostname or "")):
            raise NotSignedIn(
                f"This server has no keys, so it answers its own machine only. {MAKE_ONE}"
            )
        if any(map(_is_of_proxy, request.headers)):
            raise NotSignedIn(
                f"This server has no keys, and this request came through a proxy. {MAKE_ONE}"
            )
        name = getpass.getuser()
        return Principal(name, person=name, assurance="local")


def _is_of_proxy(header: str) -> bool:
    return header.startswith("x-forwarded-") or header in PROXIED


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
