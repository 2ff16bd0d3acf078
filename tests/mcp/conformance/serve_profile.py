"""Serves what the suite calls, through the gateway: `serve_profile.py STORE PORT`."""

import asyncio
import logging
import sys

import uvicorn
from profile_agents import AGENTS, OFFERS
from profile_fixtures import EVENTS, RETRY_MS, add_fixtures

from twelvefold import App
from twelvefold.mcp import Settings, mcp_app
from twelvefold.mcp.serving import Gateway, Wire

POLL_MS = 100


def profile(store: str) -> Gateway:
    made = mcp_app(
        App(AGENTS, store=store),
        runner=True,
        offers=OFFERS,
        settings=Settings(poll_ms=POLL_MS),
        wire=Wire(events=EVENTS, retry_ms=RETRY_MS),
        requests_per_minute_max=100_000,
    )
    add_fixtures(made.server)
    return made


def main(store: str, port: str) -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    config = uvicorn.Config(
        profile(store),
        port=int(port),
        log_level="warning",
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main(*sys.argv[1:])
