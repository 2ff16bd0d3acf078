"""`McpTools`: the tools of other servers that an application may use.

The steps are made from the lock file, without a server: `decide`, cases and replays need none. A
server is started or reached when a step runs, one connection for each tenant.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from twelvefold.call import Call
from twelvefold.effects import Run, run
from twelvefold.exceptions import (
    ConfigurationError,
    NothingHappened,
    ToolRefused,
    TwelvefoldError,
)
from twelvefold.failures import short
from twelvefold.mcp.client.comparing import Change, change_of
from twelvefold.mcp.client.naming import check_apart, full_name
from twelvefold.mcp.client.pins import Pin, Said, read_lock, write_lock
from twelvefold.mcp.client.remotes import Allowed, McpServer, Secret
from twelvefold.mcp.client.stepping import McpStep, step_of
from twelvefold.secrets import Secrets, look_up
from twelvefold.thread import DEFAULT_TENANT

if TYPE_CHECKING:
    from twelvefold.mcp.client.linked import Link

LOCK = "mcp.lock.json"
LINKS_MAX = 64
"""Connections that are kept at once; the one that was used longest ago is ended for another."""
ACCEPT = "twelvefold mcp accept"
_MISSING = "The tools of MCP servers need the SDK. Run: pip install 'twelvefold[mcp]'"


class McpTools:
    """Servers, what they may offer, and the lock file that says what was accepted of it.

    `secrets` is what `accept` and `check` read a `SecretRef` from; a run asks `App(secrets=...)`.
    """

    def __init__(
        self, *servers: McpServer, lock: str | Path = LOCK, secrets: Secrets | None = None
    ) -> None:
        check_apart(servers)
        self.servers = {server.name: server for server in servers}
        self.lock = Path(lock)
        self._secrets = secrets
        self._links: dict[asyncio.AbstractEventLoop, dict[Any, Link]] = {}
        self._leaving: list[Link] = []
        self._tools: dict[type[McpStep], Any] = {}

    @cached_property
    def by_name(self) -> Mapping[str, type[McpStep]]:
        """The step models by `server.tool`. Raises `ToolRefused` for what is not accepted yet."""
        pins = read_lock(self.lock)
        found: dict[str, type[McpStep]] = {}
        for name, (server, allowed) in self._listed().items():
            if name not in pins:
                raise ToolRefused(
                    f"{name} is in no lock file: {self.lock} does not hold it. Look at it and"
                    f" accept it: {ACCEPT} {name}"
                )
            found[name] = step_of(server.name, allowed, pins[name])
        return found

    @property
    def steps(self) -> Any:
        """The union of all, for `Agent(...)` and `AskModel`: `tools.steps | Done`."""
        if not self.by_name:
            raise ConfigurationError("McpTools offers nothing: allow a tool of a server.")
        return Union[tuple(self.by_name.values())]  # noqa: UP007, there is no | of a list

    def run(self, step: Any, *, ungated: str | None = None) -> Run[object]:
        """The effect that calls the tool of this step, with what `Allowed` says of it."""
        if not isinstance(step, McpStep) or type(step) not in self.by_name.values():
            raise ConfigurationError(f"{type(step).__name__} is not a step of these McpTools.")
        allowed = step.origin.allowed
        return run(
            self._tool(type(step)),
            step,
            retry_safe=allowed.retry_safe,
            timeout_s=allowed.timeout_s,
            attempts=allowed.attempts,
            ungated=ungated,
        )

    async def check(self) -> list[Change]:
        """How each tool of the list stands against the lock file, as its server is now.

        Raises `ToolRefused` and `Unreachable`.
        """
        pins, offered = read_lock(self.lock), await self._offered()
        return [
            change_of(name, pins.get(name), _pin(offered[server.name].get(allowed.tool)))
            for name, (server, allowed) in self._listed().items()
        ]

    def accept(self, *changes: Change) -> None:
        """Pin what `check` returned, exactly as it was then, and write the lock file. Somebody has
        looked at it: that is what this says.

        Raises `ToolRefused` for a tool that is not listed or not offered, or that no step can say;
        then nothing is written.
        """
        listed, pins = self._listed(), read_lock(self.lock)
        for change in changes:
            if change.tool not in listed:
                raise ToolRefused(f"{change.tool} is not on the list: allow it first.")
            if change.offered is None:
                raise ToolRefused(f"{change.tool} is not offered by its server: do not allow it.")
            server, allowed = listed[change.tool]
            step_of(server.name, allowed, change.offered)
            pins[change.tool] = change.offered
        write_lock(self.lock, {name: pin for name, pin in pins.items() if name in listed})
        self.__dict__.pop("by_name", None)

    async def offered(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """All that each server offers now, to choose from: nothing of it is used by itself."""
        found = await self._offered()
        return {name: list(tools.values()) for name, tools in found.items()}

    async def close(self) -> None:
        """End the connections of this event loop, and the programs that were started."""
        here = asyncio.get_running_loop()
        links = self._links.pop(here, {})
        leaving = [one for one in self._leaving if one.loop is here]
        if links or leaving:
            from twelvefold.mcp.client.linked import closed

            await asyncio.gather(*map(closed, [*links.values(), *leaving]))

    def _listed(self) -> dict[str, tuple[McpServer, Allowed]]:
        return {
            full_name(server.name, one.tool): (server, one)
            for server in self.servers.values()
            for one in server.allowed
        }

    async def _offered(self) -> dict[str, dict[str, Said]]:
        """By connections of their own, which end here."""
        found: dict[str, dict[str, Said]] = {}
        for server in self.servers.values():
            link = _link(server, lambda ref: look_up(self._secrets, ref, tenant=DEFAULT_TENANT))
            found[server.name] = await _listed_once(link)
        return found

    def _tool(self, kind: type[McpStep]) -> Any:
        """One function for each tool, under its name: what the log says ran."""
        if kind not in self._tools:

            async def tool(step: McpStep, call: Call[Any]) -> Any:
                try:
                    from twelvefold.mcp.client.calls import called
                except ModuleNotFoundError as error:
                    raise NothingHappened(_MISSING) from error

                def open() -> "Link":
                    return self._open(step.origin.server, call)

                return await called(step, call, open=open, again=ACCEPT)

            tool.__name__ = tool.__qualname__ = kind.origin.name
            self._tools[kind] = tool
        return self._tools[kind]

    def _open(self, name: str, call: Call[Any]) -> "Link":
        """The connection of a tenant, with the secrets as they are now: a rotated one is another
        connection."""
        server = self.servers[name]
        values = {key: call.secret(ref) for key, ref in server.at.secrets.items()}
        for loop in [loop for loop in self._links if loop.is_closed()]:
            del self._links[loop]
        links = self._links.setdefault(asyncio.get_running_loop(), {})
        key = (name, call.tenant, tuple(sorted(values.items())))
        link = links.pop(key, None)
        if link is None or not link.is_open:
            self._leave(link)
            link = _link(server, lambda ref: call.secret(ref), tenant=call.tenant)
        links[key] = link  # the newest is the last
        while len(links) > LINKS_MAX:
            oldest = links.pop(next(iter(links)))
            oldest.wear()
            self._leave(oldest)
        return link

    def _leave(self, link: "Link | None") -> None:
        """It may still be ending: `close` waits for it."""
        self._leaving = [one for one in self._leaving if one.is_ending]
        if link is not None and link.is_ending:
            self._leaving.append(link)


def _pin(said: Said | None) -> Pin | None:
    return None if said is None else Pin.of(said)


async def _listed_once(link: "Link") -> dict[str, Said]:
    from twelvefold.mcp.client.linked import CONNECT_TIMEOUT_S, closed  # it is there: link is

    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await link.tools()
    except TwelvefoldError:
        raise
    except Exception as error:
        raise ToolRefused(f"{link.server.name} does not list its tools: {short(error)}") from error
    finally:
        await closed(link)


def _link(server: McpServer, secret: Secret, *, tenant: str = DEFAULT_TENANT) -> "Link":
    values = {key: secret(ref) for key, ref in server.at.secrets.items()}
    try:
        from twelvefold.mcp.client.linked import Link
    except ModuleNotFoundError as error:
        raise ConfigurationError(_MISSING) from error
    return Link(server, values, tenant)
