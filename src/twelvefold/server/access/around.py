"""What a way in finds around a request: the application, the signing, and where our paths begin."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

from anyio.to_thread import run_sync
from fastapi import Request, Response

from twelvefold.app import App
from twelvefold.exceptions import ConfigurationError, NotPermitted
from twelvefold.server.access.signing import Signing, signing_of
from twelvefold.server.principal import Principal

_AROUND = "twelvefold.around"
_COOKIES = "twelvefold.cookies"


class Way(Protocol):
    """One way to be known. `Access` objects are ways as well."""

    async def principal(self, request: Request) -> Principal | None:
        """None for a request that carries nothing of this way's. Raises `NotSignedIn` for one that
        carries what is wrong: then no other way is tried."""
        ...


@dataclass(frozen=True)
class Around:
    """`now`: the time of this machine, which cookies and keys end by. `https`: people come by it,
    although what reaches us does not."""

    app: App
    signing_key: str | bytes | None = None
    prefix: str = ""
    https: bool = False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @cached_property
    def signing(self) -> Signing:
        return signing_of(self.app.store, self.signing_key)

    def path(self, request: Request) -> str:
        """Under which cookies of ours are sent."""
        return f"{request.scope.get('root_path', '')}{self.prefix}" or "/"

    async def known_person(self, name: str, tenant: str) -> str:
        """Who is called so, by name or address. Raises `NotPermitted` for whom the directory does
        not know, or not any more."""
        directory = await run_sync(self.app.people, tenant)
        person = directory.person(name)
        if not directory.knows(person):
            raise NotPermitted(
                f"{name} is signed in, but is nobody (or nobody active) in the directory of"
                f" tenant {tenant}. Ask whoever keeps the directory."
            )
        return person


def enter(request: Request, around: Around) -> None:
    request.scope[_AROUND] = around


def around(request: Request) -> Around:
    found = request.scope.get(_AROUND)
    if not isinstance(found, Around):
        raise ConfigurationError(
            "This way in was asked outside of a server of ours. Pass it to create_app(access=...)."
        )
    return found


def leave_cookie(request: Request, header: str) -> None:
    """Have the answer to this request set a cookie."""
    request.scope.setdefault(_COOKIES, []).append(header)


def set_cookies(request: Request, response: Response) -> None:
    for header in request.scope.pop(_COOKIES, []):
        response.headers.append("set-cookie", header)
