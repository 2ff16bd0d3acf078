"""The tree of commands, and the one place where a command's end becomes an exit code.

A command's module loads when the command runs. Help is printed from the table, without loading any.
"""

import importlib
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import click

from twelvefold import __version__
from twelvefold.channels.terminal import visible
from twelvefold.cli import exits
from twelvefold.cli.here import Here
from twelvefold.cli.options import shared
from twelvefold.summary import short

SIMILAR_MAX = 1

Table = Mapping[str, "tuple[str, str] | Mapping[str, Any]"]

THREADS: Table = {
    "list": ("listing:list_threads", "The newest threads first"),
    "show": ("showing:show", "The events of a thread"),
    "fork": ("copying:fork", "Copy a thread up to an event into a new one"),
    "replay": ("copying:replay", "Decide again what was decided, and compare"),
    "export": ("copying:export", "A thread as JSON Lines"),
}
CONTEXT: Table = {
    "show": ("requests:show", "The exact request to the model"),
}
COMMANDS: Table = {
    "demo": ("demo:demo", "The deploybot, end to end, here in the terminal"),
    "run": ("running:run", "Start a thread and follow it until it ends or pauses"),
    "send": ("running:send", "Append a message or a signal"),
    "pause": ("controls:pause", "Decide nothing more until resume"),
    "resume": ("controls:resume", "Go on: after a pause, a limit, or a process that ended"),
    "cancel": ("controls:cancel", "End a thread and those it launched, for good"),
    "retry": ("controls:retry", "Decide again after a failure"),
    "threads": THREADS,
    "inbox": ("listing:inbox", "What waits for a human"),
    "approve": ("deciding:approve", "Let exactly this step run"),
    "deny": ("deciding:deny", "Refuse a step; the model reads why"),
    "edit": ("deciding:edit", "Change the arguments of a step, then let it run"),
    "answer": ("deciding:answer", "Answer a question, or say what became of a run"),
    "context": CONTEXT,
    "doctor": ("doctor:doctor", "Look at the application, the log and what waits"),
    "version": ("version:version", "The version of twelvefold, Python and SQLite"),
}
_GROUP_HELP = {"threads": "List, show, fork, replay, export", "context": "What the model reads"}


class Lazy(click.Group):
    """A group whose commands load from `twelvefold.cli.<module>:<name>` when they run."""

    def __init__(self, name: str | None, table: Table, **kwargs: Any) -> None:
        super().__init__(name, params=shared(), no_args_is_help=False, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = self.table.get(cmd_name)
        if found is None or isinstance(found, Mapping):
            return None if found is None else Lazy(cmd_name, found, help=_GROUP_HELP[cmd_name])
        module, _, name = found[0].partition(":")
        return getattr(importlib.import_module(f"twelvefold.cli.{module}"), name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # before click sees it, which would exit as if work had failed
            here = ctx.ensure_object(Here)
            here.out.mute()
            return exits.PIPE_CLOSED

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, _GROUP_HELP[name] if isinstance(found, Mapping) else found[1])
            for name, found in self.table.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.table:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.table, SIMILAR_MAX)
            hint = f" Did you mean {near[0]}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


def root() -> Lazy:
    """The command `twelvefold` itself. Alone, it prints the status and the next thing to do."""

    def bare(version: bool) -> int | None:
        context = click.get_current_context()
        here = context.ensure_object(Here)
        if version:
            here.out.line(f"twelvefold {__version__}")
            context.exit(exits.DONE)
        if context.invoked_subcommand is None:
            from twelvefold.cli.status import status

            return status(here)
        return None

    tree = Lazy(
        "twelvefold",
        COMMANDS,
        callback=bare,
        invoke_without_command=True,
        help="Agents as a pure function over an append-only log.",
    )
    tree.params.append(click.Option(["--version"], is_flag=True, help="The version."))
    return tree


def call(args: Sequence[str]) -> int:
    """Run one command; its exit code. Writes to stdout and stderr, and raises nothing."""
    here = Here()
    try:
        with_code = root().main(list(args), "twelvefold", standalone_mode=False, obj=here)
        return with_code if isinstance(with_code, int) else exits.DONE
    except SystemExit as ended:  # of a tool, or of click when nobody reads the help
        here.out.mute()
        return ended.code if isinstance(ended.code, int) else exits.FAILED
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.UsageError as error:
        return _usage(error, here)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(here)
    except Exception as error:
        return _failed(error, here)
    finally:
        here.close()


def _usage(error: click.UsageError, here: Here) -> int:
    path = error.ctx.command_path if error.ctx else "twelvefold"
    here.out.say(f"error: {error.format_message()}")
    here.out.say(f"next:  {path} --help")
    return exits.USAGE


def _interrupted(here: Here) -> int:
    here.out.say("interrupted: what was recorded is kept.")
    if here.thread_ids:
        here.out.say(f"next:  twelvefold resume {short(here.thread_ids[-1])}")
    return exits.INTERRUPTED


def _failed(error: Exception, here: Here) -> int:
    if here.debug:
        for line in "".join(traceback.format_exception(error)).rstrip().split("\n"):
            here.out.say(line)
    for line in exits.text_of(error, thread_ids=here.thread_ids).split("\n"):
        here.out.say(visible(line))
    return exits.code_of(error)
