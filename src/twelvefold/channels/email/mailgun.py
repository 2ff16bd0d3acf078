"""What Mailgun posts to a route that ends in `mime`: a form that holds the raw mail.

Its signature is a field, so the form is taken apart first. It signs a time and a token, and not the
mail: what a mail proves is for its own signature (DKIM) to say.
"""

import hmac
from datetime import datetime
from email import message_from_bytes
from hashlib import sha256
from typing import Any, cast
from urllib.parse import parse_qsl

from twelvefold.exceptions import BadSignature, InvalidRequest
from twelvefold.inbound import Inbound
from twelvefold.signatures import expect_fresh, expect_one

FIELDS_MAX = 200
MIME = "body-mime"
_MULTIPART = "multipart/form-data"


def raw_mail(inbound: Inbound, key: str, *, now: datetime) -> bytes:
    """Raises `BadSignature` and `InvalidRequest`."""
    form = _form(inbound)
    at, token, given = (_text(form, name) for name in ("timestamp", "token", "signature"))
    expect_one([given], signature(key, at, token), header="field signature")
    expect_fresh(at, now)
    if MIME not in form:
        raise InvalidRequest(f"It holds no {MIME}: the route's URL ends in 'mime'. Nothing done.")
    return form[MIME]


def signature(key: str, at: str, token: str) -> str:
    """As documentation.mailgun.com has it under "Securing webhooks"."""
    return hmac.new(key.encode(), f"{at}{token}".encode(), sha256).hexdigest()


def _text(form: dict[str, bytes], name: str) -> str:
    return form.get(name, b"").decode("ascii", "replace")


def _form(inbound: Inbound) -> dict[str, bytes]:
    kind = inbound.headers.get("content-type", "")
    try:
        if kind.partition(";")[0].strip().lower() == _MULTIPART:
            return _parts(kind, inbound.body)
        text = inbound.body.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="surrogateescape"
        )
    except ValueError as error:
        raise BadSignature("This is no form that Mailgun signs. Nothing was done.") from error
    return {name: value.encode(errors="surrogateescape") for name, value in pairs}


def _parts(kind: str, body: bytes) -> dict[str, bytes]:
    head = f"Content-Type: {' '.join(kind.split())}\r\n\r\n".encode("latin-1", "replace")
    parts: Any = message_from_bytes(head + body).get_payload()
    found: dict[str, bytes] = {}
    some = cast("list[Any]", parts[:FIELDS_MAX] if isinstance(parts, list) else [])
    for part in some:
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            found[name] = part.get_payload(decode=True) or b""
    return found
