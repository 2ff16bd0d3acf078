"""What `twelvefold approve` shows of a contact, and the conversation about it on a terminal."""

from collections.abc import Callable
from datetime import UTC, datetime

from twelvefold.channels.terminal import Terminal, ask_key, ask_text, contact_lines
from twelvefold.cli.decision import Asked, Given
from twelvefold.cli.editing import changes_of
from twelvefold.cli.here import Here
from twelvefold.context import render
from twelvefold.exceptions import InvalidAnswer


def ask_about(here: Here, terminal: Terminal, asked: Asked, given: Given) -> Given | None:
    """Show the contact and ask until there is a decision; None when the person leaves."""
    here.out.line(f"  {asked.shown_id}", bold=True)
    for line in _lines(asked):
        here.out.line(f"  {line}")
    while True:
        match ask_key(terminal):
            case "approve":
                return given
            case "quit":
                return None
            case "context":
                for line in render(asked.thread).split("\n"):
                    here.out.line(f"    {line}")
            case "deny":
                if comment := given.comment or ask_text(terminal, "Why not? The model reads it"):
                    return Given("deny", comment=comment)
            case "edit":
                if edit := _edit(here, asked, given):
                    return edit


def show(asked: Asked, say: Callable[[str], None]) -> None:
    """The exact call, before it is decided."""
    say(f"to be approved: {asked.shown_id}")
    for line in _lines(asked):
        say(f"  {line}")


def _edit(here: Here, asked: Asked, given: Given) -> Given | None:
    try:
        changes = changes_of(here, asked, ())
    except InvalidAnswer as error:
        here.out.line(f"  {error}")
        return None
    return Given("edit", comment=given.comment, changes=changes) if changes else None


def _lines(asked: Asked) -> list[str]:
    return contact_lines(asked.row, asked.thread, now=datetime.now(UTC))
