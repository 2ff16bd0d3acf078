"""A plain value against a JSON Schema (2020-12): what is wrong with it, in words.

A keyword that cannot be checked is refused when the schema is given, never passed over.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import cast

from twelvefold.exceptions import SchemaRefused
from twelvefold.schemas.keywords import CHECKS, NO_CHECK
from twelvefold.schemas.look import Look, pattern_of
from twelvefold.schemas.nodes import Definitions, Node, children, definitions, name_of
from twelvefold.thread import Json

COMPLAINTS_MAX = 10
DEPTH_MAX = 100
"""Lists and maps in each other: what a stack that is already deep can still follow."""

# What applies to the same value as the schema that holds it.
_IN_PLACE = ("anyOf", "oneOf", "allOf", "not", "if", "then", "else")
_SCHEMAS = "items contains additionalProperties propertyNames not if then else"
_LISTS = "anyOf oneOf allOf prefixItems enum required"
_MAPS = "properties patternProperties dependentRequired $defs definitions"
_LIMITS = "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"
_COUNTS = (
    "minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains"
)
_FORMS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(_SCHEMAS.split(), (dict, bool)),
    **dict.fromkeys(_LISTS.split(), (list,)),
    **dict.fromkeys(_MAPS.split(), (dict,)),
    **dict.fromkeys(_LIMITS.split(), (int, float)),
    **{end + what: (int,) for what in _COUNTS.split() for end in ("min", "max")},
    **dict.fromkeys(("pattern", "format", "$ref"), (str,)),
    "type": (str, list),
    "uniqueItems": (bool,),
}


class Checker:
    """One schema, ready to check values. Raises `SchemaRefused` for what it could not check."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.defs: Definitions = definitions(root)
        for place, node in _everywhere(root, ""):
            _refuse_unknown(node, place, self.defs)
        _refuse_endless(root, self.defs)

    def complaints(self, value: Json) -> list[str]:
        """What is wrong with the value, each as `path: what`; nothing when it is right."""
        if _is_deeper(value, DEPTH_MAX):
            return [f"the value is nested more than {DEPTH_MAX} levels deep"]
        look = Look(self.root, self.defs, CHECKS)
        return list(islice(look.check(self.root, value, ""), COMPLAINTS_MAX))


def _everywhere(node: Node, place: str) -> Iterator[tuple[str, Node]]:
    yield place, node
    for key, child in children(node):
        yield from _everywhere(child, f"{place}/{key}")


def _refuse_unknown(node: Node, place: str, defs: Definitions) -> None:
    known = CHECKS.keys() | NO_CHECK
    if unknown := [word for word in node if word not in known and not word.startswith("x-")]:
        raise SchemaRefused(f"{place or 'root'}: {unknown[0]} cannot be checked; leave it out.")
    if wrong := [word for word in node if not _is_formed(word, node[word])]:
        raise SchemaRefused(
            f"{place or 'root'}: {wrong[0]} is not as in JSON Schema 2020-12; an older draft?"
        )
    ref = node.get("$ref")
    if ref is not None and ref != "#" and name_of(ref) not in defs:
        raise SchemaRefused(f"{place or 'root'}: cannot follow {ref}; name it under $defs.")
    for pattern in (node.get("pattern"), *node.get("patternProperties", {})):
        try:
            _ = pattern is None or pattern_of(pattern)
        except re.error as error:
            raise SchemaRefused(f"{place or 'root'}: {pattern!r} is no pattern: {error}.") from None


def _is_formed(word: str, value: Json) -> bool:
    """Whether a keyword has a value of the right type. Older drafts differ: `items` was a list,
    `exclusiveMinimum` a truth, `required` too."""
    allowed = _FORMS.get(word, (object, bool))
    return isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))


def _refuse_endless(root: Node, defs: Definitions) -> None:
    """A reference that comes back to itself at the same value would be followed for ever."""
    named = {"#": root, **defs}
    for name in named:
        seen: set[str] = set()
        new = set(_applied(named[name]))
        while new:
            if name in new:
                raise SchemaRefused(f"{name}: refers to itself; put the reference in a property.")
            seen |= new
            new = {other for one in new for other in _applied(named[one])} - seen


def _applied(node: Node) -> Iterator[str]:
    if "$ref" in node:
        yield name_of(node["$ref"]) or "#"
    for key, child in children(node):
        if key in _IN_PLACE:
            yield from _applied(child)


def _is_deeper(value: Json, levels: int) -> bool:
    """Level by level, so that nothing is too deep to be measured."""
    within: list[Json] = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        within = [inner for one in within for inner in _inner(one)]
    return bool(within)


def _inner(value: Json) -> list[Json]:
    """The lists and maps right in a value."""
    items = cast(Iterable[Json], value.values() if isinstance(value, dict) else value)
    return [one for one in items if isinstance(one, list | dict)]
