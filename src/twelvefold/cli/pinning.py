"""`twelvefold mcp list`, `check` and `accept`: what of other servers' tools an application may use.

A person looks at what would be pinned, and exactly that is pinned.
"""

from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from twelvefold.cli import exits
from twelvefold.cli.ancestry import refuse_descendants
from twelvefold.cli.finding import load_object
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.cli.out import shortened
from twelvefold.exceptions import ConfigurationError, ToolRefused

if TYPE_CHECKING:
    from twelvefold.mcp.client import Change, McpTools

TOOLS_DEFAULT = "servers.py:tools"
AS_ACCEPTED = "as accepted"

_named = click.option(
    "--tools",
    "tools_name",
    metavar="FILE.py:NAME",
    default=TOOLS_DEFAULT,
    show_default=True,
    help="The McpTools.",
)


@command()
@_named
@click.pass_obj
def list_(here: Here, tools_name: str) -> None:
    """All that the servers offer now, to choose from: nothing of it is used by itself."""
    tools = _tools(here, tools_name)
    offered = here.run(tools.offered())
    allowed = {(s.name, one.tool) for s in tools.servers.values() for one in s.allowed}
    rows = [
        (server, str(tool["name"]), (server, tool["name"]) in allowed, tool)
        for server, each in offered.items()
        for tool in each
    ]
    if here.json:
        data = [{"server": s, "allowed": yes, "tool": dict(tool)} for s, _, yes, tool in rows]
        here.out.document("mcp/offered/1", data=data)
    elif rows:
        here.out.table([_row(*row) for row in rows])


@command()
@_named
@click.pass_obj
def check(here: Here, tools_name: str) -> int:
    """Whether the allowed tools are as they were accepted; exit 4 when one is not."""
    changes = here.run(_tools(here, tools_name).check())
    _show(here, changes)
    return exits.DONE if all(one.kind == AS_ACCEPTED for one in changes) else exits.CONFLICT


@command()
@click.argument("names", metavar="[SERVER.TOOL]...", nargs=-1)
@_named
@click.option("--yes", is_flag=True, help="Somebody has looked at it: do not ask.")
@click.pass_obj
def accept(here: Here, names: tuple[str, ...], tools_name: str, yes: bool) -> int:
    """Show what is new or changed of the allowed tools, and pin it once you say yes."""
    if (store := here.readable_store()) is not None:
        refuse_descendants(store)
    tools = _tools(here, tools_name)
    changes = here.run(tools.check())
    if unknown := [name for name in names if name not in {one.tool for one in changes}]:
        raise ToolRefused(f"{unknown[0]} is not on the list of {tools_name}: allow it there first.")
    wanted = [one for one in changes if not names or one.tool in names]
    open = [one for one in wanted if one.kind != AS_ACCEPTED]
    _show(here, open)
    if open and not (yes or _said_yes(here)):
        here.out.say("nothing was accepted.")
        named = None if tools_name == TOOLS_DEFAULT else tools_name
        then = " ".join(["twelvefold mcp accept", *map(quote, names), "--yes"])
        here.out.say(f"next:  {here.again(then, ('--tools', named))}")
        return exits.CONFLICT
    tools.accept(*wanted)
    here.out.say(f"{len(wanted)} accepted in {tools.lock}")
    return exits.DONE


def _tools(here: Here, name: str) -> "McpTools":
    from twelvefold.mcp.client import McpTools

    file, _, attribute = name.rpartition(":")
    if file.endswith(".py"):
        path = here.place.root / Path(file)
        if not path.is_file():
            raise ConfigurationError(
                f"There is no {file}: name your McpTools with --tools path/to/file.py:name."
            )
        name = f"{path}:{attribute}"
    return load_object(replace(here.place, app=name), McpTools)


def _said_yes(here: Here) -> bool:
    try:
        terminal = here.terminal
        return terminal is not None and terminal.read("Accept this? [y/N] ").strip().lower() == "y"
    except EOFError:
        return False


def _show(here: Here, changes: "list[Change]") -> None:
    if here.json:
        data: Any = [{"tool": c.tool, "kind": c.kind, "lines": list(c.lines)} for c in changes]
        here.out.document("mcp/changes/1", data=data)
        return
    for change in changes:
        here.out.line(f"{change.tool}  {change.kind}", bold=change.kind != AS_ACCEPTED)
        for line in change.lines:
            here.out.line(f"    {line}")


def _row(server: str, name: str, is_allowed: bool, tool: Any) -> list[str]:
    words = str(tool.get("description") or "").strip().partition("\n")[0]
    return [f"{server}.{name}", "allowed" if is_allowed else "-", shortened(words)]
