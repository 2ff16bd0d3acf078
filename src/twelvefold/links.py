"""Links by which one person decides one contact: the token is the proof, so little rests on it.

The log keeps the token's SHA-256 only, in the `contact_sent` that says to whom it went, so a copy
of the log opens nothing. A link names its person, the digest that was shown and when it ends.
Looking at one decides nothing: mail scanners open links, and some send off every form they find.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from twelvefold.exceptions import NotAllowed, UnknownContact
from twelvefold.reducer import read
from twelvefold.thread import Draft, Event, Json, Thread, from_iso, to_iso

SECRET_BYTES = 16
LINK_TTL = timedelta(days=7)
CODE_CHARS = 6
CHANNEL = "link"

CLICKED, TYPED = "link", "link_typed"
"""What a link proves: that somebody has it; that a person read the page and typed what it shows."""


@dataclass(frozen=True, slots=True)
class Link:
    """Whose link it is, and what it was sent about. `contact` is the id within the thread."""

    contact: str
    person: str
    digest: str | None
    expires: datetime

    @property
    def code(self) -> str:
        """What has to be typed where a click is not enough: the page shows it as text to copy by
        hand, in no field of the form."""
        bound = f"{self.contact}\n{self.person}\n{self.digest}"
        return hashlib.sha256(bound.encode()).hexdigest()[:CODE_CHARS].upper()

    def assurance(self, typed: str | None) -> str:
        """What this visit proves. Raises `NotAllowed` when something else was typed."""
        if not (typed or "").strip():
            return CLICKED
        if not hmac.compare_digest((typed or "").strip().upper().encode(), self.code.encode()):
            raise NotAllowed(
                "That is not the code this page shows. Nothing was done; type it once more."
            )
        return TYPED


def issue(
    thread: Thread,
    contact: str,
    person: str,
    *,
    secret: bytes,
    now: datetime,
    ttl: timedelta = LINK_TTL,
    channel: str = CHANNEL,
) -> tuple[str, Draft]:
    """A token for the URL, and the fact to commit before the token leaves the house.

    `secret` is SECRET_BYTES of chance, new for each call. Raises `ValueError` for less, and
    `UnknownContact` when nothing of this name is open.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a link needs {SECRET_BYTES} bytes of chance, not {len(secret)}")
    asked = read(thread).open_contacts.get(contact)
    if asked is None:
        raise UnknownContact(f"{thread.id} has no open contact {contact}. No link was made.")
    token = f"{thread.id}.{contact}~{secret.hex()}"
    data: dict[str, Json] = {
        "contact": contact,
        "channel": channel,
        "to": person,
        "digest": asked.digest,
        "link": _hashed(thread.tenant, token),
        "expires": to_iso(now + ttl),
    }
    return token, Draft("contact_sent", data, now)


def thread_of(token: str) -> str:
    """The thread that a token names. Raises `NotAllowed` for what is no token."""
    name, tilde, secret = token.rpartition("~")
    thread_id, dot, _ = name.rpartition(".s")
    if not (tilde and dot and thread_id and len(secret) == 2 * SECRET_BYTES):
        raise unknown()
    return thread_id


def opened(thread: Thread, token: str, *, now: datetime) -> Link:
    """The link that a token is, whatever became of its contact. Raises `NotAllowed` for a token
    that was not sent from this very thread, or has expired."""
    if thread_of(token) != thread.id:
        raise unknown()
    hashed = _hashed(thread.tenant, token)
    found = [e for e in _sent(thread) if hmac.compare_digest(str(e.data["link"]), hashed)]
    if not found:
        raise unknown()
    data = found[-1].data
    link = Link(data["contact"], data["to"], data.get("digest"), from_iso(data["expires"]))
    if now > link.expires:
        raise NotAllowed(
            f"This link ended at {to_iso(link.expires)}. Decide in the inbox, or ask for another"
            " one. Nothing was done."
        )
    return link


def _sent(thread: Thread) -> list[Event]:
    """The links of contacts asked in this thread. A log that was copied or imported brings events
    that somebody else wrote, also about contacts that are still to come."""
    sent: list[Event] = []
    for event in thread.events:
        contact = event.data.get("contact")
        if event.type in {"forked", "imported"}:
            sent = []
        elif event.type == "contact_requested":
            sent = [one for one in sent if one.data["contact"] != contact]
        elif event.type == "contact_sent" and isinstance(event.data.get("link"), str):
            sent.append(event)
    return sent


def _hashed(tenant: str, token: str) -> str:
    return hashlib.sha256(f"{tenant}\n{token}".encode()).hexdigest()


def unknown() -> NotAllowed:
    """What is said of a token that opens nothing, whatever the reason."""
    return NotAllowed(
        "This link is not one that was sent, or its thread is gone. Open the newest message that"
        " you got, or the inbox. Nothing was done."
    )
