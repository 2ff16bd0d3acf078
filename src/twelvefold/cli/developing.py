"""`twelvefold dev`: server, engine and inbox on this machine, started anew when a file changes.

The process that watches files loads no application: a broken one is said, and the next change is
waited for. A wrong argument is said, too, and ends it, as long as no server has served.
"""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from dataclasses import dataclass
from typing import Any

import click

from twelvefold.cli import exits
from twelvefold.cli.files import Files
from twelvefold.cli.finding import refuse_missing
from twelvefold.cli.here import Here, person
from twelvefold.cli.options import command
from twelvefold.cli.powerless import powerless
from twelvefold.cli.serving import HOST, listen, parts, port_option
from twelvefold.exceptions import ConfigurationError, InvalidRequest, NotMigrated, UnknownAgent

GRACE_S = 3
STOP_S = 10.0
"""After which a server that does not end is killed."""
ARGUMENTS = frozenset({exits.USAGE, exits.CONFLICT})
"""How a server ends that was given an agent or a store that is not there, or the id of another
thread. What is wrong with a file is none of these."""
START = "from twelvefold.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Launch:
    """A thread to begin with. Its id is one for all servers that follow, so it begins once."""

    agent: str
    text: str
    thread_id: str

    @property
    def args(self) -> list[str]:
        return ["--id", self.thread_id, "--", self.agent, self.text]


@command()
@click.argument("agent", required=False)
@click.argument("text", metavar="[INPUT]", required=False)
@port_option
@click.option(
    "--as", "name", metavar="NAME", help="Who signs in and gives INPUT; your login otherwise."
)
@click.option("--id", "thread_id", metavar="ID", help="The id of the thread that is started.")
@click.option("--no-reload", is_flag=True, help="Do not watch files.")
@click.pass_obj
def dev(
    here: Here,
    agent: str | None,
    text: str | None,
    port: int,
    name: str | None,
    thread_id: str | None,
    no_reload: bool,
) -> int:
    """Serve, advance threads and start anew when a file changes, on this machine alone.

    With AGENT and INPUT a thread is started, as `run` does. The printed link signs you in, once.
    For the API: `twelvefold keys create`.
    """
    refuse_missing(here.place)
    here.warns = True
    _, bound = parts()
    launch = _launch(agent, text, thread_id)
    if no_reload:
        return _serve(here, port, name, launch)
    with bound(HOST, port):
        pass  # a port in use is said at once, and not after each change
    return here.run(_Watching(here, port, name, launch).run())


def _launch(agent: str | None, text: str | None, thread_id: str | None) -> Launch | None:
    if agent is None:
        return None
    if text is None:
        raise click.UsageError(f"What is {agent} to start with? Give INPUT after AGENT.")
    from twelvefold.app.names import new_thread_id
    from twelvefold.loop import utc_now

    return Launch(agent, text, thread_id or new_thread_id(utc_now()))


def _serve(here: Here, port: int, name: str | None, launch: Launch | None) -> int:
    from twelvefold.server.access import Keys, Visits, any_of, one_time_path

    create_app, bound = parts()
    with bound(HOST, port) as listens:
        _refuse_wrong(here, launch)
        if launch is not None:
            agent, text, thread_id = launch.agent, launch.text, launch.thread_id
            here.run(here.app.launch(agent, text, thread_id=thread_id, sender=person(name)))
        if (note := powerless(here.app, person(name))) is not None:
            here.out.say(note)
        served = create_app(here.app, access=any_of(Keys(), Visits()))
        sign_in = one_time_path(here.app.store, person=name)
        begun = None if launch is None else launch.thread_id
        server = listen(
            here, served, listens, runner=True, grace_s=GRACE_S, sign_in=sign_in, begun=begun
        )
        return here.run(server)


def _refuse_wrong(here: Here, launch: Launch | None) -> None:
    """Raises `InvalidRequest` for an agent or a --store that is not there."""
    app = here.app
    try:
        if launch is not None:
            app.agent(launch.agent)
        _ = app.store
    except ConfigurationError as error:
        is_typed = isinstance(error, UnknownAgent) or here.store_name is not None
        if not is_typed or isinstance(error, NotMigrated):
            raise
        raise InvalidRequest(str(error)) from error


class _Watching:
    """One server after the other, in a process each."""

    def __init__(self, here: Here, port: int, name: str | None, launch: Launch | None) -> None:
        self.here, self.files = here, Files(here.place.root)
        begin = [] if launch is None else launch.args
        self._command = [sys.executable, "-c", START, *_again(here, port, name), *begin]
        self._stop = asyncio.Event()

    async def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        served = False
        while not self._stop.is_set():
            # In a group of its own: Ctrl-C reaches it through us, once.
            server = await asyncio.create_subprocess_exec(*self._command, start_new_session=True)
            changed = await self._until_change(server)
            code = await _ended(server)
            if changed:
                served = True
                self._say("changed", f"{changed}, starting anew", file=changed)
            elif code in ARGUMENTS and not served:
                return code
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
