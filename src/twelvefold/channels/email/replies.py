"""The words of a mail, and of a reply only the new ones."""

import re
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

from twelvefold.channels.email.servers import library

TEXT_CHARS_MAX = 50_000
HTML_CHARS_MAX = 40_000
"""Read where a mail has no text. The parser, too, takes a time that grows faster than its input."""
SEARCHED_CHARS_MAX = 4_000
"""Where quotes and signatures are looked for. The library's patterns take a time that grows faster
than the text, and for many blank lines without end, so those are gone before."""
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "sv", "da")

_BLANKS = re.compile(r"\n{3,}")
_UNSEEN = frozenset({"head", "style", "script", "title", "blockquote"})
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3"})


def text_of(mail: EmailMessage) -> str:
    """The text part; where there is none, that of the HTML. What is longer is cut."""
    body: Any = mail.get_body(("plain", "html"))
    if body is None:
        return ""
    try:
        content = str(body.get_content())
    except LookupError:  # a charset that nobody knows
        content = body.get_payload(decode=True).decode("utf-8", "replace")
    is_html = body.get_content_subtype() == "html"
    return (_shown(content[:HTML_CHARS_MAX]) if is_html else content)[:TEXT_CHARS_MAX]


def latest(text: str) -> str:
    """Without what is quoted, without who wrote it when, and without a signature."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    unquoted = "\n".join(line for line in lines if not line.startswith(">"))
    said = _BLANKS.sub("\n\n", unquoted).strip()
    begin, rest = said[:SEARCHED_CHARS_MAX], said[SEARCHED_CHARS_MAX:]
    cut = _cut(begin)
    return cut + rest if cut == begin else cut.strip()


def _cut(text: str) -> str:
    parser = library("mailparser_reply")
    known = parser.EmailReplyParser(languages=[*LANGUAGES]).languages
    mail = parser.EmailMessage(text=text, languages=known, keep_hyphen_lists=True).read()
    first = next(iter(mail.replies), None)
    return "" if first is None or first.headers else str(first.body)


def _shown(html: str) -> str:
    text = _Text()
    text.feed(html)
    text.close()
    return "".join(text.parts)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in _UNSEEN:
            self._inside.append(tag)
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            del self._inside[self._inside.index(tag) :]

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.parts.append(data)
