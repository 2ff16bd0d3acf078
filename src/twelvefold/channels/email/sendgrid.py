"""What SendGrid's Inbound Parse posts: a form whose field `email` is the raw mail.

With a security policy it signs the time and the whole body (ECDSA, P-256, SHA-256), so nothing is
taken apart before that is checked. It proves that SendGrid has sent this, and not who wrote the
mail: its own verdicts (`dkim`, `SPF`) are not read, the mail's signature is.
"""

import base64
from datetime import datetime
from typing import Any

from twelvefold.channels.email.forms import form_of
from twelvefold.exceptions import BadSignature, ConfigurationError, InvalidRequest
from twelvefold.inbound import Inbound
from twelvefold.signatures import expect_fresh, header

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIME = "x-twilio-email-event-webhook-timestamp"
MIME = "email"


def raw_mail(inbound: Inbound, public_key: str, *, now: datetime) -> bytes:
    """Raises `BadSignature` and `InvalidRequest`."""
    expect_signed(inbound, public_key)
    expect_fresh(header(inbound, TIME), now)
    try:
        form = form_of(inbound)
    except ValueError as error:
        raise InvalidRequest("The form cannot be read. Nothing was done.") from error
    if MIME not in form:
        raise InvalidRequest(
            f"It holds no field {MIME}: tick 'POST the raw, full MIME message'. Nothing was done."
        )
    return form[MIME]


def expect_signed(inbound: Inbound, public_key: str) -> None:
    """As SendGrid signs each webhook. Raises `BadSignature`."""
    message = header(inbound, TIME).encode() + inbound.body
    try:
        given = base64.b64decode(header(inbound, SIGNATURE), validate=True)
        is_signed = _verified(public_key, given, message)
    except ValueError:
        is_signed = False
    if not is_signed:
        raise BadSignature(
            f"The header {SIGNATURE} is not of this body and key. Check that the public key is that"
            " of the policy attached to this parse setting. Nothing was read."
        )


def checked_key(text: str) -> str:
    """The public key as SendGrid shows it, base64 in one line. Raises `ConfigurationError`."""
    try:
        return text if not text or _key(text) else ""
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "SendGrid's signatures need cryptography. Run: pip install 'twelvefold[email]'"
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            "sendgrid_public_key= is no public key: copy that of the security policy."
        ) from error


def _verified(public_key: str, given: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        _key(public_key).verify(given, message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _key(text: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = load_der_public_key(base64.b64decode(text, validate=True))
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("no key of an elliptic curve")
    return key
