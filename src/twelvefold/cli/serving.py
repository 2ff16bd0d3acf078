"""`twelvefold serve`: the HTTP API, the event streams and the inbox, until stopped.

The first SIGTERM or SIGINT lets requests finish and ends streams, which their readers take up again
elsewhere; a second one does not wait.
"""

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from socket import socket
from typing import TYPE_CHECKING, Any, TypeVar

import click

from twelvefold.cli import exits
from twelvefold.cli.begun import telling, thread_path
from twelvefold.cli.finding import refuse_missing
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.exceptions import ConfigurationError
from twelvefold.summary import short

if TYPE_CHECKING:
    from fastapi import FastAPI

    from twelvefold.server.access import Way

HOST = "127.0.0.1"
PORT = 8012
PORT_MAX = 65_535
GRACE_S = 35
"""More than the longest `?wait_s=`."""

F = TypeVar("F", bound=Callable[..., Any])

port_option = click.option(
    "--port",
    type=click.IntRange(0, PORT_MAX),
    default=PORT,
    show_default=True,
    help="0 is any free one.",
)


def options(function: F) -> F:
    for option in (
        click.option("--https", is_flag=True, help="People come by https, through a proxy."),
        click.option(
            "--proxy-header",
            default="X-Forwarded-User",
            show_default=True,
            metavar="NAME",
            help="In which header a proxy says who it is.",
        ),
        click.option(
            "--proxy",
            "proxies",
            multiple=True,
            metavar="NETWORK",
            help="The address of a proxy that signs people in.",
        ),
        click.option(
            "--grace",
            "grace_s",
            type=click.IntRange(min=0),
            default=GRACE_S,
            show_default=True,
            metavar="SECONDS",
            help="How long requests may take to finish.",
        ),
        click.option("--runner", is_flag=True, help="Advance threads in this process, too."),
        click.option("--mcp", is_flag=True, help="The agents as tools of MCP clients, at /mcp."),
        port_option,
        click.option("--host", default=HOST, show_default=True, help="The address to listen at."),
    ):
        function = option(function)
    return function


@command()
@options
@click.pass_obj
def serve(
    here: Here,
    host: str,
    port: int,
    mcp: bool,
    runner: bool,
    grace_s: int,
    proxies: Sequence[str],
    proxy_header: str,
    https: bool,
) -> int:
    """Serve the HTTP API and the inbox until SIGTERM or SIGINT.

    Threads are advanced by `twelvefold worker`, or with --runner by this process.
    """
    refuse_missing(here.place)
    create_app, bound = parts()
    here.warns = True
    refuse_open(here, host, proxies)
    if not proxies and not here.store.has_keys():
        here.out.say(
            "warning: there is no key yet, so whoever is on this machine may do everything here, as"
            f" you. Make one: {here.again('twelvefold keys create NAME --scope all --person YOU')}"
        )
    access = _proxied(proxies, proxy_header) if proxies else None
    with bound(host, port) as listens:
        served = create_app(here.app, access=access, https=https)
        if mcp:
            offer(served)
        return here.stay(listen(here, served, listens, runner=runner, grace_s=grace_s))


def offer(served: "FastAPI") -> None:
    """Raises `ConfigurationError` when the extra is missing."""
    from twelvefold.mcp import mount

    mount(served)


def parts() -> tuple[Callable[..., "FastAPI"], Callable[[str, int], socket]]:
    """What builds an application, and what opens a socket. Raises `ConfigurationError` when the
    extra is missing."""
    try:
        from twelvefold.server import create_app
        from twelvefold.server.listening import bound
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("twelvefold"):
            raise
        raise ConfigurationError(
            f"The server needs {error.name}. Run: pip install 'twelvefold[server]'"
        ) from error
    return create_app, bound


async def listen(
    here: Here,
    served: "FastAPI",
    listens: socket,
    *,
    runner: bool,
    grace_s: int,
    sign_in: str | None = None,
    begun: str | None = None,
) -> int:
    """Serve until told to stop. `sign_in`: the path at which a person begins; `begun`: a thread of
    which is said what it waits for."""
    from twelvefold.server.listening import Listener, url_of
    from twelvefold.server.runner import running

    url = url_of(listens)  # a socket that is closed has none

    def started() -> None:
        say(here, "serving", url, runner=runner, sign_in=sign_in, begun=begun)

    listener = Listener(served, grace_s=grace_s, started=started)
    if runner:
        async with running(here.app) as (_, advancing), telling(here, begun, url):
            await listener.listen(listens, until=advancing)
    else:
        await listener.listen(listens, until=None)
    say(here, "stopped", url, runner=runner)
    return exits.DONE


def say(
    here: Here,
    state: str,
    url: str,
    *,
    runner: bool = False,
    sign_in: str | None = None,
    begun: str | None = None,
) -> None:
    if here.json:
        opened = {} if sign_in is None else {"sign_in": url + sign_in}
        opened |= {} if begun is None else {"thread": begun}
        here.out.document("serve/1", state=state, url=url, runner=runner, **opened)
        return
    worker = here.again("twelvefold worker")
    who = "and advances threads" if runner else f"threads are advanced by `{worker}`"
    here.out.line(f"{state:<10} {url}" + (f"   {who}" if state == "serving" else ""))
    if sign_in is not None:
        here.out.line(f"{'open':<10} {url}{sign_in}   (works once)")
    if begun is not None:
        here.out.line(f"{'thread':<10} {short(begun)}   {url}{thread_path(begun)}")


def refuse_open(here: Here, host: str, proxies: Sequence[str]) -> None:
    """Raises `ConfigurationError` before anything is listened at that strangers reach, while
    nobody is told from anybody."""
    if is_local(host) or proxies or here.store.has_keys():
        return
    raise ConfigurationError(
        f"{host} can be reached from other machines, and there is no key and no proxy that signs"
        f" people in. Make a key with `{here.again('twelvefold keys create')}`, name the proxy with"
        f" --proxy, or leave out --host to serve {HOST} alone."
    )


def is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _proxied(networks: Sequence[str], header: str) -> "Way":
    from twelvefold.server.access import Keys, TrustedProxy, Visits, any_of

    return any_of(Keys(), TrustedProxy(header, networks=networks), Visits())
