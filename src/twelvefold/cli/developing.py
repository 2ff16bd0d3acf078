"""`twelvefold dev`: server, engine and inbox on this machine, started anew when a file changes.

The process that watches files loads no application: a broken one is said, and the next change is
waited for.
"""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from typing import Any

import click

from twelvefold.cli import exits
from twelvefold.cli.files import Files
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.cli.serving import HOST, listen, parts, port_option

GRACE_S = 3
STOP_S = 10.0
"""After which a server that does not end is killed."""
START = "from twelvefold.cli import main; main()"


@command()
@port_option
@click.option("--as", "name", metavar="NAME", help="Who signs in; your login otherwise.")
@click.option("--no-reload", is_flag=True, help="Do not watch files.")
@click.pass_obj
def dev(here: Here, port: int, name: str | None, no_reload: bool) -> int:
    """Serve, advance threads and start anew when a file changes, on this machine alone.

    The printed link signs you in, once. For the API: `twelvefold keys create`.
    """
    here.warns = True
    _, bound = parts()
    if no_reload:
        return _serve(here, port, name)
    with bound(HOST, port):
        pass  # a port in use is said at once, and not after each change
    return here.run(_Watching(here, port, name).run())


def _serve(here: Here, port: int, name: str | None) -> int:
    from twelvefold.server.access import Keys, Visits, any_of, one_time_path

    create_app, bound = parts()
    with bound(HOST, port) as listens:
        served = create_app(here.app, access=any_of(Keys(), Visits()))
        sign_in = one_time_path(here.app.store, person=name)
        server = listen(here, served, listens, runner=True, grace_s=GRACE_S, sign_in=sign_in)
        return here.run(server)


class _Watching:
    """One server after the other, in a process each."""

    def __init__(self, here: Here, port: int, name: str | None) -> None:
        self.here, self.files = here, Files(here.place.root)
        self._command = [sys.executable, "-c", START, *_again(here, port, name)]
        self._stop = asyncio.Event()

    async def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        while not self._stop.is_set():
            # In a group of its own: Ctrl-C reaches it through us, once.
            server = await asyncio.create_subprocess_exec(*self._command, start_new_session=True)
            changed = await self._until_change(server)
            code = await _ended(server)
            if changed:
                self._say("changed", f"{changed}, starting anew", file=changed)
            elif not self._stop.is_set():
                self._say("failed", "waiting for a file to change", code=code)
                await self._until_change(None)
        return exits.DONE

    async def _until_change(self, server: Process | None) -> str:
        """The file that changed; "" when the server ended, or we are to."""
        changing = asyncio.ensure_future(self.files.change())
        over: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._stop.wait())]
        if server is not None:
            over.append(asyncio.ensure_future(server.wait()))
        await asyncio.wait({changing, *over}, return_when=asyncio.FIRST_COMPLETED)
        for task in (changing, *over):
            task.cancel()
        return "" if changing.cancelled() or not changing.done() else changing.result()

    def _say(self, state: str, line: str, **fields: str | int) -> None:
        if self.here.json:
            self.here.out.document("dev/1", state=state, **fields)
        else:
            self.here.out.line(f"{state:<10} {line}")


async def _ended(server: Process) -> int:
    if server.returncode is None:
        server.terminate()
    try:
        return await asyncio.wait_for(server.wait(), STOP_S)
    except TimeoutError:
        server.kill()
        return await server.wait()


def _again(here: Here, port: int, name: str | None) -> list[str]:
    """The same command, without watching."""
    args = ["dev", "--no-reload", "--port", str(port)]
    for option, value in (
        ("--as", name),
        ("--app", here.app_name),
        ("--store", here.store_name),
    ):
        args += [] if value is None else [option, value]
    flags = {"--json": here.json, "--verbose": here.verbose, "--debug": here.debug}
    return [*args, *(flag for flag, is_set in flags.items() if is_set)]
