"""Render a thread as the text that a model reads, and read that text back.

Each event that the model needs becomes `<tag>`, a YAML body and `</tag>`, in the order of the log.
`view` says what is shown of an event, `render_event` writes it, `parse` is the exact inverse.

No content can open or close a tag: in a body, a `<` that could do so is written `&lt;`.
"""

import re
from collections.abc import Sequence

from twelvefold.context.body import from_yaml, to_yaml
from twelvefold.context.menu import compaction, newest_compaction
from twelvefold.context.shown import HIDDEN, NESTED_MAX, OUTCOMES_HIDDEN, View, view
from twelvefold.exceptions import NotRendered
from twelvefold.tags import escape, unescape
from twelvefold.thread import Event, Thread

__all__ = [
    "HIDDEN",
    "NESTED_MAX",
    "OUTCOMES_HIDDEN",
    "View",
    "parse",
    "render",
    "render_event",
    "rendered",
    "view",
]


def render(thread: Thread | Sequence[Event]) -> str:
    """The default context of a thread, or of events that you picked from one.

    What the newest `context_compacted` sums up is left out. An event of a thread is rendered once
    per loaded log: a turn costs its new events.
    """
    texts = rendered(thread) if isinstance(thread, Thread) else map(render_event, thread)
    return "".join(texts)


def rendered(thread: Thread) -> list[str]:
    """The text of each event, in the order of the context; joined they are `render(thread)`."""
    shown = thread.each(render_event)
    newest = thread.running(newest_compaction)
    if newest is None:
        return shown
    events = thread.events[newest.data["upto"] :]
    return [shown[newest.seq - 1], *(shown[e.seq - 1] for e in events if not compaction(e))]


def render_event(event: Event) -> str:
    """One event as `<tag>`, body and `</tag>`; "" for an event that the model need not see."""
    shown = view(event)
    if shown is None:
        return ""
    tag, body = shown
    return f"<{tag}>\n{escape(to_yaml(body))}</{tag}>\n"


def parse(text: str) -> list[View]:
    """The tags and bodies that `render` wrote. Raises `NotRendered` for any other text."""
    events: list[View] = []
    at = 0
    while at < len(text):
        found = _RENDERED.match(text, at)
        if found is None:
            raise NotRendered(f"no rendered event begins at character {at}: {text[at : at + 40]!r}")
        events.append((found[1], from_yaml(unescape(found[2]))))
        at = found.end()
    return events


_RENDERED = re.compile(r"<([a-z_][a-z0-9_]*)>\n(.*?\n)</\1>\n", re.DOTALL)
