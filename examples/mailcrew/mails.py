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
    """`From`, `To`, `Subject` and `Body` of a mail; any other message as it always is."""
    if event.data.get("channel") != "email":
        return view(event) or ""
    head, _, body = event.data["text"].partition("\n\n")
    lines = (line.partition(": ") for line in head.splitlines())
    mail = {"From": event.data["from"], **{name: words for name, _, words in lines}}
    return "email_message", mail | {"Body": body}


def senders(thread: Thread) -> frozenset[str]:
    """Who wrote mails in this thread."""
    mails = (e.data for e in thread.events if e.data.get("channel") == "email" and "from" in e.data)
    return frozenset(mail["from"] for mail in mails)
