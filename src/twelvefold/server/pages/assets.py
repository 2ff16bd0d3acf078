"""The style sheet, the scripts and the icon, under the hash of their content: cached for ever."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

PACKAGE = "twelvefold.server.pages"
HASH_CHARS = 12
TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the folder `static`, as it is served."""

    name: str
    content: bytes
    hashed: str

    @property
    def path(self) -> str:
        return f"/static/{self.hashed}/{self.name}"

    @property
    def type(self) -> str:
        return TYPES[self.name.rpartition(".")[2]]


@cache
def assets() -> Mapping[str, Asset]:
    """All of them, by name."""
    folder = files(PACKAGE).joinpath("static")
    served = [file for file in folder.iterdir() if file.name.rpartition(".")[2] in TYPES]
    return {file.name: _asset(file.name, file.read_bytes()) for file in served}


def _asset(name: str, content: bytes) -> Asset:
    return Asset(name, content, hashlib.sha256(content).hexdigest()[:HASH_CHARS])
