"""Data as HTML that shows every character of it, and times as people say them."""

from datetime import UTC, datetime

from markupsafe import Markup, escape

from twelvefold.contacts import ago
from twelvefold.notices import visible


def shown(text: object) -> Markup:
    """Text of somebody else, alone in its direction of writing; what nobody sees is marked."""
    return Markup("<bdi>{}</bdi>").format(_marked(str(text)))


def shown_lines(text: object) -> Markup:
    """The same for a text of several lines."""
    return Markup("<br>").join(map(shown, str(text).split("\n")))


def long_ago(at: datetime, now: datetime) -> Markup:
    """`8 min ago`, with the whole time for who points at it or listens."""
    return _time(at, f"{ago(now - at)} ago")


def until(deadline: datetime, now: datetime) -> Markup:
    """`in 3 h`, or that it is over."""
    return _time(deadline, f"in {ago(deadline - now)}" if deadline > now else "over")


def moment(at: datetime) -> str:
    """`Fri 20 Nov, 16:03 UTC`: one zone for all who talk about it."""
    return f"{at.astimezone(UTC):%a %-d %b, %H:%M} UTC"


def _time(at: datetime, said: str) -> Markup:
    iso = at.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, moment(at), said)


def _marked(text: str) -> Markup:
    if visible(text) == text:
        return escape(text)
    return Markup("").join(map(_one, text))


def _one(char: str) -> Markup:
    seen = visible(char)
    return escape(char) if seen == char else Markup('<span class="unseen">{}</span>').format(seen)
