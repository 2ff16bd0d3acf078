"""What people say in the demo: the answers of a script, or of the person at the terminal."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import click

from twelvefold.channels.terminal import Terminal, ask_key, ask_text, contact_lines
from twelvefold.cli.decision import Given
from twelvefold.cli.editing import changed
from twelvefold.context import render
from twelvefold.exceptions import InvalidAnswer
from twelvefold.store import ContactRow
from twelvefold.thread import Thread

PAGE = "deny:can you deploy the backend first?,approve,approve"
_NEXT_ANSWER = re.compile(r",(?=\s*(?:approve|deny|edit|answer)\s*(?:[:,]|$))")
_FORMS = "approve, deny:WHY, edit:NAME=VALUE or answer:TEXT"


Answers = Callable[[ContactRow, Thread], Given | None]
"""Who answers; None when nobody does any more."""


def parse_answers(text: str) -> list[Given]:
    """`deny:why,approve`; a comma within a comment is kept. Raises `click.UsageError`."""
    return [_given(part.strip()) for part in _NEXT_ANSWER.split(text)]


def _given(part: str) -> Given:
    word, _, rest = (piece.strip() for piece in part.partition(":"))
    name, sign, value = (piece.strip() for piece in rest.partition("="))
    match word:
        case "approve" if not rest:
            return Given("approve")
        case "deny" if rest:
            return Given("deny", comment=rest)
        case "answer" if rest:
            return Given("answer", value=rest)
        case "edit" if name and sign and value:
            return Given("edit", changes={name: value})
        case _:
            raise click.UsageError(f"--answers: {part!r} is none of {_FORMS}.")


def scripted(given: Sequence[Given]) -> Answers:
    """One after the other, whatever is asked."""
    left: Iterator[Given] = iter(given)

    def answer(row: ContactRow, thread: Thread) -> Given | None:
        return next(left, None)

    return answer


def asked_at(terminal: Terminal) -> Answers:
    """Ask whoever sits there."""

    def answer(row: ContactRow, thread: Thread) -> Given | None:
        terminal.say("")
        for line in contact_lines(row, thread, now=datetime.now(UTC)):
            terminal.say(line)
        if row.data["kind"] == "approval":
            return _approval(terminal, row, thread)
        said = ask_text(terminal, "Your answer")
        return None if said is None else Given("answer", value=said)

    return answer


def _approval(terminal: Terminal, row: ContactRow, thread: Thread) -> Given | None:
    while True:
        match ask_key(terminal):
            case "approve":
                return Given("approve")
            case "deny":
                why = ask_text(terminal, "Why not? The model reads it")
                return None if why is None else Given("deny", comment=why)
            case "edit":
                change = ask_text(terminal, "NAME=VALUE")
                if change is None:
                    return None
                try:
                    return Given("edit", changes=changed(row.data["args"], [change]))
                except InvalidAnswer as error:
                    terminal.say(f"  {error}")
            case "context":
                for line in render(thread).splitlines():
                    terminal.say(f"  | {line}")
            case "quit":
                return None
