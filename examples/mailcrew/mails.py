"""An e-mail as the text of a message, and as what the model reads of it."""

from collections.abc import Mapping
from email import message_from_string
from email.policy import default
from email.utils import parseaddr
from hashlib import sha256
from typing import Any

from twelvefold import Event, Thread
from twelvefold.context import View, view

HEADERS = ("To", "Subject")
ID_CHARS = 12


def received(raw: str) -> Mapping[str, Any]:
    """A mail as it comes in: the arguments of `App.launch`. The same mail twice is one thread."""
    mail = message_from_string(raw, policy=default)
    part = mail.get_body(("plain",))
    text = "".join(f"{name}: {mail.get(name, '')}\n" for name in HEADERS)
    text += "\n" + (part.get_content() if part is not None else "").strip()
    id = sha256(mail.get("Message-ID", raw).encode()).hexdigest()[:ID_CHARS]
    return {"text": text, "sender": parseaddr(mail["From"])[1].lower(), "thread_id": id}


def shown(event: Event) -> View | str:
    """A mail with its head, what a colleague writes about it, or a message as it always is."""
    data = event.data
    if data.get("channel") != "email":
        return view(event) or ""
    if is_colleague(data):
        return "colleague_message", {"From": data["from"], "Body": data["text"]}
    if "subject" in data:  # from the mail channel, which has taken the mail apart
        return "email_message", {
            "From": author(data),
            "Subject": data["subject"],
            "Body": data["text"],
        }
    head, _, body = data["text"].partition("\n\n")
    lines = (line.partition(": ") for line in head.splitlines())
    mail = {"From": data["from"], **{name: words for name, _, words in lines}}
    return "email_message", mail | {"Body": body}


def senders(thread: Thread) -> frozenset[str]:
    """Which customers wrote mails in this thread."""
    return frozenset(author(mail) for mail in mails_of(thread) if not is_colleague(mail))


def is_proven(thread: Thread) -> bool:
    """Whether all mails were signed by whom they name, as far as the mail channel has looked."""
    return all(mail.get("proof") != "none" for mail in mails_of(thread))


def references(thread: Thread) -> list[str]:
    """The first and the last `Message-ID` of a customer, so that an answer stays with theirs."""
    theirs = [mail for mail in mails_of(thread) if not is_colleague(mail)]
    known = [mail["message_id"] for mail in theirs if "message_id" in mail]
    return list(dict.fromkeys([*known[:1], *known[-1:]]))


def mails_of(thread: Thread) -> list[Mapping[str, Any]]:
    found = (event.data for event in thread.events if event.type == "message_received")
    return [data for data in found if data.get("channel") == "email" and "from" in data]


def is_colleague(mail: Mapping[str, Any]) -> bool:
    """People of the directory are known by a name; anybody can write theirs, so it is signed."""
    return "@" not in mail["from"] and mail.get("proof") == "dkim"


def author(mail: Mapping[str, Any]) -> str:
    return mail.get("address") or mail["from"]
