"""The tree of commands, and the one place where a command's end becomes an exit code.

A command's module loads when the command runs. Help is printed from the table, without loading any.
"""

import importlib
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from twelvefold import __version__
from twelvefold.cli import exits
from twelvefold.cli.here import Here
from twelvefold.cli.options import shared
from twelvefold.notices import visible
from twelvefold.summary import short

SIMILAR_MAX = 1

Table = Mapping[str, "tuple[str, str] | Mapping[str, Any]"]

THREADS: Table = {
    "list": ("listing:list_threads", "The newest threads first"),
    "show": ("showing:show", "The events of a thread"),
    "fork": ("copying:fork", "Copy a thread up to an event into a new one"),
    "replay": ("copying:replay", "Decide again what was decided, and compare"),
    "diff": ("filing:diff", "Compare two threads, or exported files"),
    "export": ("filing:export", "A thread as JSON Lines or Markdown"),
    "import": ("filing:import_", "Begin a thread with an exported log"),
    "verify": ("auditing:verify_", "Whether a log is what was written, by its hash chain"),
    "heads": ("auditing:heads", "The newest event of each thread, to be kept elsewhere"),
    "erase": ("erasing:erase", "Drop what the events of an ended thread hold, for good"),
}
CONTEXT: Table = {
    "show": ("requests:show", "The exact request to the model"),
}
DB: Table = {
    "status": ("database:status", "The file: its schema, its size, what is pending"),
    "migrate": ("database:migrate", "Bring the schema up to date, or print how"),
    "rebuild": ("database:rebuild", "Derive the lists again from the log"),
    "backup": ("backing_up:backup", "Copy the log as it is, while it is used"),
    "scrub": ("database:scrub", "Overwrite what erased events left in the file"),
}
KEYS: Table = {
    "create": ("keys:create", "Make a key and show it, once"),
    "list": ("keys:list_", "Whose keys there are, and until when"),
    "rotate": ("keys:rotate", "Another secret; the one before ends at a date"),
    "revoke": ("keys:revoke", "End a key now, for good"),
}
MCP: Table = {
    "serve": ("gateway:serve", "The agents as tools of an MCP client that starts this"),
    "list": ("pinning:list_", "What the servers offer, and what of it is allowed"),
    "check": ("pinning:check", "Whether the allowed tools are as they were accepted"),
    "accept": ("pinning:accept", "Pin tools as their servers describe them now"),
}
CONFIG: Table = {
    "show": ("settings:show", "Each setting and where it comes from"),
}
COMMANDS: Table = {
    "demo": ("demo:demo", "The deploybot, end to end, here in the terminal"),
    "add": ("adding:add", "Copy a small file that is yours into your project"),
    "new": ("making:new", "A project of your own: agent, tools, prompts, tests, deployment"),
    "eject": ("ejecting:eject", "Copy a module of twelvefold into your project, and use that one"),
    "run": ("running:run", "Start a thread and follow it until it ends or pauses"),
    "send": ("running:send", "Append a message or a signal"),
    "pause": ("controls:pause", "Decide nothing more until resume"),
    "resume": ("controls:resume", "Go on: after a pause, a limit, or a process that ended"),
    "cancel": ("controls:cancel", "End a thread and those it launched, for good"),
    "retry": ("controls:retry", "Decide again after a failure"),
    "serve": ("serving:serve", "The HTTP API and the inbox, until stopped"),
    "dev": ("developing:dev", "Server, engine and inbox here, started anew when a file changes"),
    "worker": ("worker:worker", "Advance threads and launch what is scheduled, until stopped"),
    "threads": THREADS,
    "inbox": ("inbox:inbox", "What waits for a human"),
    "approve": ("deciding:approve", "Let exactly this step run"),
    "deny": ("deciding:deny", "Refuse a step; the model reads why"),
    "edit": ("deciding:edit", "Change the arguments of a step, then let it run"),
    "choose": ("deciding:choose", "End a contact by one of its options"),
    "reassign": ("moving:reassign", "Let somebody else be asked instead"),
    "escalate": ("moving:escalate", "Ask those now whom the deadline would ask"),
    "remind": ("moving:remind", "Ask those who are asked once more"),
    "answer": ("deciding:answer", "Answer a question, or say what became of a run"),
    "audit-log": ("auditing:audit_log", "Who decided what, when, seeing which digest"),
    "context": CONTEXT,
    "test": ("cases:test", "The cases beside the prompts, offline"),
    "eval": ("evaluating:eval_", "The same cases of a live model, several times each"),
    "db": DB,
    "keys": KEYS,
    "mcp": MCP,
    "config": CONFIG,
    "stats": ("stats:stats", "Queue, oldest wait, workers and lag"),
    "doctor": ("doctor:doctor", "Look at the application, the log and what waits"),
    "completion": ("completing:completion", "The script that completes commands in your shell"),
    "version": ("version:version", "The version of twelvefold, Python and SQLite"),
}
_GROUP_HELP = {
    "threads": "List, show, fork, replay, diff, export, import, verify, erase",
    "context": "What the model reads",
    "db": "The file or database of the log: status, migrate, rebuild, backup, scrub",
    "keys": "Who may use the server: create, list, rotate, revoke",
    "mcp": "The agents as tools: serve; the tools of other servers: list, check, accept",
    "config": "Where the application and the log are found",
}


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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """From the table, for a shell waits on each key: no command is loaded."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        rows = self._rows()
        return [CompletionItem(n, help=says) for n, says in rows if n.startswith(incomplete)]

    def _rows(self) -> list[tuple[str, str]]:
        return [
            (name, _GROUP_HELP[name] if isinstance(found, Mapping) else found[1])
            for name, found in self.table.items()
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(self._rows())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.table and not ctx.resilient_parsing:
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
    here.out.say(f"error: {' '.join(error.format_message().split())}")  # choices come as a list
    here.out.say(f"next:  {path} --help")
    return exits.USAGE


def _interrupted(here: Here) -> int:
    here.out.say("interrupted: what was recorded is kept.")
    if here.thread_ids:
        following = here.again(f"twelvefold resume {short(here.thread_ids[-1])}")
        here.out.say(f"next:  {following}")
    return exits.INTERRUPTED


def _failed(error: Exception, here: Here) -> int:
    if here.debug:
        for line in "".join(traceback.format_exception(error)).rstrip().split("\n"):
            here.out.say(line)
    text = exits.text_of(error, thread_ids=here.thread_ids, then=here.then, again=here.again)
    for line in text.split("\n"):
        here.out.say(visible(line))
    return exits.code_of(error)
