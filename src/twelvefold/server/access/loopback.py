"""Nobody configured who may come in: then only this machine may, as whoever runs the server."""

import getpass
from ipaddress import ip_address

from fastapi import Request

from twelvefold.exceptions import NotSignedIn
from twelvefold.server.principal import Principal


class Loopback:
    """Only requests from this machine, to a name of this machine, through no proxy."""

    async def principal(self, request: Request) -> Principal:
        host = request.client.host if request.client else ""
        if not (_is_local(host) and _is_local(request.url.hostname or "")):
            raise NotSignedIn(
                "This server has no keys, so it answers its own machine only. Make one with"
                " `twelvefold keys create`, and send it as `Authorization: Bearer <key>`."
            )
        if "forwarded" in request.headers or "x-forwarded-for" in request.headers:
            raise NotSignedIn("This server has no keys, and this request came through a proxy.")
        name = getpass.getuser()
        return Principal(name, person=name, assurance="local")


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
