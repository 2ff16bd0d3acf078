"""What Mailgun posts to a route that ends in `mime`: a form that holds the raw mail.

Its signature is a field, so the form is taken apart first. It signs a time and a token, and not the
mail: what a mail proves is for its own signature (DKIM) to say.
"""

import hmac
from datetime import datetime
from hashlib import sha256

from twelvefold.channels.email.forms import form_of
from twelvefold.exceptions import BadSignature, InvalidRequest
from twelvefold.inbound import Inbound
from twelvefold.signatures import expect_fresh, expect_one

MIME = "body-mime"


def raw_mail(inbound: Inbound, key: str, *, now: datetime) -> bytes:
    """Raises `BadSignature` and `InvalidRequest`."""
    try:
        form = form_of(inbound)
    except ValueError as error:
        raise BadSignature("This is no form that Mailgun signs. Nothing was done.") from error
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
