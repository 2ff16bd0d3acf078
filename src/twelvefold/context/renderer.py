"""A rendering of your own: some types by your functions, words from outside labelled, all else as
the default shows it.

Each event is shown once per loaded log and kept, so a view must be a pure function of its event.
Tags and escapes are written here: what a view returns cannot open or close a tag.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from twelvefold.context import as_chat, as_json, parts
from twelvefold.context.selected import each, joined
from twelvefold.context.shown import View, tag_of, view
from twelvefold.context.tagged import Piece, Source, tagged
from twelvefold.exceptions import ConfigurationError
from twelvefold.messages import Message
from twelvefold.thread import Event, Thread

ViewOf = Callable[[Event], View | str]
"""What is shown of an event: a tag and a body, or a text under the tag it has anyway."""

Shown = Thread | Sequence[Event]


class Renderer:
    """What the model reads. Calling it gives the text; the other forms have methods.

    `views`: {event type: its view}. `source`: who outside wrote an event (`outside(...)` makes
    one); it is then labelled. Raises `ConfigurationError` for a view that shows nothing: leave
    events out by `menu.without`, where everybody sees it.
    """

    def __init__(
        self, views: Mapping[str, ViewOf] | None = None, *, source: Source | None = None
    ) -> None:
        self._views, self._source = dict(views or {}), source

    def __call__(self, thread: Shown) -> str:
        return joined(thread, self.event)

    def message(self, thread: Shown, *, part_chars_min: int = parts.PART_CHARS_MIN) -> Message:
        """The same text as one user message of several parts, for a provider's prompt cache."""
        return parts.message_of(each(thread, self.event), part_chars_min)

    def json(self, thread: Shown) -> str:
        """One line `{"<tag>": body}` per event."""
        return joined(thread, self._line)

    def chat(self, thread: Shown) -> tuple[Message, ...]:
        """Chosen steps as the assistant's messages, all else as the user's. No messages for a
        thread that shows nothing."""
        return as_chat.messages([said for said in each(thread, self._said) if said is not None])

    def event(self, event: Event) -> str:
        """One event as `<tag>`, body and `</tag>`; "" for one that the model need not see."""
        piece = self.piece(event)
        return "" if piece is None else tagged(piece)

    def piece(self, event: Event) -> Piece | None:
        """What is shown of an event, and who outside wrote it."""
        shown = view(event) if event.type not in self._views else self._viewed(event)
        if shown is None:
            return None
        return Piece(shown, None if self._source is None else self._source(event))

    def _viewed(self, event: Event) -> View:
        made = cast(Any, self._views[event.type](event))
        match made:
            case str():
                default = view(event)
                return tag_of(event.type) if default is None else default[0], made
            case (str(tag), body) if _TAG.fullmatch(tag):
                return tag, body
            case _:
                raise ConfigurationError(
                    f"The view of {event.type} returned {str(made)[:60]!r}: return a text, or a tag"
                    " (a-z, 0-9, _) and a body. To leave events out, use menu.without."
                )

    def _line(self, event: Event) -> str:
        piece = self.piece(event)
        return "" if piece is None else as_json.line(piece)

    def _said(self, event: Event) -> as_chat.Said | None:
        piece = self.piece(event)
        return None if piece is None else as_chat.said(event, piece)


_TAG = re.compile(r"[a-z_][a-z0-9_]*")
