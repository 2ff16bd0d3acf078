"""Visits: a person who signed in, carried by a signed cookie until it ends.

The cookie says who, by what, and since when. A visit by a key ends with the secret that began it.
A cookie that is forged, from another server or over is no cookie: a browser sends it by itself.
"""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from http.cookies import SimpleCookie

from anyio.to_thread import run_sync
from fastapi import Request

from twelvefold.server.access.around import Around, around, leave_cookie
from twelvefold.server.access.keys import principal_of
from twelvefold.server.principal import Principal
from twelvefold.thread import from_iso, to_iso

VISIT_MAX = timedelta(days=7)
"""How long a visit lasts, however busy."""
IDLE_MAX = timedelta(hours=12)
"""How long it lasts without a request."""
RENEW_AFTER = timedelta(hours=1)
"""So old a cookie is replaced by another one."""
ID_BYTES = 16
COOKIE_CHARS_MAX = 2000
SIGNED_IN = "signed_in"
PURPOSE = "visit"


@dataclass(frozen=True, slots=True)
class Visit:
    """`key` and `secret` (its hash) are those that began it; empty for a token of `dev`."""

    id: str
    person: str
    tenant: str
    began: str
    seen: str
    key: str = ""
    secret: str = ""


class Visits:
    """Whoever carries the cookie of a visit."""

    async def principal(self, request: Request) -> Principal | None:
        if not request.cookies:
            return None
        here = around(request)
        visit = _read(request.cookies.get(_name(here), ""), here)
        if visit is None:
            return None
        who = await _principal(visit, here)
        if who is not None and here.now() - from_iso(visit.seen) >= RENEW_AFTER:
            _leave(request, replace(visit, seen=to_iso(here.now())), here)
        return who


def begin_visit(
    request: Request, *, person: str, tenant: str, key: str = "", secret: str = ""
) -> Visit:
    """A new visit, whatever was carried before; the answer to this request sets its cookie."""
    here = around(request)
    now = to_iso(here.now())
    visit = Visit(secrets.token_hex(ID_BYTES), person, tenant, now, now, key, secret)
    _leave(request, visit, here)
    return visit


def end_visit(request: Request) -> None:
    """The browser forgets it."""
    here = around(request)
    leave_cookie(request, _cookie(request, here, "", timedelta(0)))


async def _principal(visit: Visit, here: Around) -> Principal | None:
    if not visit.key:
        person = await here.known_person(visit.person, visit.tenant)
        return Principal(
            person, person=person, tenant=visit.tenant, assurance=SIGNED_IN, visit=visit.id
        )
    key = await run_sync(here.app.store.key, visit.key)
    now = here.now()
    if key is None or key.state(now) != "active" or not key.opens(visit.secret, now):
        return None
    return await principal_of(key, here, ambient=True, visit=visit.id)


def _read(value: str, here: Around) -> Visit | None:
    """The visit of a cookie that we signed and that is not over."""
    text, _, mac = value.partition(".")
    if len(value) > COOKIE_CHARS_MAX or not here.signing.is_mac(mac, PURPOSE, text):
        return None
    visit = Visit(**json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    return None if _is_over(visit, here.now()) else visit


def _is_over(visit: Visit, now: datetime) -> bool:
    began, seen = from_iso(visit.began), from_iso(visit.seen)
    return now >= began + VISIT_MAX or now >= seen + IDLE_MAX or now < seen - RENEW_AFTER


def _leave(request: Request, visit: Visit, here: Around) -> None:
    text = base64.urlsafe_b64encode(json.dumps(asdict(visit)).encode()).decode().rstrip("=")
    value = f"{text}.{here.signing.mac(PURPOSE, text)}"
    leave_cookie(request, _cookie(request, here, value, IDLE_MAX))


def _cookie(request: Request, here: Around, value: str, age: timedelta) -> str:
    cookie: SimpleCookie = SimpleCookie()
    name = _name(here)
    cookie[name] = value
    cookie[name]["path"] = here.path(request)
    cookie[name]["max-age"] = int(age.total_seconds())
    cookie[name]["httponly"] = True
    cookie[name]["samesite"] = "Lax"
    if here.https or request.url.scheme == "https":
        cookie[name]["secure"] = True
    return cookie.output(header="").strip()


def _name(here: Around) -> str:
    return f"twelvefold_visit_{here.signing.name}"
