"""The default store: one SQLite file, stdlib only, durable when `commit` returns."""

from twelvefold.stores.sqlite.inspection import inspect
from twelvefold.stores.sqlite.runner import runner_pid
from twelvefold.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "inspect", "runner_pid"]
