"""The options that every command shares, accepted before and after its name."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

from twelvefold.cli.here import Here

F = TypeVar("F", bound=Callable[..., Any])


def _keep(attribute: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            setattr(context.find_object(Here), attribute, value)

    return keep


def shared() -> list[click.Parameter]:
    """New objects each time: click ties an option to its command."""
    flag = partial(click.Option, is_flag=True, expose_value=False)
    name = partial(click.Option, expose_value=False)
    return [
        name(
            ["--app"],
            metavar="FILE.py:APP",
            help="The application [TWELVEFOLD_APP].",
            callback=_keep("app_name"),
        ),
        name(
            ["--store"],
            metavar="URL",
            help="The log, a path or URL [TWELVEFOLD_STORE].",
            callback=_keep("store_name"),
        ),
        flag(["--json"], help="One JSON document, or JSON Lines.", callback=_keep("json")),
        flag(["--verbose"], help="Show the log on stderr.", callback=_keep("verbose")),
        flag(["--debug"], help="Show tracebacks.", callback=_keep("debug")),
    ]


class Command(click.Command):
    """A command with the shared options. What it returns is its exit code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *shared()]


command = partial(click.command, cls=Command)

as_person = click.option(
    "--as", "person", metavar="NAME", help="Who decides; your login otherwise."
)


def follows(function: F) -> F:
    """The options of commands that advance a thread and follow it."""
    detach = click.option("--detach", is_flag=True, help="Do not advance or follow; return now.")
    timeout = click.option(
        "--timeout", "timeout_s", type=float, metavar="SECONDS", help="Stop following after this."
    )
    return detach(timeout(function))
