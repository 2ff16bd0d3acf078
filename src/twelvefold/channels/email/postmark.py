"""What Postmark posts for each mail: JSON whose `RawEmail` is the mail.

Postmark signs nothing. What is asked for is the user and password in the webhook's URL: whoever
knows them may bring a mail, and a mail proves who wrote it by its own signature (DKIM). No time is
proven either: the same mail again is a delivery that has come before.
"""

import base64
import binascii
import hmac

from twelvefold.exceptions import BadSignature, InvalidRequest
from twelvefold.inbound import Inbound
from twelvefold.triggers import read_json, text_in

HEADER = "authorization"
RAW = "RawEmail"


def raw_mail(inbound: Inbound, login: str) -> bytes:
    """`login`: `user:password`. Raises `BadSignature` and `InvalidRequest`."""
    scheme, _, given = inbound.headers.get(HEADER, "").partition(" ")
    try:
        said = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        said = b""
    same = hmac.compare_digest(said, login.encode())
    if not (same and scheme.casefold() == "basic"):
        raise BadSignature(
            "The user or the password of this webhook's URL is another one. Check the inbound"
            " stream's webhook in Postmark. Nothing was read."
        )
    raw = text_in(read_json(inbound.body), RAW)
    if not raw:
        raise InvalidRequest(
            f"It holds no {RAW}: tick 'Include raw email content in JSON payload'. Nothing was"
            " done."
        )
    return raw.encode(errors="surrogatepass")
