"""The keywords of JSON Schema about lists and objects, each as a check of one value."""

from typing import cast

from twelvefold.schemas.look import Complaints, Keyword, Look, pattern_of, said
from twelvefold.schemas.nodes import Node
from twelvefold.thread import Json, canonical

# Lists


def _items(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, list):
        first = len(node.get("prefixItems", ()))
        for n, one in enumerate(cast(list[Json], value)[first:], start=first):
            yield from look.check(node["items"], one, f"{path}[{n}]")


def _prefix_items(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, list):
        pairs = zip(node["prefixItems"], cast(list[Json], value), strict=False)
        for n, (schema, one) in enumerate(pairs):
            yield from look.check(schema, one, f"{path}[{n}]")


def _contains(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, list):
        items = enumerate(cast(list[Json], value))
        count = sum(look.fits(node["contains"], one, f"{path}[{n}]") for n, one in items)
        if not node.get("minContains", 1) <= count <= node.get("maxContains", count):
            yield said(path, f"has {count} of the items that it must contain")


def _unique_items(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, list) and node["uniqueItems"]:
        items = [canonical(_whole(one)) for one in cast(list[Json], value)]
        if len(set(items)) < len(items):
            yield said(path, "must have no item twice")


def _whole(value: Json) -> Json:
    """The same with 1.0 written as 1."""
    if isinstance(value, list):
        return [_whole(one) for one in cast(list[Json], value)]
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in cast(Node, value).items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Objects


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _properties(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, dict):
        for name, schema in node["properties"].items():
            if name in value:
                yield from look.check(schema, value[name], _below(path, name))


def _required(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, dict):
        for name in node["required"]:
            if name not in value:
                yield said(_below(path, name), "is missing")


def _additional(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, dict):
        for name, one in cast(Node, value).items():
            if name in node.get("properties", ()):
                continue
            if any(pattern_of(text).search(name) for text in node.get("patternProperties", ())):
                continue
            yield from look.check(node["additionalProperties"], one, _below(path, name))


def _pattern_properties(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, dict):
        for text, schema in node["patternProperties"].items():
            for name, one in cast(Node, value).items():
                if pattern_of(text).search(name):
                    yield from look.check(schema, one, _below(path, name))


def _property_names(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, dict):
        for name in cast(Node, value):
            yield from look.check(node["propertyNames"], name, f"{path}({name})")


def _dependent(look: Look, node: Node, value: Json, path: str) -> Complaints:
    if isinstance(value, dict):
        for name, others in node.get("dependentRequired", {}).items():
            if name in value and (missing := [one for one in others if one not in value]):
                yield said(_below(path, missing[0]), f"is missing, as {name} is there")


OF_CONTAINERS: dict[str, Keyword] = {
    "items": _items,
    "prefixItems": _prefix_items,
    "contains": _contains,
    "uniqueItems": _unique_items,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "patternProperties": _pattern_properties,
    "propertyNames": _property_names,
    "dependentRequired": _dependent,
}
