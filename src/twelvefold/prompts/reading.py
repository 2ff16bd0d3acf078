"""The file of a prompt, cut into front matter, messages and parts before anything is inserted.

No text of an event or a variable can therefore begin a message or bear a cache mark.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from twelvefold.exceptions import PromptError
from twelvefold.messages import Role

_MARK = re.compile(r"^--- (\w+)[ \t]*(?:\n|\Z)", re.MULTILINE)
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.MULTILINE | re.DOTALL)
_OPENED = re.compile(r"\A---[ \t]*(?:\n|\Z)")
ROLES = get_args(Role)
_ALMOST = re.compile(
    rf"^(?!--- \w)-{{2,}}[ \t]*({'|'.join(ROLES)}|cache)[ \t]*$", re.MULTILINE | re.IGNORECASE
)
"""A line that is meant to begin a message, and would be sent as text instead."""
QUOTED_CHARS_MAX = 40
_AS_TEXT = "To send such a line as text, write {{ '---' }} instead of its dashes."


@dataclass(slots=True)
class Body:
    """The source of one part. `line` is the first of it in the file, from 1."""

    text: str
    line: int
    cache: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A prompt file as it was read; `lines` are all of it, for messages about errors."""

    data: dict[str, Any]
    messages: list[tuple[Role, list[Body]]]
    lines: list[str]


def read(path: Path) -> File:
    """Raises `PromptError`, with the file and the line."""
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"The prompt {path} cannot be read: {_why(error, path)}") from error
    front = _FRONT.match(source)
    if front is None and _OPENED.match(source):
        raise PromptError(f"{path}:1: the front matter that begins here has no closing line ---.")
    end = front.end() if front else 0
    if not source[end:].strip():
        raise PromptError(f"{path}: the file is empty: nothing would be sent.")
    if almost := _ALMOST.search(source, end):
        line = source.count("\n", 0, almost.start()) + 1
        raise PromptError(
            f"{path}:{line}: {almost[0].strip()} is no line of a prompt file: write"
            f" --- {almost[1].lower()}. {_AS_TEXT}"
        )
    data = _data(path, front[1]) if front else {}
    return File(data, _messages(path, source, end), source.split("\n"))


def _why(error: OSError | UnicodeDecodeError, path: Path) -> str:
    if not isinstance(error, FileNotFoundError) or path.is_absolute():
        return str(error)
    return (
        f"there is no such file in {Path.cwd()}. From any folder it is found as"
        f' Prompt(Path(__file__).parent / "{path.as_posix()}").'
    )


def _data(path: Path, text: str) -> dict[str, Any]:
    import yaml

    try:
        data: Any = yaml.safe_load(text) or {}
        twice = _twice(yaml.compose(text, yaml.SafeLoader))
    except (yaml.YAMLError, ValueError) as error:  # such as the date 2026-02-31
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        line = 2 + (mark.line if mark else 0)
        said = getattr(error, "problem", None) or error
        raise PromptError(f"{path}:{line}: the front matter is no YAML: {said}.") from error
    if twice is not None:
        line = 2 + twice.start_mark.line
        raise PromptError(f"{path}:{line}: the front matter names {twice.value!r} twice.")
    names: list[Any] = list(cast("Any", data)) if isinstance(data, dict) else [None]
    if not all(isinstance(name, str) for name in names):
        raise PromptError(
            f"{path}:2: the front matter must be names with values, such as `tone: dry`."
        )
    return cast("dict[str, Any]", data)


def _twice(node: Any) -> Any:
    """The first key of a map that stands there already: YAML would take the last of them."""
    seen = set[str]()
    for key, _ in node.value if getattr(node, "id", "") == "mapping" else ():
        if key.value in seen:
            return key
        seen.add(str(key.value))
    return None


def _messages(path: Path, source: str, start: int) -> list[tuple[Role, list[Body]]]:
    found: list[tuple[Role, list[Body]]] = []
    for mark, body in _pieces(source, start):
        if mark in ROLES:
            found.append((cast(Role, mark), [body]))
        elif mark == "":
            found.append(("user", [body]))
        elif mark == "cache":
            _end_part(path, found[-1][1], body)
        else:
            raise PromptError(
                f"{path}:{body.line - 1}: --- {mark} is no role; the roles are"
                f" {', '.join(ROLES)}, and --- cache ends a part. {_AS_TEXT}"
            )
    return _after_the_first_role(path, found)


def _pieces(source: str, start: int) -> Iterator[tuple[str, Body]]:
    """Each mark with what follows it; "" stands for what comes before the first."""
    mark, at = "", start
    for found in _MARK.finditer(source, start):
        yield mark, Body(source[at : found.start()], source.count("\n", 0, at) + 1)
        mark, at = found[1], found.end()
    yield mark, Body(source[at:], source.count("\n", 0, at) + 1)


def _end_part(path: Path, bodies: list[Body], following: Body) -> None:
    if not bodies[-1].text.strip():
        raise PromptError(
            f"{path}:{following.line - 1}: nothing stands before this cache mark; put it after the"
            " text that is to be kept."
        )
    bodies[-1].cache = True
    bodies.append(following)


def _after_the_first_role(
    path: Path, found: list[tuple[Role, list[Body]]]
) -> list[tuple[Role, list[Body]]]:
    """Without the blank before the first role line; a file without one is a user message."""
    if len(found) == 1:
        return found
    lost = found[0][1][0]
    if lost.text.strip():
        first = lost.text.strip()[:QUOTED_CHARS_MAX]
        raise PromptError(f"{path}:{lost.line}: text before the first role line: {first!r}.")
    return found[1:]
