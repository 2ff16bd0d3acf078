"""API keys: what is kept of one, and whether a text is one.

A key is `tf_<id>.<secret>`. The secret is 256 bits of chance and shown once; its SHA-256 is kept,
together with that of the secret before it, which ends at a date. Chance and time are arguments.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from twelvefold.exceptions import ConfigurationError, NotSignedIn
from twelvefold.thread import DEFAULT_TENANT

ID_BYTES = 10
SECRET_BYTES = 32
CHANCE_BYTES = ID_BYTES + SECRET_BYTES
NAME_CHARS_MAX = 100
OVERLAP = timedelta(days=7)
"""How long the secret before still opens after a rotation, unless another time is given."""
USED_EVERY = timedelta(hours=1)
"""How exact `used_at` is: a key in use costs one write in this time."""

_TOKEN = re.compile(r"(tf_[a-z2-7]{16})\.([A-Za-z0-9_-]{43})")
_NOBODYS = "0" * 64


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `secret` and `former` are hashes, in hex.

    - `person`: for whom it decides contacts; None for a machine, which decides none.
    - `once`: no key for requests but the token of a link to sign in by, which is spent when used.
    """

    id: str
    name: str
    secret: str
    created_at: datetime
    tenant: str = DEFAULT_TENANT
    scopes: frozenset[str] = frozenset()
    person: str | None = None
    once: bool = False
    former: str | None = None
    former_until: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        expired = self.expires_at is not None and now >= self.expires_at
        return "expired" if expired else "active"

    def opens(self, hashed: str, now: datetime) -> bool:
        """Whether this is the hash of a secret that counts now, in the same time for all."""
        former_counts = self.former_until is not None and now < self.former_until
        is_new = hmac.compare_digest(self.secret, hashed)
        is_former = hmac.compare_digest(self.former or _NOBODYS, hashed)
        return is_new or (is_former and former_counts)


class Keyring(Protocol):
    """Where keys are kept. Each change is one statement, so that none undoes another."""

    def add_key(self, key: Key) -> None: ...

    def key(self, id: str) -> Key | None: ...

    def keys(self, *, tenant: str | None = None) -> list[Key]:
        """The oldest first, of one tenant or of all; without those that are used once."""
        ...

    def has_keys(self) -> bool:
        """Whether a key was ever made here, revoked ones included."""
        ...

    def rotate_key(self, id: str, secret: str, *, former_until: datetime) -> bool:
        """Another secret; the one that counted ends at `former_until`. False: it is revoked."""
        ...

    def revoke_key(self, id: str, at: datetime) -> bool:
        """For good. False: it was revoked before, or never there."""
        ...

    def key_used(self, id: str, at: datetime) -> None: ...

    def sweep_keys(self, before: datetime) -> None:
        """Forget those that are used once and expired before."""
        ...


def new_key(
    name: str,
    *,
    chance: bytes,
    now: datetime,
    scopes: Iterable[str],
    tenant: str = DEFAULT_TENANT,
    person: str | None = None,
    expires_at: datetime | None = None,
    once: bool = False,
) -> tuple[Key, str]:
    """A key and its text, which is not kept. `chance` is CHANCE_BYTES, new for each call.

    Raises `ConfigurationError` for a name that is none, or an end that has come.
    """
    if len(chance) != CHANCE_BYTES:
        raise ValueError(f"a key needs {CHANCE_BYTES} bytes of chance, not {len(chance)}")
    for text in (name, tenant, *([] if person is None else [person])):
        _expect_name(text)
    if expires_at is not None and expires_at <= now:
        raise ConfigurationError("This key would end before it begins. Give a later time.")
    id = "tf_" + base64.b32encode(chance[:ID_BYTES]).decode().lower()
    token, hashed = _token(id, chance[ID_BYTES:])
    kept = Key(id, name, hashed, now, tenant, frozenset(scopes), person, once)
    return replace(kept, expires_at=expires_at), token


def new_secret(id: str, *, chance: bytes) -> tuple[str, str]:
    """For a rotation: the text of the key from now on, and what is kept of it."""
    if len(chance) != SECRET_BYTES:
        raise ValueError(f"a secret needs {SECRET_BYTES} bytes of chance, not {len(chance)}")
    return _token(id, chance)


def id_of(token: str) -> str | None:
    """The id that a key names; None for what is no key."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def proven(key: Key | None, token: str, *, now: datetime, once: bool = False) -> Key:
    """The key, if the token proves it. Raises `NotSignedIn`.

    Only who has the right secret learns that a key has ended: for all others there is none.
    """
    known = key or Key("", "", _NOBODYS, now)
    if not known.opens(hashed(token), now) or key is None or key.once != once:
        raise NotSignedIn(
            "This is no key here, or its secret was replaced. Ask who runs this server for one:"
            " `twelvefold keys create`."
        )
    if (state := key.state(now)) != "active":
        raise NotSignedIn(
            f"The key {key.id} is {state}. Make another one with `twelvefold keys create`."
        )
    return key


def _token(id: str, secret: bytes) -> tuple[str, str]:
    token = f"{id}.{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"
    return token, hashed(token)


def _expect_name(text: str) -> None:
    if not text.strip() or len(text) > NAME_CHARS_MAX or not text.isprintable():
        raise ConfigurationError(
            f"{text[:NAME_CHARS_MAX]!r} is no name for a key, a tenant or a person: give 1 to"
            f" {NAME_CHARS_MAX} characters that can be printed."
        )
