"""A tool's input schema, of whatever draft, as JSON Schema 2020-12 that can be checked whole.

What says the same in another way is written anew; what only describes is left out; what could not
be checked is refused, with the tool and the place. Nothing is ever fetched.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from twelvefold.exceptions import ToolRefused
from twelvefold.schemas.checking import Checker
from twelvefold.schemas.keywords import CHECKS, NO_CHECK
from twelvefold.schemas.nodes import Node, mapped, name_of, ref_to
from twelvefold.thread import Json, to_text

DEPTH_MAX = 30
SCHEMA_CHARS_MAX = 200_000
_KNOWN = (CHECKS.keys() | NO_CHECK) - {"$schema", "$id", "$comment", "examples", "deprecated"}
# Keywords that restrict, which nothing here can check: passing them over would let too much in.
_UNCHECKED = frozenset(
    "unevaluatedProperties unevaluatedItems dependentSchemas dependencies $dynamicRef $recursiveRef"
    " contentSchema".split()
)
_TYPES = frozenset("object array string integer number boolean null".split())


class Refused(Exception):
    """Why, and at which place of the schema; the caller knows whose."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place or 'root'}: {why}")


def todays(schema: Mapping[str, Json], *, of: str) -> Node:
    """The schema, checkable. Raises `ToolRefused` naming the tool `of` and the place."""
    try:
        if len(to_text(dict(schema))) > SCHEMA_CHARS_MAX:
            raise Refused("", f"it has more than SCHEMA_CHARS_MAX = {SCHEMA_CHARS_MAX} characters")
        refuse_deep(schema)
        made = _Hoisted(dict(schema)).root()
        if made.setdefault("type", "object") != "object":
            raise Refused("", f"arguments are an object, not {made['type']!r}")
        Checker(made)
        return made
    except Refused as refused:
        raise ToolRefused(f"{of}: its input schema cannot be offered: {refused}.") from None
    except Exception as error:
        raise ToolRefused(f"{of}: its input schema cannot be offered: {error}") from error


def refuse_deep(value: Json) -> None:
    """Level by level, so that nothing is too deep to be measured."""
    level: list[Any] = [value]
    for _ in range(3 * DEPTH_MAX):  # a schema in a schema is two or three levels of JSON
        level = [inner for one in level for inner in _inner(one)]
        if not level:
            return
    raise Refused("", f"it is nested more than DEPTH_MAX = {DEPTH_MAX} schemas deep")


def _inner(value: Any) -> list[Any]:
    values = cast("list[Any]", [*cast(Node, value).values()] if isinstance(value, dict) else value)
    return [one for one in values if isinstance(one, dict | list)]


class _Hoisted:
    """The schema with each part that a pointer names among its definitions."""

    def __init__(self, given: Node) -> None:
        self._given = given
        self._found: dict[str, Node] = {}

    def root(self) -> Node:
        made = self._node(self._given, "")
        known = {**made.pop("definitions", {}), **made.pop("$defs", {})}
        if defs := {**known, **self._found}:
            made["$defs"] = defs
        return made

    def _node(self, node: Node, place: str) -> Node:
        made = _rewritten(node, place)
        if "$ref" in made:
            made["$ref"] = self._ref(made["$ref"], place)

        def below(one: Node) -> Node:
            return self._node(one, _within(place, made, one))

        return mapped(made, below)

    def _ref(self, ref: Json, place: str) -> str:
        """`#/properties/a` names a part of the whole, as some generators write what comes twice."""
        if isinstance(ref, str) and (ref == "#" or name_of(ref)):
            return ref
        if not isinstance(ref, str) or not ref.startswith("#/"):
            raise Refused(place, f"it refers to {str(ref)[:100]!r}, and nothing is fetched")
        name = re.sub(r"\W+", "_", ref).strip("_")
        while name in self._given.get("$defs", {}) or name in self._given.get("definitions", {}):
            name += "_"
        if name not in self._found:
            self._found[name] = {}  # it may refer to itself
            self._found[name] = self._node(self._part(ref, place), ref)
        return cast(str, ref_to(name)["$ref"])

    def _part(self, ref: str, place: str) -> Node:
        part: Any = self._given
        for step in ref.removeprefix("#/").split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(part, list) and key.isdigit() and int(key) < len(cast(Node, part)):
                part = cast("list[Any]", part)[int(key)]
            elif isinstance(part, dict) and key in part:
                part = cast(Node, part)[key]
            else:
                raise Refused(place, f"it refers to {ref[:100]!r}, which is not there")
        if not isinstance(part, dict):
            raise Refused(place, f"it refers to {ref[:100]!r}, which is no schema")
        return cast(Node, part)


def _within(place: str, node: Node, child: Node) -> str:
    for name, one in cast(Node, node.get("properties", {})).items():
        if one is child:
            return f"{place}.{name}" if place else name
    return f"{place}[]" if node.get("items") is child else place


def _rewritten(node: Node, place: str) -> Node:
    """One node in today's words, without those that say nothing about a value."""
    made = dict(node)
    _tuples(made)
    _limits(made)
    _nullable(made)
    _closed(made, place)
    if wrong := sorted(_UNCHECKED & made.keys()):
        raise Refused(place, f"{wrong[0]} cannot be checked")
    types = made.get("type", [])
    for one in cast("list[Json]", [types] if isinstance(types, str) else types):
        if one not in _TYPES:
            raise Refused(place, f"{one!r} is no type of JSON")
    return {word: value for word, value in made.items() if word in _KNOWN}


def _tuples(made: Node) -> None:
    """A list of schemas in `items`, as up to draft 2019-09."""
    if isinstance(made.get("items"), list):
        made["prefixItems"] = made.pop("items")
        if "additionalItems" in made:
            made["items"] = made["additionalItems"]


def _limits(made: Node) -> None:
    """`exclusiveMinimum` as a truth, as in draft 4."""
    for exclusive, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and plain in made:
            made[exclusive] = made.pop(plain)
    if isinstance(made.get("required"), bool):  # draft 3, and forms of pages
        del made["required"]


def _nullable(made: Node) -> None:
    """As OpenAPI 3.0 says it."""
    types = made.get("type")
    if made.get("nullable") is True and isinstance(types, str) and types != "null":
        made["type"] = [types, "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]


def _closed(made: Node, place: str) -> None:
    """`unevaluatedProperties` where it says what `additionalProperties` would."""
    if "unevaluatedProperties" in made:
        rest = made["unevaluatedProperties"]
        parts = made.keys() & {"allOf", "anyOf", "oneOf", "$ref", "if", "not"}
        if rest is True or rest == {}:
            del made["unevaluatedProperties"]
        elif not parts and "additionalProperties" not in made:
            made["additionalProperties"] = made.pop("unevaluatedProperties")
    dependencies = made.get("dependencies")
    if isinstance(dependencies, dict):
        named = cast(Node, dependencies)
        if all(isinstance(one, list) for one in named.values()):
            made["dependentRequired"] = {**named, **made.get("dependentRequired", {})}
            del made["dependencies"]
