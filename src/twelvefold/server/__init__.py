"""The HTTP API, the event streams and the web inbox, for `pip install 'twelvefold[server]'`.

`create_app(app)` is an ASGI application: serve it alone, or mount it. `router(app)` goes into an
existing FastAPI application by `include_router`. FastAPI is imported when one of them is called.
"""

from typing import TYPE_CHECKING, Any

from twelvefold.exceptions import ConfigurationError
from twelvefold.server.principal import Principal as Principal
from twelvefold.server.principal import Scope as Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from fastapi import APIRouter, FastAPI

    from twelvefold.app import App
    from twelvefold.server.access import Way


def create_app(
    app: "App", *, access: "Way | None" = None, runner: bool = False, **options: Any
) -> "FastAPI":
    """An ASGI application with everything: `fastapi_app.mount("/agents", create_app(app))`.

    `runner`: advance threads in this process, too; where it is mounted, `lifespan(app)` does that.
    `options` are those of `serving.Options`. Raises `ConfigurationError`.
    """
    return _building().create_app(app, access=access, runner=runner, **options)


def router(app: "App", *, access: "Way | None" = None, **options: Any) -> "APIRouter":
    """The same routes: `fastapi_app.include_router(router(app, prefix="/agents"))`.

    The prefix is given here and not to `include_router`, for the pages link to each other.
    """
    return _building().router(app, access=access, **options)


def lifespan(app: "App") -> "Callable[[Any], AbstractAsyncContextManager[None]]":
    """Advances threads while an application serves: `FastAPI(lifespan=lifespan(app))`."""
    from twelvefold.server.runner import lifespan

    return lifespan(app)


def _building() -> Any:
    try:
        from twelvefold.server import building
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("twelvefold"):
            raise
        raise ConfigurationError(
            f"The server needs {error.name}. Run: pip install 'twelvefold[server]'"
        ) from error
    return building
