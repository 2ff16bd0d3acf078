"""What a command works on: the application, its log and the output, each opened when first used."""

import gc
import getpass
import logging
import os
import sys
from collections.abc import Coroutine
from contextlib import ExitStack, redirect_stdout
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from twelvefold.channels.terminal import Terminal
from twelvefold.cli.again import again
from twelvefold.cli.finding import (
    Place,
    find_place,
    leaves_store_to_us,
    load_app,
    nowhere,
    path_of,
)
from twelvefold.cli.out import Out
from twelvefold.exceptions import UnknownThread
from twelvefold.notices import visible
from twelvefold.store import EmbeddedStore
from twelvefold.stores import shown_url

if TYPE_CHECKING:
    from twelvefold.app import App

T = TypeVar("T")
BEGIN = "twelvefold run AGENT INPUT"
YOUNG_MAX = 5_000
"""Objects between two collections of the young ones. A process that advances a hundred threads has
thousands of them in hand, and Python's 700 have it look at those again for every 25 steps."""


class Here:
    """One command. The shared options fill the first attributes before it runs."""

    def __init__(self) -> None:
        self.app_name: str | None = None
        self.store_name: str | None = None
        self.engine_name: str | None = None
        self.json = self.debug = self.verbose = False
        self.warns = False  # show warnings of the log although nobody asked for it
        self.out = Out()
        self.thread_ids: list[str] = []  # looked up so far: errors show them shortened
        self.then: dict[type[Exception], str] = {}  # what to do next, where a command knows better
        self._closing = ExitStack()

    @cached_property
    def place(self) -> Place:
        return find_place(Path.cwd(), os.environ, app=self.app_name, store=self.store_name)

    @cached_property
    def app(self) -> "App":
        """Raises `ConfigurationError`. From here on, what the application prints is talk."""
        self._listen_to_log()
        self._closing.enter_context(redirect_stdout(sys.stderr))
        app = load_app(self.place)
        if self.place.store_named or app.leaves_store_open:
            app.use_store(self._alone if "_alone" in self.__dict__ else self.place.store)
        if (engine := self.engine_name or self.place.engine) is not None:
            app.use_engine(engine)
        self._closing.callback(app.close)
        return app

    @property
    def app_is_loaded(self) -> bool:
        return "app" in self.__dict__

    @property
    def store(self) -> EmbeddedStore:
        """The log, without the application where that is possible. It is created when missing.
        Raises `NoApplication` where nothing but this command would use it."""
        if self._needs_app:
            return self.app.store
        if self.is_nowhere and not self.place.store_named:
            raise nowhere(self.place)
        return self._alone

    @property
    def has_log(self) -> bool:
        """Whether there is anything to read: looking must not create a file. Raises
        `ConfigurationError` where nothing will begin it either."""
        if self._app_names_it:
            return _exists(self.app.store_name)
        if self.is_nowhere:
            raise nowhere(self.place)
        return self._is_there

    @property
    def log_name(self) -> str:
        """Where the log is or would be, for people."""
        if self._app_names_it:
            return shown_url(self.app.store_name or self.app.store.name)
        return shown_url(self.place.store)

    def tell_unbegun(self) -> None:
        """Say so where there is no log, beside what a list of nothing says."""
        if not (self.json or self.has_log):
            begins = self.again(BEGIN)
            self.out.say(
                f"there is no log yet: {self.log_name} does not exist   begin it: {begins}"
            )

    @property
    def is_nowhere(self) -> bool:
        """Whether there is neither a log nor an application."""
        return not (self._is_there or self.has_app)

    def readable_store(self) -> EmbeddedStore | None:
        """The log, even where the application cannot be loaded; None when there is none yet."""
        if self.app_is_loaded:
            return self.app.store if self.has_log else None
        return self._alone if self._is_there else None

    @property
    def _is_there(self) -> bool:
        return _exists(self.place.store)

    @property
    def _app_names_it(self) -> bool:
        return self._needs_app and not (self.place.store_named or self.app.leaves_store_open)

    @cached_property
    def _alone(self) -> EmbeddedStore:
        from twelvefold.stores import open_store

        store = open_store(self.place.store)
        self._closing.callback(store.close)
        return store

    @property
    def _needs_app(self) -> bool:
        named = self.place.store_named or leaves_store_to_us(self.place)
        return self.app_is_loaded or not named

    @property
    def has_app(self) -> bool:
        return self.place.app_named or Path(self.place.app.rpartition(":")[0]).is_file()

    def thread_id(self, name: str) -> str:
        """The full id of a thread. Raises `UnknownThread`, `Conflict`."""
        from twelvefold.app.names import find_thread

        self.refuse_unbegun(name)
        return self.remember(find_thread(self.store, name))

    def refuse_unbegun(self, name: str) -> None:
        """Raises `UnknownThread` where no log is begun yet, and begins none."""
        begun = self.has_log
        if not (begun and (name != "@last" or self.store.threads(limit=1))):
            self.then[UnknownThread] = BEGIN
        if not begun:
            raise UnknownThread(
                f"There is no {name!r}, for there is no thread yet: {self.log_name} does not exist."
            )

    def remember(self, thread_id: str) -> str:
        self.thread_ids.append(thread_id)
        return thread_id

    def again(self, command: str, *given: tuple[str, str | None]) -> str:
        """The command to type next: what was given to this one and is needed there is repeated."""
        store = self.store_name and shown_url(self.store_name)  # no password on the screen
        return again(command, *given, ("--app", self.app_name), ("--store", store))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        import asyncio  # a tenth of a command's start, which lists and help do not need

        return asyncio.run(coroutine)

    def stay(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """As `run`, for a process that goes on: no collection looks again at what is loaded now."""
        gc.freeze()
        gc.set_threshold(YOUNG_MAX)
        return self.run(coroutine)

    @property
    def terminal(self) -> Terminal | None:
        """Where to ask; None where nobody sits, or where the output is for programs."""
        if self.json or not (sys.stdin.isatty() and self.out.tty):
            return None
        return Terminal(read=self._read, say=self.out.line)

    def _read(self, prompt: str) -> str:
        self.out.raw(visible(prompt))
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line

    def close(self) -> None:
        self._closing.close()

    def _listen_to_log(self) -> None:
        """`--verbose` shows the stdlib log; without it, what matters is an event or an error."""
        log = logging.getLogger("twelvefold")
        handler = _Log() if self.verbose or self.warns else logging.NullHandler()
        log.addHandler(handler)
        self._closing.callback(log.removeHandler, handler)
        if self.verbose:
            log.setLevel(logging.DEBUG)
        elif self.warns:
            self._silence_pools()

    def _silence_pools(self) -> None:
        """Each second of an outage they say what a line of ours says once. Whoever sets up logging
        still hears them: this keeps them from where Python shows what nobody listens to."""
        pools, silence = logging.getLogger("psycopg.pool"), logging.NullHandler()
        pools.addHandler(silence)
        self._closing.callback(pools.removeHandler, silence)


class _Log(logging.StreamHandler[Any]):
    """The log on stderr, a line per record; tracebacks keep their lines."""

    def format(self, record: logging.LogRecord) -> str:
        text = logging.Formatter("%(levelname)s %(name)s: %(message)s").format(record)
        return "\n".join(map(visible, text.split("\n")))


def _exists(store: str | None) -> bool:
    """Whether there is something behind a store's name; None names one that is open."""
    path = "://" if store is None else path_of(store)
    return "://" in path or Path(path).exists()  # opening it says what is wrong with that


def person(given: str | None) -> str:
    """Who decides: `--as`, else the login of the operating system."""
    return given or getpass.getuser()
