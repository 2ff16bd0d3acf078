"""The terminal as a channel: a contact as text, and a question to whoever sits there.

No escape sequence, direction mark or invisible character of any data reaches the screen: `visible`
writes them as escapes. A contact is shown in full; nothing of it is cut.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from twelvefold.store import ContactRow
from twelvefold.thread import Event, Json, Thread, from_iso, to_text

GUTTER = "| "
"""Begins each line of a text of several lines, so that none can pass for a line of ours."""

Key = Literal["approve", "edit", "deny", "context", "quit"]
KEYS: Mapping[str, Key] = {
    "a": "approve",
    "e": "edit",
    "d": "deny",
    "c": "context",
    "q": "quit",
}

# What str.isprintable lets pass although nobody can see it: joiners, fillers, variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


def visible(text: str) -> str:
    """One line that shows every character of `text`, the unseen ones as escapes."""
    if text.isprintable() and not _UNSEEN.search(text):
        return text
    return "".join(map(_seen, text))


def _seen(char: str) -> str:
    if char.isprintable() and not _UNSEEN.match(char):
        return char
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    code = ord(char)
    if code < 0x100:
        return known.get(char, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def contact_lines(row: ContactRow, thread: Thread, *, now: datetime) -> list[str]:
    """All that a person needs to decide: what, each argument, risk, deadline, who asks whom, and
    what arrived since."""
    data = row.data
    lines = [f"{visible(row.agent)} {_wish(row)}    {_dates(row, now)}"]
    if data.get("question"):
        lines += _indented(str(data["question"]).split("\n"), "  " + GUTTER)
    lines += argument_lines(data["args"])
    lines.append(f"  asked of {visible(_people(data['to']))}, chosen by {_chooser(row, thread)}")
    if late := messages_since(row, thread):
        lines.append("  ! arrived after this was asked:")
        lines += [f"      {event.seq}  {_message(event)}" for event in late]
    return lines


def _wish(row: ContactRow) -> str:
    intent, risk = visible(str(row.data["intent"])), visible(str(row.data.get("risk", "low")))
    match row.data["kind"]:
        case "approval":
            return f"wants   {intent}    {risk} risk"
        case "question":
            return "asks"
        case "outcome":
            return f"does not know what became of   {intent}    {risk} risk"
        case _:
            return f"cannot read   {intent}"


def _dates(row: ContactRow, now: datetime) -> str:
    asked = f"asked {ago((now - row.asked_at).total_seconds())} ago"
    if row.data.get("deadline") is None:
        return f"{asked}, no deadline"
    left_s = (from_iso(row.data["deadline"]) - now).total_seconds()
    return f"{asked}, " + (f"expires in {ago(left_s)}" if left_s > 0 else "expired")


def ago(seconds: float) -> str:
    """A duration in its largest unit: `8 s`, `2 min`, `3 h`, `5 d`."""
    whole = max(int(seconds), 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def argument_lines(args: Mapping[str, Json]) -> list[str]:
    """Each argument in full. Nested values are JSON, texts of several lines have a gutter."""
    names = {name: visible(name) for name in args}
    width = max(map(len, names.values()), default=0)
    lines: list[str] = []
    for name, value in args.items():
        parts = _value_lines(value)
        lines.append(f"      {names[name]:<{width}}  {parts[0]}")
        lines += [" " * (width + 8) + part for part in parts[1:]]
    return lines or ["      (no arguments)"]


def _value_lines(value: Json) -> list[str]:
    if not isinstance(value, str):
        return [visible(to_text(value))]
    if "\n" in value:
        return [GUTTER + visible(line) for line in value.split("\n")]
    # Quotes where the text alone would hide its ends, or pass for another kind of value.
    plain = value and value == value.strip() and not _LOOKS_LIKE_JSON.fullmatch(value)
    return [visible(value if plain else to_text(value))]


_LOOKS_LIKE_JSON = re.compile(r"null|true|false|-?[0-9].*|[\[{\"|].*", re.DOTALL)


def _people(to: Mapping[str, Json]) -> str:
    people = [str(person) for person in to["people"]]
    if to.get("needed", 1) > 1:
        return f"{to['needed']} of {', '.join(people)}"
    return " or ".join(people)


def _chooser(row: ContactRow, thread: Thread) -> str:
    steps = [e for e in thread.events if e.type == "next_step_chosen"]
    number = int(str(row.data["step"]).removeprefix("s"))
    if number > len(steps):
        return "nobody known"
    chosen = steps[number - 1].data
    return {"model": "the model", "code": "code"}.get(
        str(chosen["by"]), visible(str(chosen.get("person") or chosen["by"]))
    )


def messages_since(row: ContactRow, thread: Thread) -> list[Event]:
    """The messages that arrived after the contact was asked."""
    asked = [
        e.seq
        for e in thread.events
        if e.type == "contact_requested" and e.data.get("contact") == row.id
    ]
    since = asked[-1] if asked else thread.head
    return [e for e in thread.events if e.type == "message_received" and e.seq > since]


def _message(event: Event) -> str:
    sender = event.data.get("from") or event.data.get("channel") or "user"
    return f"{visible(str(sender))}: {visible(to_text(event.data.get('text')))}"


def _indented(lines: list[str], indentation: str) -> list[str]:
    return [indentation + visible(line) for line in lines]


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
