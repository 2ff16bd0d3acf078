"""Reading a JSON Schema: its definitions, references and what a value of it may be."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from twelvefold.thread import Json

Node = dict[str, Any]
Definitions = Mapping[str, Node]

_REF = "#/$defs/"
TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_ONE = ("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else")
_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "$defs", "dependentSchemas")


def definitions(root: Node) -> dict[str, Node]:
    """The named schemas of a root, of today's draft or of an older one."""
    return {**root.get("definitions", {}), **root.get("$defs", {})}


def name_of(ref: str) -> str | None:
    """The definition that a reference names; None when it leads anywhere else."""
    for prefix in (_REF, "#/definitions/"):
        if ref.startswith(prefix) and "/" not in (name := ref.removeprefix(prefix)):
            return name.replace("~1", "/").replace("~0", "~")
    return None


def ref_to(name: str) -> Node:
    escaped = name.replace("~", "~0").replace("/", "~1")
    return {"$ref": f"{_REF}{escaped}"}


def children(node: Node) -> Iterator[tuple[str, Node]]:
    """Each schema right below a node, with the step of its path."""
    for key in _ONE:
        if isinstance(node.get(key), dict):
            yield key, node[key]
    for key in _MANY:
        for one in cast(list[Json], node.get(key, [])):
            if isinstance(one, dict):
                yield key, cast(Node, one)
    for key in _NAMED:
        for name, one in cast(Node, node.get(key, {})).items():
            if isinstance(one, dict):
                yield f"{key}.{name}", cast(Node, one)


def mapped(node: Node, change: Any) -> Node:
    """The node with each schema right below it changed."""
    made = dict(node)
    for key in _ONE:
        if isinstance(node.get(key), dict):
            made[key] = change(node[key])
    for key in _MANY:
        if key in node:
            made[key] = [change(one) if isinstance(one, dict) else one for one in node[key]]
    for key in _NAMED:
        if key in node:
            made[key] = {
                name: change(one) if isinstance(one, dict) else one
                for name, one in node[key].items()
            }
    return made


def recursive(defs: Definitions) -> frozenset[str]:
    """The definitions that contain themselves, at any depth."""
    return frozenset(name for name, node in defs.items() if name in reachable(node, defs))


def reachable(node: Node, defs: Definitions) -> set[str]:
    """The definitions that a node refers to, at any depth."""
    found: set[str] = set()
    new = set(refs(node)) & defs.keys()
    while new:
        found |= new
        new = {name for known in new for name in refs(defs[known])} & defs.keys() - found
    return found


def refs(node: Node) -> Iterator[str]:
    if name := name_of(str(node.get("$ref", ""))):
        yield name
    for _, child in children(node):
        yield from refs(child)


def is_tag(node: Json) -> bool:
    """One possible value, which is the default too: it says which variant of a union this is."""
    if not isinstance(node, dict):
        return False
    known = cast(Node, node)
    return "const" in known and known.get("default") == known["const"]


def takes_null(node: Node, defs: Definitions, seen: frozenset[str] = frozenset()) -> bool:
    """Whether null is a value of this schema."""
    if name := name_of(str(node.get("$ref", ""))):
        return name not in seen and takes_null(defs.get(name, {}), defs, seen | {name})
    if "enum" in node or "const" in node:
        return None in node.get("enum", [node.get("const", 0)])
    if variants := node.get("anyOf", node.get("oneOf")):
        return any(takes_null(one, defs, seen) for one in variants)
    if parts := node.get("allOf"):
        return all(takes_null(one, defs, seen) for one in parts)
    types = node.get("type", "null")
    return "null" in ([types] if isinstance(types, str) else types)


def type_of(value: Json) -> str:
    """The JSON type of a value; whole numbers are `integer`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"
