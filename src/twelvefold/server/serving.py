"""What every route is given: the application, who may come in, and the settings."""

from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

from twelvefold.app import App
from twelvefold.server.principal import Principal

BODY_BYTES_MAX = 1_000_000


class Access(Protocol):
    """Who makes a request. It fails closed."""

    async def principal(self, request: Request) -> Principal:
        """Raises `NotSignedIn` for nobody known."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the server.

    - `prefix`: under which path the routes are included, "/agents"; empty when mounted or alone.
    - `inbox`: serve the pages, too.
    - `body_bytes_max`: a larger request body is refused with 413.
    """

    prefix: str = ""
    inbox: bool = True
    body_bytes_max: int = BODY_BYTES_MAX


@dataclass(frozen=True)
class Serving:
    """One application, as it is served."""

    app: App
    access: Access
    options: Options = Options()

    def at(self, request: Request, path: str) -> str:
        """The link to a path of ours, wherever we are mounted or included."""
        return f"{request.scope.get('root_path', '')}{self.options.prefix}{path}"
