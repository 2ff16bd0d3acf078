"""The names of steps: `server.tool` as an intent that no other server's tool can have.

A server's name holds no `__` and ends with no `_`, so the first `__` of an intent is where the name
of its server ends, whatever the tool is called.
"""

import re
from collections.abc import Iterable

from twelvefold.exceptions import ToolRefused
from twelvefold.mcp.client.remotes import Allowed, McpServer

_NOT_FREE = ("_result", "_message")  # no intent may end so
_ENDING = "_tool"
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def full_name(server: str, tool: str) -> str:
    return f"{server}.{tool}"


def intent_for(server: str, allowed: Allowed) -> str:
    """`github.createIssue` is `github__create_issue`."""
    if allowed.intent is not None:
        if allowed.intent.partition("__")[0] != server or "__" not in allowed.intent:
            raise ToolRefused(
                f"{full_name(server, allowed.tool)}: intent={allowed.intent!r} must begin with"
                f" {server}__, or it could be taken for another server's."
            )
        return allowed.intent
    tool = re.sub(r"[^a-z0-9_]", "_", _HUMP.sub("_", allowed.tool).lower())
    return f"{server}__{tool}{_ENDING if tool.endswith(_NOT_FREE) else ''}"


def check_apart(servers: Iterable[McpServer]) -> None:
    """Raises `ToolRefused` when two servers, or two tools of one, could not be told apart."""
    taken: dict[str, str] = {}
    names: set[str] = set()
    for server in servers:
        if server.name in names:
            raise ToolRefused(f"Two servers are called {server.name!r}. Rename one.")
        names.add(server.name)
        for allowed in server.allowed:
            intent, name = intent_for(server.name, allowed), full_name(server.name, allowed.tool)
            if intent in taken:
                raise ToolRefused(
                    f"{taken[intent]} and {name} would both be {intent!r}. Name one of them:"
                    f" Allowed({allowed.tool!r}, intent={intent + '_2'!r})."
                )
            taken[intent] = name
