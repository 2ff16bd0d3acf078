"""The keys of the in-memory store."""

import threading
from dataclasses import replace
from datetime import datetime

from twelvefold.keys import Key


class MemoryKeys:
    """A `Keyring` without a file."""

    def __init__(self) -> None:
        super().__init__()
        self._keyring: dict[str, Key] = {}
        self._keys_lock = threading.Lock()

    def add_key(self, key: Key) -> None:
        with self._keys_lock:
            self._keyring[key.id] = key

    def key(self, id: str) -> Key | None:
        return self._keyring.get(id)

    def keys(self, *, tenant: str | None = None) -> list[Key]:
        found = [key for key in self._keyring.values() if not key.once]
        wanted = [key for key in found if tenant in (None, key.tenant)]
        return sorted(wanted, key=lambda key: (key.created_at, key.id))

    def has_keys(self) -> bool:
        return any(not key.once for key in self._keyring.values())

    def rotate_key(self, id: str, secret: str, *, former_until: datetime) -> bool:
        with self._keys_lock:
            key = self._keyring.get(id)
            if key is None or key.once or key.revoked_at is not None:
                return False
            former = {"former": key.secret, "former_until": former_until}
            self._keyring[id] = replace(key, secret=secret, **former)
            return True

    def revoke_key(self, id: str, at: datetime) -> bool:
        with self._keys_lock:
            key = self._keyring.get(id)
            if key is None or key.revoked_at is not None:
                return False
            self._keyring[id] = replace(key, revoked_at=at)
            return True

    def key_used(self, id: str, at: datetime) -> None:
        with self._keys_lock:
            key = self._keyring.get(id)
            if key is not None and (key.used_at is None or key.used_at < at):
                self._keyring[id] = replace(key, used_at=at)

    def sweep_keys(self, before: datetime) -> None:
        with self._keys_lock:
            kept = {id: key for id, key in self._keyring.items() if not _is_over(key, before)}
            self._keyring = kept


def _is_over(key: Key, before: datetime) -> bool:
    return key.once and key.expires_at is not None and key.expires_at < before
