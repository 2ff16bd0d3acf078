"""People, their roles and their addresses, as of one reading.

A directory is data. Who reads it (a file, a table, a company's own) makes a new one each time, with
another version; nothing here goes out to ask.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from twelvefold.exceptions import ConfigurationError

_KEYS = frozenset({"roles", "addresses", "active"})


@dataclass(frozen=True, slots=True)
class Directory:
    """Roles as {name: people}, addresses as {person: {channel: address}}.

    `people` are those it knows; None is a directory that knows nobody in particular, so that every
    name stands for itself. Names and addresses are compared without regard to case, and to the ways
    in which Unicode writes one text.
    """

    roles: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    addresses: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    people: Collection[str] | None = None
    version: str = ""

    def person(self, name: str) -> str:
        """The person behind a name or an address; the name itself where nobody is known by it."""
        folded = _folded(name)
        for person in (*(self.people or ()), *self.addresses):
            known_as = (person, *self.addresses.get(person, {}).values())
            if folded in map(_folded, known_as):
                return person
        return _plain(name)

    def at(self, channel: str, address: str) -> str:
        """The person who has this address on this channel, else the address.

        What names somebody elsewhere proves nothing here: it becomes `channel:address`, which is
        nobody.
        """
        folded = _folded(address)
        for person, known in self.addresses.items():
            if channel in known and _folded(known[channel]) == folded:
                return self.person(person)
        named = self.person(address)
        taken = named in (self.people or ()) or named in self.addresses
        return f"{channel}:{address}" if taken else named

    def knows(self, name: str) -> bool:
        return self.people is None or self.person(name) in self.people

    def members(self, role: str) -> frozenset[str]:
        """Who has the role now; nobody where there is no such role."""
        return frozenset(self.person(name) for name in self.roles.get(role, ()) if self.knows(name))

    def stamp(self) -> dict[str, str]:
        """What an event keeps of the directory that it depended on."""
        return {"directory": self.version} if self.version else {}


NAMES_ALONE = Directory()
"""No directory: every name stands for itself, and nobody has a role."""


class People(Protocol):
    """Whoever can say who is who in a tenant, now. Called before a transaction, never inside; in
    `within(tx)` yours is open by then."""

    def __call__(self, tenant: str, /) -> Directory: ...


class DirectoryFile:
    """A YAML file, the same for every tenant, read again when its bytes change.

        people:
          anna: {roles: [ops, finance], addresses: {email: anna@example.com}}
          ben: {roles: [ops], active: false}

    Who is not `active` may decide nothing. Raises `ConfigurationError`, naming the entry.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._read: tuple[str, Directory] | None = None

    def __call__(self, tenant: str, /) -> Directory:
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"The directory {self.path} cannot be read: {error.strerror or error}."
            ) from error
        version = hashlib.sha256(content).hexdigest()[:16]
        if self._read is None or self._read[0] != version:
            self._read = version, directory_of(_loaded(content, self.path), version, self.path)
        return self._read[1]


def people_of(given: "Directory | People | str | Path | None") -> People:
    """What an application names as its directory, as a function of the tenant."""
    if isinstance(given, str | Path):
        return DirectoryFile(given)
    if given is None or isinstance(given, Directory):
        return _always(given or NAMES_ALONE)
    return given


def directory_of(data: Any, version: str, where: object) -> Directory:
    """A directory from what its file holds. Raises `ConfigurationError`."""
    people = cast("dict[str, Any]", data).get("people") if isinstance(data, dict) else None
    if not isinstance(people, dict) or not people:
        raise ConfigurationError(f"{where}: a directory is a map `people` of names to entries.")
    roles: dict[str, list[str]] = {}
    addresses: dict[str, Mapping[str, str]] = {}
    active: list[str] = []
    for name, entry in cast("dict[Any, Any]", people).items():
        given = _checked(name, {} if entry is None else entry, where)
        if given.get("active", True):
            active.append(name)
        for role in given.get("roles", ()):
            roles.setdefault(role, []).append(name)
        addresses[name] = given.get("addresses", {})
    directory = Directory(roles, addresses, tuple(active), version)
    _refuse_shared(directory, where)
    return directory


def _loaded(content: bytes, path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"The directory {path} is no YAML: {error}") from error


def _checked(name: Any, entry: Any, where: object) -> dict[str, Any]:
    place = f"{where}, {name!r}"
    if not isinstance(name, str) or not name or not isinstance(entry, dict):
        raise ConfigurationError(f"{place}: an entry is a name and a map.")
    given = cast("dict[str, Any]", entry)
    if unknown := sorted(map(str, given.keys() - _KEYS)):
        raise ConfigurationError(f"{place}: unknown {', '.join(unknown)}.")
    roles, addresses = given.get("roles", []), given.get("addresses", {})
    if not isinstance(roles, list) or not all(isinstance(r, str) for r in cast("list[Any]", roles)):
        raise ConfigurationError(f"{place}: `roles` is a list of names.")
    values = cast("dict[Any, Any]", addresses).values() if isinstance(addresses, dict) else [None]
    if not all(isinstance(value, str) for value in values):
        raise ConfigurationError(f"{place}: `addresses` is a map of channels to texts.")
    if not isinstance(given.get("active", True), bool):
        raise ConfigurationError(f"{place}: `active` is true or false.")
    return given


def _refuse_shared(directory: Directory, where: object) -> None:
    """Two people of one name or address could not be told apart."""
    seen: dict[str, str] = {}
    for person, addresses in directory.addresses.items():
        for known_as in set(map(_folded, (person, *addresses.values()))):
            if known_as in seen:
                raise ConfigurationError(
                    f"{where}: {seen[known_as]} and {person} are both known as {known_as!r}."
                )
            seen[known_as] = person


def _folded(name: str) -> str:
    return _plain(_plain(name).casefold())


def _plain(name: str) -> str:
    """One text, however it was typed: an accent may be a sign of its own."""
    return unicodedata.normalize("NFKC", name)


def _always(directory: Directory) -> Callable[[str], Directory]:
    return lambda _: directory
