"""What a mail says, and to which thread it belongs.

A mail answers only with the token of who was asked in its To, and with a signature of its author's
domain (see `proof`). All else is a message, or nothing: no machine is answered.
"""

import hashlib
import re
from collections.abc import Callable, Collection
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from twelvefold.channels.email.replies import latest, text_of
from twelvefold.channels.email.writing import is_ours
from twelvefold.exceptions import ConfigurationError, InvalidRequest
from twelvefold.inbound import Ignored, Received, Written, is_listed

ASSURANCE, UNPROVEN = "email", "email_unproven"
MAIL_BYTES_MAX = 25_000_000
IDS_MAX = 200

_ID = re.compile(r"<[!-;=?-~]{1,500}>")
_TOKEN = re.compile(r"[a-z2-7]{26}")
_MACHINES = frozenset({"bulk", "junk", "list", "auto_reply"})
_MACHINE_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-vacation")

Proof = Callable[[bytes, str], bool]
"""Whether a domain has signed a mail."""


def read(raw: bytes, *, address: str, senders: Collection[str] | None, proof: Proof) -> Received:
    """Raises `InvalidRequest`. `address`: that of this channel; `senders`: who is listened to."""
    if len(raw) > MAIL_BYTES_MAX:
        raise InvalidRequest(f"A mail has at most {MAIL_BYTES_MAX:,} bytes. Nothing was done.")
    try:
        return _read(raw, address.casefold(), senders, proof)
    except ConfigurationError:  # a missing extra is no fault of the mail
        raise
    except Exception as error:  # the parser raises many kinds for headers of garbage
        raise InvalidRequest("The mail cannot be read. Nothing was done.") from error


def _read(raw: bytes, address: str, senders: Collection[str] | None, proof: Proof) -> Received:
    mail: Any = message_from_bytes(raw, policy=default)
    authors = _addresses(mail, "from")
    why = _no_person(mail, authors, address)
    if why:
        return Ignored(why)
    author = authors[0]
    if not is_listed(author, senders):
        return Ignored(f"{author} is not among the senders that are listened to")
    proven = proof(raw, author.rpartition("@")[2])
    if senders is not None and not proven:
        return Ignored(f"nothing proves that {author} has written this: it is not signed (DKIM)")
    text = _said(mail)
    if not text:
        return Ignored("a mail without words")
    return _written(mail, raw, author, address, text, proven)


def _written(
    mail: EmailMessage, raw: bytes, author: str, address: str, text: str, proven: bool
) -> Written:
    own = next(iter(_ids(mail, "message-id")), f"<{hashlib.sha256(raw).hexdigest()}@unnamed>")
    root = next(iter([*_earlier(mail), own]))
    token = _token(mail, address)
    return Written(
        # A copy that proves nothing must not be what came before, when the mail itself comes.
        key=own if proven else f"{own} {UNPROVEN}",
        text=text,
        sender=author,
        conversation=root,
        code=token if proven else None,
        assurance=ASSURANCE if proven else UNPROVEN,
        begins=token is None and not is_ours(root, address),
        answers=proven and token is not None,
        about={
            "message_id": own,
            "subject": _clean(str(mail["subject"] or "")),
            "address": author,
            "proof": "dkim" if proven else "none",
        },
    )


def _no_person(mail: EmailMessage, authors: list[str], address: str) -> str:
    """Why nobody is to be answered; "" for a mail that a person has written."""
    automatic = str(mail["auto-submitted"] or "no").partition(";")[0].strip().casefold()
    if str(mail["return-path"] or "").strip() == "<>" or (
        mail.get_content_type() == "multipart/report"
    ):
        return "a bounce"
    if automatic != "no" or str(mail["precedence"] or "").strip().casefold() in _MACHINES:
        return "a machine has sent this"
    if any(name in mail for name in _MACHINE_HEADERS):
        return "a machine has sent this"
    if len(authors) != 1 or "@" not in authors[0]:
        return "it has not exactly one author"
    return "this installation has sent this" if _is_own(authors[0], address) else ""


def _is_own(author: str, address: str) -> bool:
    local, _, domain = author.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" == address


def _addresses(mail: EmailMessage, header: str) -> list[str]:
    found: list[Any] = mail.get_all(header, [])
    return [one.addr_spec.casefold() for each in found for one in each.addresses]


def _token(mail: EmailMessage, address: str) -> str | None:
    """From To alone, which is signed: Delivered-To is what whoever delivers it says."""
    local, _, domain = address.rpartition("@")
    for to in _addresses(mail, "to"):
        name, _, host = to.rpartition("@")
        if host == domain and name.startswith(f"{local}+"):
            token = name[len(local) + 1 :]
            return token if _TOKEN.fullmatch(token) else None
    return None


def _earlier(mail: EmailMessage) -> list[str]:
    return _ids(mail, "references") or _ids(mail, "in-reply-to")


def _ids(mail: EmailMessage, header: str) -> list[str]:
    return _ID.findall(str(mail[header] or ""))[:IDS_MAX]


def _said(mail: EmailMessage) -> str:
    """What is new in it: a first mail as a whole, of a reply what stands above the quotes."""
    text = _clean(text_of(mail))
    return (latest(text) if _earlier(mail) else text).strip()


def _clean(text: str) -> str:
    return text.replace("\0", "").encode(errors="replace").decode()
