"""A notice as a fragment of HTML, for mail and for pages. Data makes no tag, no link, no style."""

from datetime import datetime
from html import escape

from twelvefold.notices.lines import value_lines
from twelvefold.notices.notice import Notice
from twelvefold.notices.visible import visible
from twelvefold.thread import Json


def as_html(notice: Notice, *, now: datetime) -> str:
    """The same as `as_lines` says. Each value stands alone, whatever its direction of writing."""
    parts = [f"<h1>{_text(notice.agent)} {_text(notice.wish)}</h1>", f"<p>{notice.dates(now)}</p>"]
    if notice.question:
        parts.append(f"<blockquote>{_lines(notice.question)}</blockquote>")
    if notice.args:
        parts.append(f"<dl>{''.join(_argument(*arg) for arg in notice.args)}</dl>")
    for name, text in notice.why:
        parts.append(f"<p>{name} (AI, nobody checked it):</p>")
        parts.append(f"<blockquote>{_lines(text)}</blockquote>")
    if notice.options:
        options = (f"<li>{_text(name)}: {_text(title)}</li>" for name, title in notice.options)
        parts.append(f"<ul>{''.join(options)}</ul>")
    parts.append(f"<p>asked of {_text(notice.asked_of)}, chosen by {_text(notice.chooser)}</p>")
    if notice.since:
        late = (f"<li>{seq} {_text(who)}: {_text(text)}</li>" for seq, who, text in notice.since)
        parts.append(f"<p>arrived after this was asked:</p><ul>{''.join(late)}</ul>")
    return "\n".join(parts) + "\n"


def _argument(name: str, value: Json) -> str:
    shown = "<br>".join(map(_safe, value_lines(value)))
    return f"<dt>{_text(name)}</dt><dd><code>{shown}</code></dd>"


def _lines(text: str) -> str:
    return "<br>".join(_text(line) for line in text.split("\n"))


def _text(text: str) -> str:
    return _safe(visible(text))


def _safe(shown: str) -> str:
    return f"<bdi>{escape(shown)}</bdi>"
