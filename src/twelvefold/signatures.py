"""Who signed a request: shared by all channels, over the raw body and before it is read. Pure.

Every comparison takes the same time for right and wrong. A signature that carries its time is
refused outside of WINDOW, in either direction; one that carries none (GitHub) is protected from
replay by what it signs, since the hash of the body is its delivery id.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from twelvefold.exceptions import BadSignature, ConfigurationError
from twelvefold.inbound import Inbound

WINDOW = timedelta(minutes=5)
SECRET_PREFIX = "whsec_"

ID, TIME, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
"""The headers of Standard Webhooks 1.0.0 (standardwebhooks.com)."""


def signed(secret: bytes, message: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.new(secret, message, hashlib.sha256).digest()


def expect_one(given: Iterable[str], expected: str, *, header: str) -> None:
    """Raises `BadSignature` unless one of the given ones is the expected one."""
    found = [hmac.compare_digest(one.encode(), expected.encode()) for one in given]
    if not any(found):
        raise BadSignature(
            f"The header {header} is missing, or not of this body and secret. Check that both"
            " sides have the same secret, and that nothing rewrites the body. Nothing was read."
        )


def expect_fresh(at: str, now: datetime, *, window: timedelta = WINDOW) -> None:
    """`at` is in seconds since 1970. Raises `BadSignature`."""
    try:
        age = now - datetime.fromtimestamp(int(at), UTC)
    except (ValueError, OverflowError, OSError):
        raise BadSignature(f"{at[:40]!r} is no time of signing. Nothing was read.") from None
    if abs(age) > window:
        raise BadSignature(
            f"It was signed {age} ago, and {window} is the most that is accepted. Check the clocks"
            " of both sides; an old delivery is not replayed. Nothing was read."
        )


def header(inbound: Inbound, name: str) -> str:
    """Raises `BadSignature` where it is missing."""
    value = inbound.headers.get(name)
    if not value:
        raise BadSignature(f"The header {name} is missing. Nothing was read.")
    return value


def secret_bytes(secret: str) -> bytes:
    """A secret of Standard Webhooks, `whsec_` and base64, as its bytes. Raises
    `ConfigurationError`."""
    text = secret.removeprefix(SECRET_PREFIX)
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error:
        found = b""
    if not found:
        raise ConfigurationError(
            f"A secret of Standard Webhooks is {SECRET_PREFIX}<base64>; this one is not."
        )
    return found


def standard(secret: str, id: str, at: str, body: bytes) -> str:
    """The signature of Standard Webhooks."""
    message = f"{id}.{at}.".encode() + body
    return "v1," + base64.b64encode(signed(secret_bytes(secret), message)).decode()


def expect_standard(inbound: Inbound, secret: str, *, now: datetime) -> str:
    """The delivery id of a request signed by Standard Webhooks. Raises `BadSignature`."""
    id, at = header(inbound, ID), header(inbound, TIME)
    given = header(inbound, SIGNATURE).split()
    expect_one(given, standard(secret, id, at, inbound.body), header=SIGNATURE)
    expect_fresh(at, now)
    return id


def body_id(inbound: Inbound) -> str:
    """A delivery id that is as hard to forge as the signature: what the headers say is not signed
    by every provider."""
    return hashlib.sha256(inbound.body).hexdigest()
