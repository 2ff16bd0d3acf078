"""Render a thread as what a model reads, and read that back.

Each event that the model needs becomes `<tag>`, a YAML body and `</tag>`, in the order of the log;
`render_json` and `render_chat` say the same in other forms. `view` says what is shown of an event.

No content can open or close a tag, end a line or begin a message: each `parse` is the exact inverse
of its rendering.
"""

from collections.abc import Sequence

from twelvefold.context import as_chat, as_json, parts, tagged
from twelvefold.context.renderer import Renderer, Shown, ViewOf
from twelvefold.context.shown import HIDDEN, NESTED_MAX, OUTCOMES_HIDDEN, View, view
from twelvefold.context.tagged import Source
from twelvefold.messages import Message
from twelvefold.thread import Event

__all__ = [
    "HIDDEN",
    "NESTED_MAX",
    "OUTCOMES_HIDDEN",
    "Renderer",
    "Source",
    "View",
    "ViewOf",
    "parse",
    "parse_chat",
    "parse_json",
    "render",
    "render_chat",
    "render_event",
    "render_json",
    "render_message",
    "sources",
    "view",
]

_DEFAULT = Renderer()


def render(thread: Shown) -> str:
    """The default context of a thread, or of events that you picked from one.

    What the newest `context_compacted` sums up is left out. An event of a thread is rendered once
    per loaded log: a turn costs its new events.
    """
    return _DEFAULT(thread)


def render_json(thread: Shown) -> str:
    """One line `{"<tag>": body}` per event."""
    return _DEFAULT.json(thread)


def render_chat(thread: Shown) -> tuple[Message, ...]:
    """Chosen steps as the assistant's messages, all else as the user's. The first and the last are
    the user's; there are none for a thread that shows nothing."""
    return _DEFAULT.chat(thread)


def render_message(thread: Shown, *, part_chars_min: int = parts.PART_CHARS_MIN) -> Message:
    """`render(thread)` as one user message of several parts, for a provider's prompt cache."""
    return _DEFAULT.message(thread, part_chars_min=part_chars_min)


def render_event(event: Event) -> str:
    """One event as `<tag>`, body and `</tag>`; "" for an event that the model need not see."""
    return _DEFAULT.event(event)


def parse(text: str) -> list[View]:
    """The tags and bodies that `render` wrote. Raises `NotRendered` for any other text."""
    return [piece.view for piece in tagged.pieces_of(text)]


def parse_json(text: str) -> list[View]:
    """The tags and bodies that `render_json` wrote. Raises `NotRendered` for any other text."""
    return [piece.view for piece in as_json.pieces_of(text)]


def parse_chat(messages: Sequence[Message]) -> list[View]:
    """The tags and bodies in messages of `render_chat`. Raises `NotRendered` for any others."""
    return [piece.view for piece in as_chat.pieces_in(messages)]


def sources(text: str) -> list[str | None]:
    """Beside each view of `parse(text)`: who outside wrote it, None where nobody is named."""
    return [piece.source for piece in tagged.pieces_of(text)]
