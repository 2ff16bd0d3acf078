"""The table of keys: the same statements in every SQL database."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any

from twelvefold.encoding import from_iso, to_iso
from twelvefold.keys import Key
from twelvefold.tables.queries import parse_queries
from twelvefold.tables.rows import Row

KEY_STATEMENTS: Mapping[str, str] = parse_queries(
    files("twelvefold.tables").joinpath("keys.sql").read_text(encoding="utf-8")
)
"""By name, with `?1` for the first parameter."""


def with_dollars(statements: Mapping[str, str]) -> dict[str, str]:
    """The same for a database that says `$1`."""
    return {name: re.sub(r"\?(\d)", r"$\1", text) for name, text in statements.items()}


class KeyTable(ABC):
    """A `Keyring` over statements by name."""

    @abstractmethod
    def _rows(self, name: str, parameters: Any = ()) -> list[Any]:
        """What was committed. A name that cannot be stored has no rows."""
        ...

    @abstractmethod
    def _returned(self, name: str, parameters: Any) -> list[Any]:
        """What one statement returns, in a transaction of its own that is committed by then."""
        ...

    def add_key(self, key: Key) -> None:
        scopes, ends = " ".join(sorted(key.scopes)), key.expires_at and to_iso(key.expires_at)
        made = (key.id, key.name, key.secret, to_iso(key.created_at), key.tenant, scopes)
        self._returned("add_key", (*made, key.person, int(key.once), ends))

    def key(self, id: str) -> Key | None:
        return next(map(_key_of, self._rows("key", (id,))), None)

    def keys(self, *, tenant: str | None = None) -> list[Key]:
        if tenant is None:
            return [_key_of(row) for row in self._rows("keys_of_all")]
        return [_key_of(row) for row in self._rows("keys_of_tenant", (tenant,))]

    def has_keys(self) -> bool:
        return bool(self._rows("any_key"))

    def rotate_key(self, id: str, secret: str, *, former_until: datetime) -> bool:
        return bool(self._returned("rotate_key", (id, secret, to_iso(former_until))))

    def revoke_key(self, id: str, at: datetime) -> bool:
        return bool(self._returned("revoke_key", (id, to_iso(at))))

    def key_used(self, id: str, at: datetime) -> None:
        self._returned("key_used", (id, to_iso(at)))

    def sweep_keys(self, before: datetime) -> None:
        self._returned("sweep_keys", (to_iso(before),))


def _key_of(row: Row) -> Key:
    id, name, secret, created_at, tenant, scopes, person, once, former, *times = row
    former_until, expires_at, revoked_at, used_at = (t and from_iso(t) for t in times)
    return Key(
        id,
        name,
        secret,
        from_iso(created_at),
        tenant,
        frozenset(scopes.split()),
        person,
        bool(once),
        former,
        former_until,
        expires_at,
        revoked_at,
        used_at,
    )
