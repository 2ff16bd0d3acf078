"""YAML that knows its lines, and keeps to what JSON can say: dates and `no` are texts, no key
stands twice."""

import re
from collections.abc import Iterator
from typing import Any, NoReturn, cast

import yaml

from twelvefold.exceptions import InvalidCase
from twelvefold.thread import Json

_BREAKS = frozenset("\n\r\x85\u2028\u2029")
"""What YAML folds where it is not escaped."""

_BOOL, _TIMESTAMP = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """The safe loader without dates, and with true and false alone as what they are."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in {_BOOL, _TIMESTAMP}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _first in "tf":
    _Loader.yaml_implicit_resolvers[_first].append((_BOOL, re.compile(r"(true|false)\Z")))


class Place:
    """A value of a file and where it stands: every complaint names the file, case and line."""

    def __init__(self, value: Json, line: int, node: Any, *, file: str, case: str = "") -> None:
        self.value, self.line, self.file, self.case = value, line, file, case
        self._node = node

    def refuse(self, why: str) -> NoReturn:
        case = f", case {self.case!r}" if self.case else ""
        raise InvalidCase(f"{self.file}, line {self.line}{case}: {why}")

    def named(self, case: str) -> "Place":
        return Place(self.value, self.line, self._node, file=self.file, case=case)

    def items(self, what: str) -> Iterator["Place"]:
        """Each item of a list."""
        if (values := as_list(self.value)) is None:
            self.refuse(f"{what} is a list, not {kind_of(self.value)}.")
        for value, node in zip(values, self._node.value, strict=True):
            yield self._at(value, node)

    def keys(self, what: str) -> dict[str, "Place"]:
        """The values of a map by their keys; the line of each is that of its key."""
        if (values := as_map(self.value)) is None:
            self.refuse(f"{what} is a map, not {kind_of(self.value)}.")
        found: dict[str, Place] = {}
        for key, node in self._node.value:
            name = str(key.value)
            place = Place(
                values.get(name),
                key.start_mark.line + 1,
                node,
                file=self.file,
                case=self.case,
            )
            if name in found:
                place.refuse(f"{name!r} stands there twice.")
            found[name] = place
        return found

    def text(self, what: str) -> str:
        if not isinstance(self.value, str) or not self.value:
            self.refuse(f"{what} is a text, not {kind_of(self.value)}.")
        return self.value

    def map(self, what: str) -> dict[str, Json]:
        self.keys(what)
        return cast(dict[str, Json], self.value)

    def _at(self, value: Json, node: Any) -> "Place":
        line = node.start_mark.line + 1
        return Place(value, line, node, file=self.file, case=self.case)


def read_yaml(text: str, *, file: str) -> Place:
    """The one document of a file. Raises `InvalidCase`."""
    loader: Any = _Loader(text)
    try:
        node: Any = loader.get_single_node()
        value: Json = None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error)
        raise InvalidCase(f"{file}{where}: this is not YAML: {problem}") from error
    finally:
        loader.dispose()
    return Place(value, 1, node, file=file)


def as_map(value: Json) -> dict[str, Json] | None:
    return cast(dict[str, Json], value) if isinstance(value, dict) else None


def as_list(value: Json) -> list[Json] | None:
    return cast(list[Json], value) if isinstance(value, list) else None


def kind_of(value: Json) -> str:
    """What a value is, in words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes or no"
        case int() | float():
            return f"the number {value}"
        case str():
            return "a text" if value else "an empty text"
        case list():
            return "a list"
        case _:
            return "a map"


def on_one_line(value: Json) -> str:
    """A value as YAML."""
    style = '"' if isinstance(value, str) and _BREAKS.intersection(value) else None
    text = yaml.safe_dump(
        value,
        default_flow_style=True,
        default_style=style,
        allow_unicode=True,
        sort_keys=False,
        width=float("inf"),
    )
    return text.removesuffix("...\n").rstrip("\n")
