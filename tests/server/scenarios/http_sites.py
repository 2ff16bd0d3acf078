"""Server processes that are killed, and people who go on asking."""

import multiprocessing
import os
import random
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_names import FOLDER, WORLD

from ports import free_port
from twelvefold.client import Client, Retries
from twelvefold.keys import CHANCE_BYTES, new_key
from twelvefold.stores import open_store

HERE = Path(__file__).parent
PATIENT = Retries(tries_max=120, reconnects_max=120, wait_first_s=0.05, wait_max_s=1.0)
"""A server is away for a second or so; the last of its tries comes after a minute and a half."""
PYTHONPATH = os.pathsep.join([str(HERE), str(HERE.parents[1] / "examples"), *sys.path])
LIVES_S_MAX = 0.3
"""What a server gets that is killed at a random moment."""
GROWS = 1.05
"""How much longer each life may be than the one before: on a machine that gets nothing done in
LIVES_S_MAX, nothing would ever end."""

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["http_warm"])


class Site:
    """One server process after the other, at one address, over one log."""

    def __init__(
        self,
        world: str,
        folder: Path,
        store: str,
        *,
        kills: bool = False,
        runner: bool = True,
        executed: bool = False,
    ) -> None:
        self.folder, self.store, self.kills = folder, store, kills
        self.starts = 0
        self._executed, self._world = executed, world
        self._port = free_port()
        self._arguments = ["serve", "--port", str(self._port), *(["--runner"] if runner else [])]
        self._process: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        env = {FOLDER: str(self.folder), WORLD: self._world}
        arguments = ["--app", f"{HERE / 'http_apps.py'}:app", "--store", self.store]
        arguments += self._arguments
        log = str(self.folder / "server.log")
        begin = _executed if self._executed else _forked
        self._process = begin(arguments, env, log)
        self.starts += 1

    def kill(self) -> None:
        """SIGKILL: it ends wherever it is."""
        if self._process is not None:
            self._process.kill()
            (self._process.wait if self._executed else self._process.join)()
            self._process = None

    def lives(self) -> bool:
        try:
            return httpx.get(self.url + "/livez", timeout=1.0).is_success
        except httpx.TransportError:
            return False

    def between(self) -> None:
        """What happens between two requests."""
        if self.kills:
            self.kill()
            self.start()

    def said(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")


@contextmanager
def site(world: str, folder: Path, store: str, **how: Any) -> Generator[Site]:
    """`chance`: it is killed and started anew at random moments, whatever happens there."""
    folder.mkdir(exist_ok=True)
    chance: random.Random | None = how.pop("chance", None)
    made, over = Site(world, folder, store, **how), threading.Event()
    made.start()
    harassing = threading.Thread(target=_harass, args=(made, chance, over))
    harassing.start()
    try:
        yield made
    finally:
        over.set()
        harassing.join()
        made.kill()


def _harass(made: Site, chance: random.Random | None, over: threading.Event) -> None:
    """Each server is killed soon after its first answer."""
    while chance is not None and not over.is_set():
        life_s = LIVES_S_MAX * GROWS**made.starts
        if made.lives() and not over.wait(chance.random() * life_s):
            made.kill()
            made.start()
        over.wait(0.02)


def key_of(store: str, person: str) -> str:
    """A key that is bound to a person."""
    opened = open_store(store)
    chance = os.urandom(CHANCE_BYTES)
    scopes = ["threads:read", "threads:write", "contacts:read", "contacts:answer"]
    key, token = new_key(person, chance=chance, now=datetime.now(UTC), scopes=scopes, person=person)
    opened.add_key(key)
    opened.close()
    return token


def client_of(site: Site, key: str, **options: Any) -> Client:
    return Client(site.url, api_key=key, retries=PATIENT, **options)


def _forked(arguments: list[str], env: Mapping[str, str], log: str) -> Any:
    """The command, in a process that has loaded its modules already."""
    process = FORKS.Process(target=_command, args=(arguments, dict(env), log), daemon=True)
    with pytest.MonkeyPatch.context() as patch:  # for who forks, which begins with the first one
        patch.setenv("PYTHONPATH", PYTHONPATH)
        process.start()
    return process


def _command(arguments: list[str], env: Mapping[str, str], log: str) -> None:
    os.environ.update(env)
    sys.path[:0] = PYTHONPATH.split(os.pathsep)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(written, stream)
    from twelvefold.cli import main

    sys.argv = ["twelvefold", *arguments]
    main()


def _executed(arguments: list[str], env: Mapping[str, str], log: str) -> Any:
    """The command as people type it."""
    with Path(log).open("a") as written:
        return subprocess.Popen(
            [sys.executable, "-c", "from twelvefold.cli import main; main()", *arguments],
            env={**os.environ, **env, "PYTHONPATH": PYTHONPATH},
            stdout=written,
            stderr=written,
        )
