"""What is said of somebody who signs in and may decide nothing here: who may, and what to do.

Where there is no directory every name stands for itself, so nothing is said.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twelvefold.directory import Directory, DirectoryFile, People

if TYPE_CHECKING:
    from twelvefold.app import App

NAMED_MAX = 5


def powerless(app: "App", name: str) -> str | None:
    """One line; None for somebody with a role, or an owner. A directory that cannot be read is said
    as well, for a server can be started without it."""
    try:
        directory = app.directory()
    except Exception as error:  # people may come from anywhere
        return f"note: who {name} is cannot be looked up: {error}"
    if directory.people is None or _may(app, directory, name):
        return None
    person, where = directory.person(name), _where(app.people)
    which, mend = f"is nobody in {where} and may decide nothing here", f"Add {person} there"
    if directory.knows(name):
        which = f"has no role in {where} and may decide here only what asks for {person} by name"
        mend = f"Give {person} a role there"
    elif person in directory.addresses:
        which = f"is not active in {where} and may decide nothing here"
        mend = f"Make {person} active there"
    return f"note: {person} {which}; {_who(directory)} may. {mend}, or sign in by --as NAME."


def _may(app: "App", directory: Directory, name: str) -> bool:
    """Whether something may ask for this person: by a role, as an owner, or, where nobody has a
    role, by name."""
    if not directory.knows(name):
        return False
    person, roles = directory.person(name), directory.roles
    return (
        not any(roles.values())
        or any(person in named for named in roles.values())
        or any(person in directory.members(role) for role in roles)
        or any(agent.owner.allows(person, directory) for agent in app.agents.values())
    )


def _where(people: People) -> str:
    if not isinstance(people, DirectoryFile):
        return "the directory of this application"
    path, here = people.path.absolute(), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _who(directory: Directory) -> str:
    """The first of those who have a role, or of all where nobody has."""
    roles: dict[str, list[str]] = {}
    for role, people in directory.roles.items():
        for person in people:
            if directory.people is not None and person in directory.people:
                roles.setdefault(person, []).append(role)
    named = [f"{person} ({', '.join(held)})" for person, held in sorted(roles.items())]
    return _some(named or sorted(directory.people or ())) or "nobody"


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
