"""What every server process has loaded and built once, before it is forked."""

import uvicorn.protocols.http.auto

import twelvefold.cli
import twelvefold.engine.embedded
import twelvefold.models.scripted
import twelvefold.server.listening
import twelvefold.stores.postgres
import twelvefold.stores.sqlite
from twelvefold.app import App
from twelvefold.server import create_app
from twelvefold.testing import MemoryStore

__all__ = ["twelvefold", "uvicorn"]

create_app(App([], store=MemoryStore()))
