"""The next command to type, with the options of this one that it needs to mean the same log.

What the environment, `pyproject.toml` or a default says is found without being repeated.
"""

from collections.abc import Callable
from shlex import quote

Again = Callable[[str], str]
ELSEWHERE = frozenset({"new", "demo", "version"})
"""Commands that work on no application and no log."""


def again(command: str, *given: tuple[str, str | None]) -> str:
    """`command` with the options that were given, quoted for a shell. Words that end in no command
    of ours stay as they are."""
    name = command.partition("twelvefold ")[2].partition(" ")[0]
    if not name or name in ELSEWHERE:
        return command
    words = (word for option, value in given if value for word in (option, quote(value)))
    return " ".join([command, *words])
