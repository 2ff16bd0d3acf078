"""The Model Context Protocol, both ways, for `pip install 'twelvefold[mcp]'`.

The server offers the agents of an application as tools; `client` makes the tools of other servers
into steps. The SDK (`mcp`) is imported where one of them is first used, never by the import of
`twelvefold` or of this package.
"""

from typing import TYPE_CHECKING, Any

from twelvefold.mcp.loading import needed
from twelvefold.mcp.offers import Offer as Offer
from twelvefold.mcp.settings import Settings as Settings

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from fastapi import FastAPI

    from twelvefold.app import App
    from twelvefold.mcp.serving import Gateway
    from twelvefold.server.access import Way


def mcp_app(
    app: "App", *, access: "Way | None" = None, runner: bool = False, **options: Any
) -> "Gateway":
    """An ASGI application that speaks the protocol by streamable HTTP, at any path.

    `runner`: advance threads in this process, too, where its lifespan is run. `options`: `offers`
    (`Offer`s or names of agents; without it all agents), `settings`, and those of `create_app`.
    `.server` is the SDK's `MCPServer`, for tools of your own. Raises `ConfigurationError`.
    """
    with needed("mcp,server"):
        from twelvefold.mcp.serving import gateway
    return gateway(app, access=access, runner=runner, **options)


def mount(served: "FastAPI", **options: Any) -> "Gateway":
    """Serve the protocol at `/mcp` of what `create_app` made, for the same keys.

    `options`: `path`, `offers`, `settings`. Raises `ConfigurationError`.
    """
    with needed("mcp,server"):
        from twelvefold.mcp.serving import mount
    return mount(served, **options)


def serve_stdio(app: "App", person: str, **options: Any) -> "Coroutine[Any, Any, None]":
    """Speak the protocol by standard input and output, for this person, until the client goes.

    `options`: `offers`, `settings`, `tenant`, and `runner=False` where others advance threads.
    Raises `ConfigurationError`.
    """
    with needed():
        from twelvefold.mcp.stdio import serve_stdio
    return serve_stdio(app, person, **options)
