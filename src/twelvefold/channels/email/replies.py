"""The words of a mail, and of a reply only the new ones."""

from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

from twelvefold.channels.email.servers import library

TEXT_CHARS_MAX = 50_000
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "sv", "da")

_UNSEEN = frozenset({"head", "style", "script", "title", "blockquote"})
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3"})


def text_of(mail: EmailMessage) -> str:
    """The text part; where there is none, that of the HTML. At most TEXT_CHARS_MAX."""
    body: Any = mail.get_body(("plain", "html"))
    if body is None:
        return ""
    try:
        content = str(body.get_content())
    except LookupError:  # a charset that nobody knows
        content = body.get_payload(decode=True).decode("utf-8", "replace")
    content = content[: TEXT_CHARS_MAX * 4]
    return (_shown(content) if body.get_content_subtype() == "html" else content)[:TEXT_CHARS_MAX]


def latest(text: str) -> str:
    """Without what is quoted, without who wrote it when, and without a signature."""
    parser = library("mailparser_reply")
    mail = parser.EmailReplyParser(languages=[*LANGUAGES])
    found = parser.EmailMessage(text=text, languages=mail.languages, keep_hyphen_lists=True)
    replies = found.read().replies
    if not replies or replies[0].headers:
        return ""
    lines = str(replies[0].body).split("\n")
    return "\n".join(line for line in lines if not line.startswith(">")).strip()


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
