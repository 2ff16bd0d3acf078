"""The terminal as a channel: a contact as text, and a question to whoever sits there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from twelvefold.notices import as_lines, notice_of, visible
from twelvefold.store import ContactRow
from twelvefold.thread import Thread

Key = Literal["approve", "edit", "deny", "context", "quit"]
KEYS: Mapping[str, Key] = {
    "a": "approve",
    "e": "edit",
    "d": "deny",
    "c": "context",
    "q": "quit",
}


def contact_lines(row: ContactRow, thread: Thread, *, now: datetime) -> list[str]:
    """All that a person needs to decide, in full."""
    return as_lines(notice_of(row, thread), now=now)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where questions go. `read` shows a prompt and returns a line, or raises `EOFError`."""

    read: Callable[[str], str]
    say: Callable[[str], None]


def ask_key(terminal: Terminal) -> Key:
    """Ask until one of `KEYS` is given. The end of the input is `quit`."""
    prompt = "  " + "  ".join(f"[{word[0]}]{word[1:]}" for word in KEYS.values()) + " > "
    while True:
        try:
            given = terminal.read(prompt).strip().lower()
        except EOFError:
            return "quit"
        if given in KEYS:
            return KEYS[given]
        if given in KEYS.values():
            return cast(Key, given)
        terminal.say(f"  {visible(given) or 'Nothing'} is none of {', '.join(KEYS)}.")


def ask_text(terminal: Terminal, prompt: str) -> str | None:
    """Ask until something is written; None at the end of the input."""
    while True:
        try:
            given = terminal.read(f"  {prompt} > ").strip()
        except EOFError:
            return None
        if given:
            return given
        terminal.say("  This cannot be empty.")
