"""One neutral schema to a strict one: each shape written faithfully, or refused with its path."""

import re
from collections.abc import Sequence
from typing import NamedTuple, cast

from twelvefold.exceptions import SchemaRefused
from twelvefold.schemas.bounds import kept_bounds
from twelvefold.schemas.nodes import (
    TYPES,
    Definitions,
    Node,
    is_tag,
    mapped,
    name_of,
    reachable,
    recursive,
    ref_to,
    takes_null,
    type_of,
)
from twelvefold.schemas.profiles import Profile
from twelvefold.thread import Json

_WHERE_ABSENT = "has recursion only below a field with a default; give it one"
OTHER_MODE = 'or use mode="tool" or mode="prompt"'
NULL: Node = {"type": "null"}
# What says nothing about which values are right. A default comes back when the model writes null.
_SILENT = frozenset(
    "title default deprecated readOnly writeOnly discriminator description type properties required"
    " additionalProperties items prefixItems enum const anyOf oneOf allOf $ref $defs definitions"
    " $schema $id $comment $anchor".split()
)


class Dropped(NamedTuple):
    """A bound that the wire schema does not carry; the parser checks it."""

    path: str
    keyword: str


class Strict:
    """Writes the nodes of one schema for one profile, and remembers what it had to drop.

    `absent`: a property with a default is left out, where it else would be null.
    """

    def __init__(self, defs: Definitions, profile: Profile, *, absent: bool = False) -> None:
        self.defs = defs
        self.profile = profile
        self.absent = absent
        self.dropped: list[Dropped] = []
        self._recursive = recursive(defs)
        self._used: dict[str, str] = {}  # definitions, each with the place of its first use

    def root(self, schema: Node) -> Node:
        return self.node(schema, str(schema.get("title", "answer")), "")

    def definitions(self) -> Node:
        """Every definition that was referred to so far, in its own order."""
        made: Node = {}
        while missing := self._used.keys() - made.keys():
            for name in (name for name in self.defs if name in missing):
                made[name] = self.node(self.defs[name], name, name)
        if self.profile.recursion == "where_absent" and (endless := recursive(_musts(made))):
            raise self._refused(min(endless), _WHERE_ABSENT)
        return {name: made[name] for name in self.defs if name in made}

    def node(self, schema: Json, path: str, within: str) -> Node:
        """`within` is the definition that the node is a part of."""
        if not isinstance(schema, dict) or not schema.keys() - {"title", "description", "default"}:
            raise self._refused(path, "needs a type for every value; this one may be anything")
        node = self._merged(cast(Node, schema), path)
        is_reference = "$ref" in node
        made = (self._reference if is_reference else self._shape)(node, path, within)
        self.dropped += [Dropped(path, word) for word in node if self._is_lost(word, made)]
        return made if is_reference else {**_words(node), **made}

    def _shape(self, node: Node, path: str, within: str) -> Node:
        if "enum" in node or "const" in node:
            return self._choice(node, path)
        if "anyOf" in node or "oneOf" in node:
            return self._union(node, path, within)
        types = node.get("type", _implied_type(node))
        if isinstance(types, list):
            each = [{**_without_words(node), "type": one} for one in cast(list[str], types)]
            return self._any_of([self._shape(one, path, within) for one in each], path)
        if types == "object":
            return self._object(node, path, within)
        if types == "array":
            return self._array(node, path, within)
        if types not in TYPES:
            raise self._refused(path, "needs a type for every value; this one has none")
        return {"type": types, **kept_bounds(node, self.profile)}

    def _is_lost(self, keyword: str, made: Node) -> bool:
        if keyword in _SILENT or keyword.startswith("x-"):
            return False
        return not any(keyword in one for one in (made, *made.get("anyOf", ())))

    def _merged(self, node: Node, path: str) -> Node:
        parts: list[Node] = node.get("allOf", [])
        if len(parts) > 1 or "patternProperties" in node:
            word = "allOf" if parts else "patternProperties"
            raise self._refused(path, f"has no {word}; write one model with all its fields")
        if not parts:
            return node
        return {**parts[0], **{key: value for key, value in node.items() if key != "allOf"}}

    def _reference(self, node: Node, path: str, within: str) -> Node:
        name = name_of(node["$ref"])
        if name is None or name not in self.defs:
            raise self._refused(path, f"cannot follow {node['$ref']}; name it under $defs")
        if name in self._recursive and self.profile.recursion == "never":
            raise self._refused(path, f"has no recursion, and {name} contains itself")
        beside = _words(node)
        if beside and not _words(self.defs[name]):  # a reference stands alone
            return {**beside, **self.node(self.defs[name], path, name)}
        self._used.setdefault(name, path)
        return {**beside, "anyOf": [ref_to(name)]} if beside else ref_to(name)

    def _choice(self, node: Node, path: str) -> Node:
        groups: dict[str, list[Json]] = {}
        for value in node.get("enum", [node.get("const")]):
            groups.setdefault(type_of(value), []).append(value)
        if groups.keys() & {"object", "array"}:
            raise self._refused(path, "has no lists and maps as values of an enum")
        return self._any_of([self._values(*group, path) for group in groups.items()], path)

    def _values(self, kind: str, values: list[Json], path: str) -> Node:
        if kind == "null":
            return NULL
        if kind not in self.profile.enum_types:
            if len(values) == 1:
                self.dropped.append(Dropped(path, "enum"))
            return {"type": kind}
        return {"type": kind, "enum": values}

    def _union(self, node: Node, path: str, within: str) -> Node:
        if beside := node.keys() & {"properties", "items", "required", "prefixItems"}:
            raise self._refused(path, f"has no {min(beside)} beside a union; write whole variants")
        variants = cast(list[Json], node.get("anyOf", node.get("oneOf")))
        return self._any_of([self.node(one, path, within) for one in variants], path)

    def _any_of(self, variants: Sequence[Node], path: str) -> Node:
        flat: list[Node] = []
        for one in variants:
            flat += one["anyOf"] if one.keys() == {"anyOf"} else [one]
        if len(flat) == 1:
            return flat[0]
        return {"anyOf": flat}

    def _object(self, node: Node, path: str, within: str) -> Node:
        extra = node.get("additionalProperties", "properties" not in node)
        if extra is not False and not self.profile.maps:
            raise self._refused(
                path,
                "has no maps: every key must be named. Use a list of models with a key and a"
                " value, or name the fields",
            )
        written: Node = {}
        required: list[str] = []
        for name, schema in node.get("properties", {}).items():
            must = name in node.get("required", ()) or is_tag(schema)
            made = self.node(schema, f"{path}.{name}", within)
            if not self._may_lack(schema, must, f"{path}.{name}", within):
                required.append(name)
                made = made if must or takes_null(schema, self.defs) else with_null(made)
            written[name] = made
        if isinstance(extra, dict):
            extra = self.node(extra, f"{path}.*", within)
        return {
            "type": "object",
            "properties": written,
            "required": required,
            "additionalProperties": extra,
        }

    def _may_lack(self, schema: Node, must: bool, path: str, within: str) -> bool:
        """Whether the model may leave the property out, instead of writing null."""
        if self.profile.recursion == "where_absent" and self._cyclic(schema, within):
            if must:
                raise self._refused(path, _WHERE_ABSENT)
            return True
        return self.absent and not must and not takes_null(schema, self.defs)

    def _cyclic(self, schema: Node, within: str) -> bool:
        return within in self._recursive and within in reachable(schema, self.defs)

    def _array(self, node: Node, path: str, within: str) -> Node:
        first = node.get("prefixItems")
        if first is None:
            items = self.node(node.get("items", {}), f"{path}[]", within)
            return {"type": "array", "items": items, **kept_bounds(node, self.profile)}
        each = [self.node(one, f"{path}[{n}]", within) for n, one in enumerate(first)]
        if self.profile.tuples:
            return {"type": "array", "prefixItems": each, **kept_bounds(node, self.profile)}
        if any(one != each[0] for one in each) or node.get("items", False) is not False:
            raise self._refused(path, "has no tuples of several types; use a model with fields")
        return {"type": "array", "items": each[0], **kept_bounds(node, self.profile)}

    def _refused(self, path: str, rule: str) -> SchemaRefused:
        by = self._used.get(re.split(r"[.\[]", path)[0], path)
        where = path if by.startswith("answer") or by == path else f"{path} (used by {by})"
        return SchemaRefused(f"{where}: {self.profile.name} {rule}, {OTHER_MODE}.")


def _musts(defs: Definitions) -> Definitions:
    """The definitions without the properties that may be left out."""

    def must(node: Node) -> Node:
        made = mapped(node, must)
        if "properties" in made:
            made["properties"] = {name: made["properties"][name] for name in made["required"]}
        return made

    return {name: must(node) for name, node in defs.items()}


def with_null(made: Node) -> Node:
    """The same, or null."""
    rest = _without_words(made)
    variants = rest["anyOf"] if rest.keys() == {"anyOf"} else [rest]
    return {**_words(made), "anyOf": [*variants, NULL]}


def _words(node: Node) -> Node:
    return {"description": node["description"]} if "description" in node else {}


def _without_words(node: Node) -> Node:
    return {key: value for key, value in node.items() if key != "description"}


def _implied_type(node: Node) -> str:
    return "object" if "properties" in node else "array" if "items" in node else ""
