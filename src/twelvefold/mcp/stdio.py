"""The gateway by standard input and output, for whoever started this process.

A client that starts programs speaks to them so. It acts for the person at this machine; what that
person may settle by its forms is the same as by HTTP.
"""

import sys
from collections.abc import Iterable
from contextlib import nullcontext, redirect_stdout

from twelvefold.app import App
from twelvefold.mcp.building import PURPOSE, build
from twelvefold.mcp.clients import Context
from twelvefold.mcp.offers import Offer
from twelvefold.mcp.settings import Settings
from twelvefold.server.access.signing import signing_of
from twelvefold.server.principal import Principal
from twelvefold.server.runner import running
from twelvefold.thread import DEFAULT_TENANT


async def serve_stdio(
    app: App,
    person: str,
    *,
    offers: Iterable[Offer | str] | None = None,
    settings: Settings | None = None,
    tenant: str = DEFAULT_TENANT,
    runner: bool = True,
) -> None:
    """Until the client closes its end. `runner`: threads are advanced here, too."""
    who = Principal(person, person=person, tenant=tenant, assurance="local", ambient=False)

    def principal(ctx: Context) -> Principal:
        return who

    def secret() -> bytes:
        return signing_of(app.store).mac(PURPOSE).encode()

    server = build(app, principal, secret=secret, offers=offers, settings=settings or Settings())
    async with running(app) if runner else nullcontext():
        # The SDK takes the standard output for itself, and what prints goes to stderr meanwhile.
        with redirect_stdout(sys.__stdout__):
            await server.run_stdio_async()
