"""The secret of this server, and what it signs: cookies and the tokens of forms.

32 bytes from a setting, or from a file beside the store that only its owner may read. A signature
names what it is for, so that none can be used for something else.
"""

import base64
import hashlib
import hmac
import logging
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from twelvefold.exceptions import ConfigurationError
from twelvefold.store import EmbeddedStore

log = logging.getLogger("twelvefold.server")

KEY_BYTES = 32
SETTING = "TWELVEFOLD_SIGNING_KEY"
SUFFIX = ".signing-key"
VERSION = "v1"


class Signing:
    """Signs with one key of KEY_BYTES."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ConfigurationError(
                f"A signing key has {KEY_BYTES} bytes, not {len(key)}. Make one with"
                " `python -c 'import secrets; print(secrets.token_hex(32))'`."
            )
        self._key = key
        self.name = hashlib.sha256(b"name\0" + key).hexdigest()[:8]
        """Tells servers of one machine apart, whose cookies meet in one browser."""

    def mac(self, purpose: str, *parts: str) -> str:
        """The signature of `parts`, of which none can be taken for two."""
        text = "\0".join([VERSION, purpose, *(part.encode().hex() for part in parts)])
        digest = hmac.digest(self._key, text.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def is_mac(self, given: str, purpose: str, *parts: str) -> bool:
        """Compared in the same time for all that is wrong."""
        return hmac.compare_digest(
            given.encode(errors="replace"), self.mac(purpose, *parts).encode()
        )


def signing_of(store: EmbeddedStore, setting: str | bytes | None = None) -> Signing:
    """The signing of a server: `setting`, TWELVEFOLD_SIGNING_KEY, or the file beside an SQLite log.

    A store without a file has a key that ends with the process. Raises `ConfigurationError`.
    """
    given = setting or os.environ.get(SETTING)
    if given:
        return Signing(_read(given))
    path: str | None = getattr(store, "path", None)
    if path is not None:
        return Signing(kept_key(path + SUFFIX))
    log.warning(
        "%s keeps no signing key: visits end with this process. Set %s to keep them, and to share"
        " them between processes.",
        store.name,
        SETTING,
    )
    return Signing(secrets.token_bytes(KEY_BYTES))


def kept_key(path: str) -> bytes:
    """The key in this file, which is made when it is missing. Raises `ConfigurationError`."""
    try:
        if not os.path.exists(path):
            _make(Path(path))
        mode = os.stat(path).st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(
                f"{path} can be read by others, who could sign in as anybody. Delete it, so that"
                " another key is made; whoever is signed in has to sign in again."
            )
        return _read(Path(path).read_text(encoding="ascii").strip())
    except OSError as error:
        raise ConfigurationError(
            f"The signing key {path} cannot be read or made: {error.strerror or error}."
            f" Set {SETTING} instead."
        ) from error


def _make(path: Path) -> None:
    """Whole or not at all: another process that starts now reads no half of it."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(KEY_BYTES))
    with suppress(FileExistsError):  # another process was faster, and its key counts
        os.link(part, path)
    part.unlink()


def _read(given: str | bytes) -> bytes:
    if isinstance(given, bytes):
        return given
    try:
        return bytes.fromhex(given)
    except ValueError:
        raise ConfigurationError(
            f"The signing key is not {2 * KEY_BYTES} characters of hex. Make one with"
            " `python -c 'import secrets; print(secrets.token_hex(32))'`."
        ) from None
