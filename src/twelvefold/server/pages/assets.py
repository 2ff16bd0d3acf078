"""The style sheet, the scripts and the icon, under the hash of all their content: cached for
ever."""

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
    contents = {file.name: file.read_bytes() for file in sorted(served, key=lambda f: f.name)}
    hashed = _hash_of(contents)
    return {name: Asset(name, content, hashed) for name, content in contents.items()}


def _hash_of(contents: Mapping[str, bytes]) -> str:
    """One for all: scripts import each other by their names, from the folder they are in."""
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:HASH_CHARS]
