"""The keywords of JSON Schema, each as a check of one value."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from twelvefold.schemas.containers import OF_CONTAINERS
from twelvefold.schemas.formats import is_format
from twelvefold.schemas.look import Complaints, Keyword, Look, pattern_of, said, same, shown
from twelvefold.schemas.nodes import Node, type_of
from twelvefold.thread import Json

# Any value


def _ref(look: Look, node: Node, value: Json, path: str) -> Complaints:
    yield from look.referred(node["$ref"], value, path)


def _type(look: Look, node: Node, value: Json, path: str) -> Complaints:
    types = node["type"]
    allowed = [types] if isinstance(types, str) else types
    found = type_of(value)
    if found == "integer" and "number" in allowed:
        return
    if found == "number" and "integer" in allowed and float(value).is_integer():
        return
    if found not in allowed:
        yield said(path, f"must be {' or '.join(allowed)}, not {shown(value)}")


def _enum(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if not any(same(value, one) for one in node["enum"]):
        choices = ", ".join(map(shown, node["enum"]))
        yield said(path, f"must be one of {choices}, not {shown(value)}")


def _const(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if not same(value, node["const"]):
        yield said(path, f"must be {shown(node['const'])}, not {shown(value)}")


def _any_of(look: Look, node: Node, value: Json, path: str) -> Complaints:
    found = [list(look.check(one, value, path)) for one in node["anyOf"]]
    if all(found):  # those of the variant that is nearest
        yield from min(found, key=len)


def _one_of(look: Look, node: Node, value: Json, path: str) -> Complaints:
    found = [list(look.check(one, value, path)) for one in node["oneOf"]]
    if all(found):
        yield from min(found, key=len)
    elif (fitting := sum(not complaints for complaints in found)) > 1:
        yield said(path, f"fits {fitting} variants, where it must fit one")


def _all_of(look: Look, node: Node, value: Json, path: str) -> Complaints:
    for one in node["allOf"]:
        yield from look.check(one, value, path)


def _not(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if look.fits(node["not"], value, path):
        yield said(path, f"must not be {shown(value)}")


def _if(look: Look, node: Node, value: Json, path: str) -> Complaints:
    branch = "then" if look.fits(node["if"], value, path) else "else"
    yield from look.check(node.get(branch, True), value, path)


# Numbers and texts


def _bound(keyword: str, right: Callable[[Any, Any], bool], words: str) -> Keyword:
    def check(look: Look, node: Node, value: Json, path: str) -> Complaints:
        is_number = type_of(value) in {"integer", "number"}
        if is_number and not right(value, node[keyword]):
            yield said(path, f"must be {words} {node[keyword]}, not {shown(value)}")

    return check


def _is_multiple(value: float, of: float) -> bool:
    return (_exact(value) / _exact(of)).denominator == 1


def _exact(value: float) -> Fraction:
    """As it was written: 0.3 is three tenths."""
    return Fraction(value if isinstance(value, int) else Decimal(repr(value)))


def _length(keyword: str, kind: str, what: str) -> Keyword:
    most = keyword.startswith("max")

    def check(look: Look, node: Node, value: Json, path: str) -> Complaints:
        if type_of(value) != kind:
            return
        count, limit = len(value), node[keyword]
        if count > limit if most else count < limit:
            yield said(path, f"must have {'at most' if most else 'at least'} {limit} {what}")

    return check


def _pattern(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, str) and not pattern_of(node["pattern"]).search(value):
        yield said(path, f"must match {node['pattern']}")


def _format(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, str) and not is_format(value, node["format"]):
        yield said(path, f"must be a {node['format']}, not {shown(value)}")


CHECKS: Mapping[str, Keyword] = {
    "$ref": _ref,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "allOf": _all_of,
    "not": _not,
    "if": _if,
    "minimum": _bound("minimum", lambda value, limit: value >= limit, "at least"),
    "maximum": _bound("maximum", lambda value, limit: value <= limit, "at most"),
    "exclusiveMinimum": _bound("exclusiveMinimum", lambda value, limit: value > limit, "above"),
    "exclusiveMaximum": _bound("exclusiveMaximum", lambda value, limit: value < limit, "below"),
    "multipleOf": _bound("multipleOf", _is_multiple, "a multiple of"),
    "minLength": _length("minLength", "string", "characters"),
    "maxLength": _length("maxLength", "string", "characters"),
    "minItems": _length("minItems", "array", "items"),
    "maxItems": _length("maxItems", "array", "items"),
    "minProperties": _length("minProperties", "object", "properties"),
    "maxProperties": _length("maxProperties", "object", "properties"),
    "pattern": _pattern,
    "format": _format,
    **OF_CONTAINERS,
}
# What says nothing about a value, or belongs to a keyword above.
NO_CHECK = frozenset(
    "$schema $id $comment $defs definitions title description default examples deprecated readOnly"
    " writeOnly discriminator then else minContains maxContains contentMediaType contentEncoding"
    " contentSchema".split()
)
