"""Data as HTML that shows every character of it, and times as people say them."""

from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from twelvefold.contacts import ago
from twelvefold.notices import left, visible

RECENT = timedelta(seconds=5)


def shown(text: object) -> Markup:
    """Text of somebody else, alone in its direction of writing; what nobody sees is marked."""
    return Markup("<bdi>{}</bdi>").format(_marked(str(text)))


def shown_lines(text: object) -> Markup:
    """The same for a text of several lines."""
    return Markup("<br>").join(map(shown, str(text).split("\n")))


def in_words(text: object) -> Markup:
    """A sentence of ours: what stands between backticks in it is code."""
    parts = str(text).split("`")
    said = (Markup("<code>{}</code>") if n % 2 else Markup("{}") for n in range(len(parts)))
    return Markup("").join(one.format(shown(part)) for one, part in zip(said, parts, strict=True))


def long_ago(at: datetime, now: datetime) -> Markup:
    """`8 min ago`, with the whole time for who points at it or listens."""
    return _time(at, f"{ago(now - at)} ago" if now - at >= RECENT else "just now")


def until(deadline: datetime, now: datetime) -> Markup:
    """`in 3 h`, or that it is over."""
    left_s = (deadline - now).total_seconds()
    return _time(deadline, f"in {left(left_s)}" if left_s > 0 else "over")


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
