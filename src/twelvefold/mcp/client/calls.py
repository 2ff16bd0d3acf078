"""A call: the pin is looked at, the arguments are sent, and what came back is the outcome.

Until the arguments are sent, whatever goes wrong is `NothingHappened`. After that, nobody knows:
the core's rule says what then (`tool_outcome_unknown` where the risk is not low). What a server
claims of its tools has no part in it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult

from twelvefold.call import Call
from twelvefold.exceptions import (
    NothingHappened,
    ToolFailed,
    ToolRefused,
    TwelvefoldError,
    Unreachable,
)
from twelvefold.failures import short as short_error
from twelvefold.mcp.client.comparing import short
from twelvefold.mcp.client.linked import CONNECT_TIMEOUT_S, Link
from twelvefold.mcp.client.pins import Pin, Said
from twelvefold.mcp.client.remotes import CALL_KEY
from twelvefold.mcp.client.results import text_of, value_of
from twelvefold.mcp.client.stepping import McpStep, Origin
from twelvefold.secrets import SecretRef

KEY_IN_META = "twelvefold/key"
"""Under which `call.key` goes along, for servers that honour it."""

Open = Callable[[], Link]


async def called(step: McpStep, call: Call[Any], *, open: Open, again: str) -> Any:
    """The tool's result. Raises what a tool raises; `again` says how to accept a change."""
    origin = step.origin
    filled = {name: _filled(value, call) for name, value in origin.allowed.fill.items()}
    link = await _checked(origin, open, again)
    try:
        arguments = {**step.sent(), **filled}
        result = await link.call(origin.allowed.tool, arguments, {KEY_IN_META: call.key})
    except MCPError as error:
        raise _failed(origin, error.message) from error
    except (ValueError, RuntimeError) as error:  # an answer, but none that it may give
        raise ToolFailed(f"{origin.name} answered, but not as it may: {_said(error)}") from error
    except asyncio.CancelledError:  # its time is over, or it stops: it may hang for others, too
        link.wear()
        raise
    if result.is_error:
        raise _failed(origin, text_of(result))
    return await _kept(result, call)


async def _kept(result: CallToolResult, call: Call[Any]) -> Any:
    return await asyncio.to_thread(value_of, result, call.attach)


def _filled(value: Any, call: Call[Any]) -> Any:
    if value is CALL_KEY:
        return call.key
    return call.secret(value) if isinstance(value, SecretRef) else value


def _failed(origin: Origin, said: str) -> Exception:
    kind = NothingHappened if origin.allowed.errors_are_final else ToolFailed
    return kind(f"{origin.name} answered with an error: {said}")


async def _checked(origin: Origin, open: Open, again: str) -> Link:
    """A connection whose server still says of this tool what was accepted.

    A connection that had died is noticed here, before anything is sent, and made anew once.
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            link, offered = await _listed(open)
    except TimeoutError as error:
        raise NothingHappened(
            f"{origin.server} did not list its tools within {CONNECT_TIMEOUT_S:g} s"
        ) from error
    except asyncio.CancelledError as error:
        raise NothingHappened(f"{origin.server} was not reached in time") from error
    except NothingHappened:
        raise
    except Exception as error:
        raise NothingHappened(f"{origin.name} was not called: {_said(error)}") from error
    if origin.allowed.tool not in offered:
        raise NothingHappened(f"{origin.name} is not offered by its server any more.")
    found = _pin(offered[origin.allowed.tool])
    if found.sha256 != origin.pin.sha256:
        places = short(origin.pin, found)
        raise NothingHappened(
            f"{origin.name} was not called, because its server describes it in another way than"
            f" what was accepted: {places}. Somebody must look: {again} {origin.name}"
        )
    return link


def _pin(said: Said) -> Pin:
    try:
        return Pin.of(said)
    except ToolRefused as error:
        raise NothingHappened(str(error)) from error


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, TwelvefoldError) else short_error(error)


async def _listed(open: Open) -> tuple[Link, dict[str, Said]]:
    try:
        return await _listed_once(open())
    except (Unreachable, MCPError):
        return await _listed_once(open())


async def _listed_once(link: Link) -> tuple[Link, dict[str, Said]]:
    try:
        return link, await link.tools()
    except BaseException:  # nobody else is to wait for it
        link.wear()
        raise
