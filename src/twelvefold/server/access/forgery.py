"""Requests that a browser makes for somebody else's page: cross-site request forgery.

Whoever is known by what the browser or the network sends by itself (a cookie, a proxy's header,
being on this machine) has to show that the request comes from one of our pages:

- a form carries a token that is bound to the visit, or to the person where there is none;
- what is no form carries it in the header `X-CSRF-Token`, or comes from no browser at all;
- and nothing may say that it comes from another site.

`Referrer-Policy: no-referrer` makes browsers send `Origin: null` with our own forms, so that says
nothing by itself.
"""

from urllib.parse import urlsplit

from fastapi import Request

from twelvefold.exceptions import NotPermitted
from twelvefold.server.access.around import Around
from twelvefold.server.principal import Principal

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD = "csrf"
HEADER = "x-csrf-token"
PURPOSE = "form"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


async def refuse_forged(request: Request, who: Principal, here: Around) -> None:
    """Raises `NotPermitted` for what may have been made by another site's page."""
    if request.method in SAFE or not who.ambient:
        return
    refuse_other_sites(request)
    given = request.headers.get(HEADER) or await _field(request)
    if given:
        if not here.signing.is_mac(given, PURPOSE, *_bound_to(who)):
            raise NotPermitted(
                "This form was made for another visit. Load the page again, then send it once"
                " more. Nothing was done."
            )
    elif who.visit or _is_form(request) or _is_of_browser(request):
        raise NotPermitted(
            f"A form of this server carries the field {FIELD!r}, and a script's request the header"
            f" {HEADER!r}; this had neither. Load the page again. Programs send a key instead, as"
            " `Authorization: Bearer <key>`. Nothing was done."
        )


def refuse_other_sites(request: Request) -> None:
    """Raises `NotPermitted` when the browser says that another site's page made this request."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_other = site not in ("same-origin", "none")
    else:
        is_other = origin not in (None, "null") and not _is_ours(str(origin), request)
    if is_other:
        raise NotPermitted(
            "This request was made by the page of another site. Open this server's own page, and"
            " do it there. Nothing was done."
        )


def form_token(who: Principal, here: Around) -> str:
    return here.signing.mac(PURPOSE, *_bound_to(who))


def _bound_to(who: Principal) -> tuple[str, ...]:
    return who.tenant, who.name, who.visit


async def _field(request: Request) -> str:
    if not _is_form(request):
        return ""
    given = (await request.form()).get(FIELD)
    return given if isinstance(given, str) else ""


def _is_form(request: Request) -> bool:
    """What a form of another site can send without being asked for leave."""
    return request.headers.get("content-type", "").lower().startswith(_FORMS)


def _is_of_browser(request: Request) -> bool:
    """A page of ours can send the header; a program sends neither of these."""
    return "origin" in request.headers or "sec-fetch-site" in request.headers


def _is_ours(origin: str, request: Request) -> bool:
    """By the host alone: in front of us a proxy may speak https."""
    try:
        return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    except ValueError:
        return False
