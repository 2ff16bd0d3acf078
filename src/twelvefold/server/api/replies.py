"""What routes answer with: JSON, the ETag of what it shows, and whether a client saw that."""

import hashlib
from collections.abc import Mapping

from fastapi import Request, Response

from twelvefold.exceptions import Moved
from twelvefold.store import ContactRow, ThreadRow
from twelvefold.thread import Json, canonical, to_text

ETAG_CHARS = 16


def shown(
    body: Mapping[str, Json], *, status: int = 200, etag: str | None = None, location: str = ""
) -> Response:
    headers = {"Cache-Control": "no-store"}
    if etag is not None:
        headers["ETag"] = etag
    if location:
        headers["Location"] = location
    return Response(to_text(body).encode(), status, headers, media_type="application/json")


def head_etag(row: ThreadRow) -> str:
    return f'"{row.head}"'


def contact_etag(row: ContactRow) -> str:
    """Differs when other people are asked, the deadline moved, or it has ended; not when a message
    or the record of a delivery came."""
    seen = canonical([row.data, row.outcome])
    return f'"{hashlib.sha256(seen.encode()).hexdigest()[:ETAG_CHARS]}"'


def asked_etags(request: Request) -> list[str] | None:
    """Those of `If-Match`; None without one, or for `*`, which anything there fits."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    return [one.strip() for one in given.split(",")]


def expect_etag(request: Request, etag: str, what: str) -> None:
    """Raises `Moved` when the client has seen something else."""
    wanted = asked_etags(request)
    if wanted is not None and etag not in wanted:
        raise Moved(
            f"If-Match is {', '.join(wanted)}, and {what} is at {etag} by now. Nothing was done:"
            " read it again, then decide."
        )
