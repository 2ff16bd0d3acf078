"""A delivery as a mail: one part of text, the same as HTML, and headers that keep it in its thread.

Data makes no header, no tag and no link. Pure.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from twelvefold.deliveries import Delivery
from twelvefold.exceptions import Unreachable
from twelvefold.notices import as_html, as_lines, visible
from twelvefold.thread import Json

OURS = "twelvefold"
SUBJECT_CHARS_MAX = 200
HOW = {
    "approval": "Reply yes, or no and why, above everything else.",
    "question": "Reply with your answer, above everything else.",
}

_RE = re.compile(r"\s*(?:re|aw|sv|antw)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")


def message(
    delivery: Delivery,
    *,
    sender: str,
    to: str,
    reply_to: str,
    invites: bool,
    link: str,
    now: datetime,
) -> EmailMessage:
    """Raises `Unreachable` for an address that is none. `reply_to`: with a token, or the sender;
    `invites`: whether a reply may decide."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(addr_spec=sender)
    mail["To"] = _address(to)
    mail["Reply-To"] = Address(addr_spec=reply_to)
    mail["Subject"] = subject(delivery)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id(delivery.key, sender)
    if root := str(delivery.began.get("message_id") or ""):
        mail["In-Reply-To"] = root
        first = str(delivery.began.get("conversation") or root)
        mail["References"] = root if first == root else f"{first} {root}"
    mail["Auto-Submitted"] = "auto-generated"
    how = _how(delivery.request) if invites and reply_to != sender else ""
    mail.set_content("\n".join(_lines(delivery, how, link, now)) + "\n")
    mail.add_alternative(_html(delivery, how, link, now), subtype="html")
    return mail


def message_id(key: str, sender: str) -> str:
    """The same for each try of one message."""
    named = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32]
    return f"<{named}.{OURS}@{sender.rpartition('@')[2]}>"


def is_ours(id: str, sender: str) -> bool:
    return id.endswith(f".{OURS}@{sender.rpartition('@')[2]}>")


def subject(delivery: Delivery) -> str:
    """That of the conversation with one "Re: ", or what is asked."""
    began = delivery.began.get("subject")
    if isinstance(began, str) and began.strip():
        return f"Re: {_plain(without_re(began))}"
    notice = delivery.notice
    return _plain(f"{notice.agent} {notice.wish}" if notice else delivery.text.partition("\n")[0])


def without_re(subject: str) -> str:
    while found := _RE.match(subject):
        subject = subject[found.end() :]
    return subject.strip()


def origin(began: Mapping[str, Json]) -> str:
    """Who began the conversation, as an address."""
    return str(began.get("address") or "")


def _how(request: Mapping[str, Json]) -> str:
    return HOW.get(str(request.get("kind")), "")


def _plain(text: str) -> str:
    shown = visible(" ".join(text.split()))
    return shown if len(shown) <= SUBJECT_CHARS_MAX else f"{shown[: SUBJECT_CHARS_MAX - 3]}..."


def _address(to: str) -> Address:
    if not _ADDRESS.fullmatch(to):
        raise Unreachable(f"{visible(to[:100])} is no mail address. Correct it in the directory.")
    return Address(addr_spec=to)


def _lines(delivery: Delivery, how: str, link: str, now: datetime) -> list[str]:
    if delivery.notice is None:
        return [visible(line) for line in delivery.text.split("\n")]
    lines = as_lines(delivery.notice, now=now)
    decide = f"Decide here: {link}" if link else "" if how else "Decide in the inbox."
    return [*lines, "", *(line for line in (how, decide) if line)]


def _html(delivery: Delivery, how: str, link: str, now: datetime) -> str:
    if delivery.notice is None:
        lines = (escape(visible(line)) for line in delivery.text.split("\n"))
        return f"<p>{'<br>'.join(lines)}</p>\n"
    parts = [as_html(delivery.notice, now=now)]
    if how:
        parts.append(f"<p>{escape(how)}</p>")
    if not link and not how:
        parts.append("<p>Decide in the inbox.</p>")
    if link:
        parts.append(f'<p><a href="{escape(link)}">Decide here</a></p>')
    return "".join(parts)
