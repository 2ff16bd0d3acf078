"""What every route is given: the application, who may come in, and the settings."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from fastapi import Request
from markupsafe import Markup

from twelvefold.app import App
from twelvefold.server.bodies import BODY_BYTES_MAX as BODY_BYTES_MAX
from twelvefold.server.limits import FAILURES_PER_MINUTE_MAX, REQUESTS_PER_MINUTE_MAX
from twelvefold.server.principal import Principal, Scope
from twelvefold.server.streams.feed import Feed


class Access(Protocol):
    """Who makes a request. It fails closed."""

    async def principal(self, request: Request) -> Principal:
        """Raises `NotSignedIn` for nobody known."""
        ...

    def csrf_field(self, request: Request) -> Markup:
        """The hidden field for the forms of whoever asked."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the server.

    - `prefix`: under which path the routes are included, "/agents"; empty when mounted or alone.
    - `inbox`: serve the pages, too.
    - `body_bytes_max`: a larger request body is refused with 413.
    - `requests_per_minute_max` of one principal, `failures_per_minute_max` of one address: more are
      refused with 429. Counted in each process.
    - `signing_key`: 32 bytes, or 64 characters of hex, that sign cookies and forms; without it,
      TWELVEFOLD_SIGNING_KEY or a file beside the log.
    - `https`: people come by it, through a proxy, so cookies are for it alone.
    """

    prefix: str = ""
    inbox: bool = True
    body_bytes_max: int = BODY_BYTES_MAX
    requests_per_minute_max: int = REQUESTS_PER_MINUTE_MAX
    failures_per_minute_max: int = FAILURES_PER_MINUTE_MAX
    signing_key: str | bytes | None = field(default=None, repr=False)
    https: bool = False


@dataclass(frozen=True)
class Serving:
    """One application, as it is served."""

    app: App
    access: Access
    options: Options = Options()

    @cached_property
    def feed(self) -> Feed:
        """What all streams read. `feed.drain()` ends them, for a server that stops."""
        return Feed(lambda: self.app.store)

    def at(self, request: Request, path: str) -> str:
        """The link to a path of ours, wherever we are mounted or included."""
        return f"{request.scope.get('root_path', '')}{self.options.prefix}{path}"

    async def who(self, request: Request, scope: Scope) -> Principal:
        """Who asks, if they may. Raises `NotSignedIn` and `NotPermitted`."""
        who = await self.access.principal(request)
        who.needs(scope)
        return who
