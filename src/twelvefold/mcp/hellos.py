"""What an older client said of itself when it began, carried by the id of its session. Pure.

The id is signed, for the principal who began it, until it is over. So every process of the server
can go on from it, also after the one that gave it was killed. It opens nothing: whoever sends it is
asked for a key all the same.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from twelvefold.server.access.signing import Signing
from twelvefold.server.principal import Principal
from twelvefold.thread import from_iso, to_iso

LASTS = timedelta(days=7)
"""How long a session lasts, however busy: as a visit does."""
ID_CHARS_MAX = 4_000
"""A longer id would not pass the proxies that there are."""
PURPOSE = "mcp session"

_SAID = ("protocolVersion", "capabilities", "clientInfo")
_OF_CLIENT = ("name", "title", "version")


@dataclass(frozen=True, slots=True)
class Hello:
    """`said`: the request that began it, as JSON. `chance` tells two of one client apart."""

    tenant: str
    name: str
    began: str
    chance: str
    said: str

    def is_over(self, now: datetime) -> bool:
        return now >= from_iso(self.began) + LASTS

    def is_of(self, who: Principal) -> bool:
        return (self.tenant, self.name) == (who.tenant, who.name)


def id_of(
    body: bytes, who: Principal, signing: Signing, *, now: datetime, chance: str
) -> str | None:
    """The id of the session that a request begins; None for what is too long to be carried."""
    try:
        said = json.dumps(_kept(json.loads(body)), separators=(",", ":"))
    except ValueError:  # numbers of more digits than Python reads
        return None
    fields = [who.tenant, who.name, to_iso(now), chance, said]
    text = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")
    id = f"{text}.{signing.mac(PURPOSE, text)}"
    return id if len(id) <= ID_CHARS_MAX else None


def _kept(request: Any) -> dict[str, Any]:
    params = request.get("params")
    given = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
    said = {key: given[key] for key in _SAID if key in given}
    client = said.get("clientInfo")
    if isinstance(client, dict):
        told = cast("dict[str, Any]", client)
        said["clientInfo"] = {key: told[key] for key in _OF_CLIENT if key in told}
    return {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": said}


def hello_of(id: str, signing: Signing, *, now: datetime) -> Hello | None:
    """What an id carries, if it was signed here and is not over."""
    text, _, mac = id.partition(".")
    if len(id) > ID_CHARS_MAX or not signing.is_mac(mac, PURPOSE, text):
        return None
    fields = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    hello = Hello(*fields)
    return None if hello.is_over(now) else hello


def ended_name(id: str) -> str:
    """Under which a store counts that this session was ended."""
    return f"mcp|ended|{hashlib.sha256(id.encode()).hexdigest()}"
