"""Whether the domain of a mail's author has signed it (DKIM, RFC 6376).

What is looked for is one valid signature of exactly the domain in From, over the whole body and
over the headers that are read here: a mail that somebody wrote once, sent on to another address by
another person, is none to us.
"""

import threading
import time
from collections.abc import Callable, Collection
from typing import Any

from twelvefold.channels.email.servers import library

SIGNATURES_MAX = 5
KEY_BITS_MIN = 1024
DNS_TIMEOUT_S = 3
KEYS_MAX = 1000
KEY_TTL_S = 300.0
SIGNED = frozenset({b"from", b"to", b"subject"})
"""What a signature must cover. To holds the token of who was asked."""
SINGLE = frozenset({b"from", b"to", b"cc", b"subject", b"message-id", b"in-reply-to"})
"""A signature covers the last of several; who reads may see the first."""

Dns = Callable[[str], bytes | None]
"""The TXT record of a name; None where there is none."""


class Keys:
    """The keys in DNS, remembered for KEY_TTL_S."""

    def __init__(self, dns: Dns | None = None) -> None:
        self._dns, self._lock = dns or _dns, threading.Lock()
        self._known: dict[str, tuple[float, bytes | None]] = {}

    def __call__(self, name: bytes, timeout: int = DNS_TIMEOUT_S) -> bytes | None:
        """As dkimpy asks. A key that is only being tested (t=y) is none."""
        asked, now = name.decode("ascii", "replace").casefold(), time.monotonic()
        with self._lock:
            at, found = self._known.get(asked, (-KEY_TTL_S, None))
        if found is None or now - at > KEY_TTL_S:
            found = self._dns(asked)
            with self._lock:
                if len(self._known) >= KEYS_MAX:
                    self._known.clear()
                self._known[asked] = (now, found)
        return None if found is None or _is_test(found) else found


def is_proven(raw: bytes, domain: str, keys: Keys) -> bool:
    """Whether `domain` has signed this mail."""
    dkim = library("dkim")
    library("nacl")  # without it dkim would take Ed25519 for no signature, and say nothing
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    if b"\r" in head or b"\0" in head:  # libraries do not agree where such lines end
        return False
    for number in range(SIGNATURES_MAX):
        try:
            mail = dkim.DKIM(raw, minkey=KEY_BITS_MIN, timeout=DNS_TIMEOUT_S)
            if _repeats(mail.headers):
                return False
            prepared = mail.verify_headerprep(number)
            if not prepared:
                return False
            if _covers(prepared[0], prepared[1], domain) and mail.verify(number, dnsfunc=keys):
                return True
        except Exception:  # whatever cannot be read is no proof
            continue
    return False


def _covers(fields: dict[bytes, bytes], signed: Collection[bytes], domain: str) -> bool:
    named = fields[b"d"].decode("ascii", "replace").casefold().rstrip(".")
    weak = fields[b"a"].strip().lower().endswith(b"sha1")  # RFC 8301
    return named == domain.casefold() and {*signed} >= SIGNED and b"l" not in fields and not weak


def _repeats(headers: Collection[Any]) -> bool:
    names = [name.lower() for name, _ in headers if name.lower() in SINGLE]
    return len(names) != len(set(names))


def _is_test(record: bytes) -> bool:
    for tag in record.split(b";"):
        name, _, value = tag.partition(b"=")
        if name.strip() == b"t":
            return b"y" in {flag.strip() for flag in value.split(b":")}
    return False


def _dns(name: str) -> bytes | None:
    return library("dkim.dnsplug").get_txt(name.encode(), timeout=DNS_TIMEOUT_S)
