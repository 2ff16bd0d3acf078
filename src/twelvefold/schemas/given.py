"""Steps that somebody else describes: a JSON Schema, or the tools of an MCP server."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, cast

from twelvefold.exceptions import InvalidSteps, SchemaRefused
from twelvefold.schemas.checking import Checker
from twelvefold.schemas.keywords import CHECKS, NO_CHECK
from twelvefold.schemas.nodes import Node, definitions, mapped, name_of, ref_to
from twelvefold.thread import Json, to_text

INTENT = "intent"
_WORDS = (
    CHECKS.keys() | NO_CHECK | {"unevaluatedProperties", "unevaluatedItems", "dependentSchemas"}
)


class JsonSteps:
    """A JSON Schema in the place of a union of step models; what is parsed are plain values.

    `tag` is the property that tells the variants of a union apart, `variants` its values with their
    schemas; None and empty when the root is no tagged union. Equal when the schemas are equal.
    """

    def __init__(self, schema: Mapping[str, Json]) -> None:
        self.text = to_text(dict(schema))
        self.schema: Node = json.loads(self.text)
        self._checker = Checker(self.schema)

    def check(self, value: Json) -> list[str]:
        """What is wrong with a value, each as `path: what`; nothing when it is right."""
        return self._checker.complaints(value)

    def resolved(self, node: Node) -> Node:
        """The node itself, or what it refers to."""
        seen: set[str] = set()
        while (name := name_of(node.get("$ref", ""))) and name not in seen:
            seen.add(name)
            node = {**self._checker.defs[name], **{k: v for k, v in node.items() if k != "$ref"}}
        return node

    @property
    def tag(self) -> str | None:
        return self._tagged[0]

    @property
    def variants(self) -> Mapping[str, Node]:
        return self._tagged[1]

    @cached_property
    def _tagged(self) -> tuple[str | None, Mapping[str, Node]]:
        root = self.resolved(self.schema)
        nodes = [self.resolved(one) for one in root.get("anyOf", root.get("oneOf", [root]))]
        named = root.get("discriminator", {}).get("propertyName")
        candidates = [named] if named else [INTENT, *nodes[0].get("properties", ())]
        for tag in candidates:
            values = [_only_value(node.get("properties", {}).get(tag)) for node in nodes]
            found = dict(zip((value for value in values if value is not None), nodes, strict=False))
            if len(found) == len(nodes):
                return tag, found
        return None, {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JsonSteps) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"JsonSteps({', '.join(self.variants) or self.text[:60]})"


def steps_from_json_schema(schema: str | Mapping[str, Json] | Sequence[Mapping[str, Json]]) -> Any:
    """What `parse` takes as `steps`, from one of:

    - a JSON Schema (2020-12) as text or dict, of any root;
    - MCP tools: their list, `[{"name": ..., "description": ..., "inputSchema": {...}}]`, or a dict
      of their names to input schemas. Each becomes a variant `{"intent": name, **arguments}`.

    Raises `SchemaRefused` for a schema that cannot be checked whole, `InvalidSteps` for a tool with
    an argument `intent`.
    """
    given: Any = json.loads(schema) if isinstance(schema, str) else schema
    if isinstance(given, Mapping):
        node = cast(Mapping[str, Json], given)
        if _is_schema(node):
            return JsonSteps(node)
        given = [{"name": name, "inputSchema": one} for name, one in node.items()]
    if not isinstance(given, Sequence):
        raise SchemaRefused("A schema must be an object, and tools a list or a dict of them.")
    return JsonSteps(_union([_named(one) for one in cast("Sequence[Json]", given)]))


def _is_schema(given: Mapping[str, Json]) -> bool:
    """Anything but names with an object schema each."""
    is_word = any(key in _WORDS or key.startswith("$") for key in given)
    return is_word or not given or not all(isinstance(one, Mapping) for one in given.values())


def _named(tool: Json) -> Mapping[str, Json]:
    known = cast("Mapping[str, Json]", tool if isinstance(tool, Mapping) else {})
    if not isinstance(known.get("name"), str):
        raise InvalidSteps("Each tool needs a name, as in {'name': ..., 'inputSchema': ...}.")
    return known


def _union(tools: Sequence[Mapping[str, Json]]) -> Node:
    defs: Node = {}
    for tool in tools:
        name, prefix = cast(str, tool["name"]), _prefix(tool)
        node = dict(cast(Mapping[str, Json], tool.get("inputSchema") or {}))
        inner = definitions(node)
        new = {f"{prefix}_{known}": _renamed(one, prefix) for known, one in inner.items()}
        new[prefix] = _variant(name, tool, _renamed(node, prefix))
        if taken := new.keys() & defs.keys():
            raise InvalidSteps(f"Two of the tools would be called {min(taken)!r}. Rename one.")
        defs |= new
    return {"anyOf": [ref_to(_prefix(tool)) for tool in tools], "$defs": defs}


def _prefix(tool: Mapping[str, Json]) -> str:
    return re.sub(r"\W", "_", cast(str, tool["name"]))


def _variant(name: str, tool: Mapping[str, Json], node: Node) -> Node:
    properties: Node = node.get("properties", {})
    if INTENT in properties:
        raise InvalidSteps(f"{name} has an argument `intent`, which is the tool's name. Rename it.")
    words = {"description": tool["description"]} if tool.get("description") else {}
    rest = {key: value for key, value in node.items() if key not in {"$defs", "definitions"}}
    return {
        **rest,
        **words,
        "type": "object",
        "properties": {INTENT: {"const": name, "type": "string"}, **properties},
        "required": [INTENT, *node.get("required", ())],
    }


def _renamed(node: Node, prefix: str) -> Node:
    def below(one: Node) -> Node:
        return _renamed(one, prefix)

    made = mapped(node, below)
    if known := name_of(str(made.get("$ref", ""))):
        made |= ref_to(f"{prefix}_{known}")
    return made


def _only_value(node: Json) -> str | None:
    if not isinstance(node, dict):
        return None
    known = cast(Node, node)
    values: list[Json] = known.get("enum", [known.get("const")])
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None
