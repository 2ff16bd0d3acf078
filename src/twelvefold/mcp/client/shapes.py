"""A JSON Schema as Pydantic types: what a model is shown, and what code reads by attribute.

Types say the shape; every restriction besides is checked against the schema itself (`stepping`), so
a shape may be wider than the schema where no type says it, and nothing wrong comes through.
"""

import re
from collections.abc import Mapping
from functools import reduce
from typing import Annotated, Any, ClassVar, ForwardRef, Literal, Optional, Union, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    create_model,
)

from twelvefold.exceptions import SchemaRefused
from twelvefold.mcp.client.arguments import field_name, stored_name
from twelvefold.mcp.client.dialect import DEPTH_MAX, Refused
from twelvefold.schemas.checking import Checker
from twelvefold.schemas.nodes import Node, name_of, refs
from twelvefold.thread import Json

_SCALARS: Mapping[str, Any] = {
    "string": StrictStr,
    "integer": StrictInt,
    "number": StrictInt | StrictFloat,  # 3 stays 3
    "boolean": StrictBool,
    "null": None,
}
_DEFS = "#/$defs/"
_WORDS = frozenset({"title", "description", "default", "$defs", "discriminator"})
_VARIANTS = ("anyOf", "oneOf")
_OF_OBJECTS = ("properties", "additionalProperties", "required", "patternProperties")
_OF_LISTS = ("items", "prefixItems", "minItems", "maxItems", "uniqueItems")
_OF_TEXTS = ("pattern", "minLength", "maxLength", "format")
_OF_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_LIST_BOUNDS = frozenset({"minItems", "maxItems", "uniqueItems"})

Fields = dict[str, Any]


class Part(BaseModel):
    """An object inside of the arguments of a tool. `left_out`: fields that are not sent when None,
    because the schema has no null there."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
    left_out: ClassVar[frozenset[str]] = frozenset()


class OpenPart(Part):
    """One that takes more than it names."""

    model_config = ConfigDict(extra="allow")


class Shapes:
    """The types of one tool. `prefix` begins the names of all its models."""

    def __init__(self, root: Node, *, prefix: str) -> None:
        self._root, self._prefix = root, prefix
        self._defs: dict[str, Node] = root.get("$defs", {})
        self._named: dict[str, Any] = {}  # by definition; None while it is being made
        self._models: dict[str, type[BaseModel]] = {}
        self._reserved: dict[str, str] = {}  # of definitions, by place

    def fields_of_root(self) -> tuple[Fields, frozenset[str]]:
        """What `create_model` takes, and the fields that are left out when None."""
        node = self._merged(self._root, "", 0)
        made = self._fields(node, "", 0)
        for model in self._models.values():
            model.model_rebuild(_types_namespace=self._models)
        return made

    def _fields(self, node: Node, place: str, depth: int) -> tuple[Fields, frozenset[str]]:
        fields: Fields = {}
        left_out: set[str] = set()
        required = frozenset(cast("list[str]", node.get("required", [])))
        for name, child in cast(Node, node.get("properties", {})).items():
            if child is False:
                continue
            known: Node = {} if child is True else child
            key = field_name(name, fields)
            fields[key] = self._field(name, key, known, name in required, _at(place, name), depth)
            if fields[key][1].default is None and name not in required:
                left_out.add(key)
        return fields, frozenset(left_out)

    def _field(
        self, name: str, key: str, node: Node, required: bool, place: str, depth: int
    ) -> tuple[Any, Any]:
        kind = self.shape(node, place, depth + 1)
        options: dict[str, Any] = {"description": node.get("description")}
        if name != key:
            options["alias"] = name if depth else stored_name(name)
        if required:
            return kind, Field(**options)
        if node.get("default") is not None and self._fits(node, node["default"]):
            return kind, Field(default=node["default"], validate_default=True, **options)
        return Optional[kind], Field(default=None, **options)  # noqa: UP045, it may be a name

    def _fits(self, node: Node, default: Json) -> bool:
        return not Checker({**node, "$defs": self._defs}).complaints(default)

    def shape(self, given: Node, place: str, depth: int) -> Any:
        """The type of a schema."""
        if depth > DEPTH_MAX:
            raise Refused(place, f"it is nested more than DEPTH_MAX = {DEPTH_MAX} schemas deep")
        if "$ref" in given and not (given.keys() - _WORDS - {"$ref"}):
            return self._referred(given["$ref"], place, depth)
        node = self._merged(given, place, depth)
        if "const" in node or "enum" in node:
            return _choice(node)
        for word in _VARIANTS:
            if word in node and not (node.keys() & {*_OF_OBJECTS, *_OF_LISTS}):
                return self._union(node, word, place, depth)
        types = node.get("type", _implied(node))
        if isinstance(types, list):
            kinds = [
                self.shape({**node, "type": one}, place, depth + 1)
                for one in cast("list[str]", types)
            ]
            return _either(kinds)
        return self._typed(node, types, place, depth)

    def _typed(self, node: Node, kind: str | None, place: str, depth: int) -> Any:
        if kind == "object":
            return self._object(node, place, depth)
        if kind == "array":
            return self._list(node, place, depth)
        if kind is not None and kind in _SCALARS:
            said = {"type": kind, **_only(node, {*_OF_TEXTS, *_OF_NUMBERS})}
            return None if kind == "null" else Annotated[_SCALARS[kind], WithJsonSchema(said)]
        return _any(node)

    def _referred(self, ref: str, place: str, depth: int) -> Any:
        name = name_of(ref)
        if name is None:  # the whole of it, inside of itself
            return _any({})
        if name not in self._defs:
            raise Refused(place, f"it refers to {ref[:100]!r}, which is not there")
        if name not in self._named:
            self._named[name], below = None, f"{_DEFS}{name}"
            self._reserved[below] = self._model_name(below)
            self._named[name] = self.shape(self._defs[name], below, depth + 1)
        elif self._named[name] is None:
            return self._itself(name)
        return self._named[name]

    def _itself(self, name: str) -> Any:
        """A definition inside of itself: by its name where it is a model, else any JSON."""
        node = self._defs[name]
        is_model = node.get("type", _implied(node)) == "object" and node.get("properties")
        known = is_model and not _unions(node)
        return ForwardRef(self._reserved[f"{_DEFS}{name}"]) if known else _any({})

    def _union(self, node: Node, word: str, place: str, depth: int) -> Any:
        rest = {key: one for key, one in node.items() if key not in {word, *_WORDS}}
        kinds: list[Any] = []
        for n, one in enumerate(cast("list[Json]", node[word])):
            if one is False:
                continue
            variant: Node = {} if one is True else cast(Node, one)
            both = {**rest, **variant} if rest else variant
            kinds.append(self.shape(both, f"{place}_{n + 1}", depth + 1))
        if not kinds:
            raise Refused(place, f"{word} has no variant")
        return _either(kinds)

    def _list(self, node: Node, place: str, depth: int) -> Any:
        if "prefixItems" in node:
            return _any(node)
        items = node.get("items", {})
        known: Node = {} if isinstance(items, bool) else items
        kind = list[self.shape(known, f"{place}[]", depth + 1)]  # pyright: ignore
        bounds = _only(node, _LIST_BOUNDS)
        return Annotated[kind, Field(json_schema_extra=bounds)] if bounds else kind

    def _object(self, node: Node, place: str, depth: int) -> Any:
        more = node.get("additionalProperties", True)
        if not node.get("properties"):
            known = cast(Node, more if isinstance(more, dict) else {})
            kind = self.shape(known, f"{place}{{}}", depth + 1)
            return dict[str, kind] if more is not False else _any(node)
        name = self._model_name(place)
        fields, left_out = self._fields(node, place, depth)
        model = create_model(
            name,
            __base__=OpenPart if opens(node) else Part,
            __module__=__name__,
            __doc__=node.get("description"),
            **fields,
        )
        model.left_out = left_out
        self._models[name] = model
        return model

    def _model_name(self, place: str) -> str:
        """`filters[]` of `github__search` is `github__search_Filters`: no intent is so written."""
        if place in self._reserved:
            return self._reserved[place]
        parts = [part for part in re.split(r"\W+|_+", place) if part]
        name = f"{self._prefix}_{'_'.join(part[:1].upper() + part[1:] for part in parts) or 'It'}"
        while name in self._models or name in self._reserved.values():
            name += "I"
        return name

    def _merged(self, node: Node, place: str, depth: int) -> Node:
        """One node of all that must hold at once."""
        if depth > DEPTH_MAX:
            raise Refused(place, f"it is nested more than DEPTH_MAX = {DEPTH_MAX} schemas deep")
        parts: list[Node] = []
        if "$ref" in node:
            parts.append(self._defs.get(name_of(node["$ref"]) or "", {}))
        parts += [one for one in node.get("allOf", []) if isinstance(one, dict)]
        if not parts:
            return node
        rest = {key: one for key, one in node.items() if key not in {"$ref", "allOf"}}
        whole = [self._merged(part, place, depth + 1) for part in parts]
        return reduce(_both, [*whole, rest])


def opens(node: Node) -> bool:
    """Whether an object says that it takes what it does not name."""
    return node.get("additionalProperties", False) is not False or "patternProperties" in node


def _at(place: str, name: str) -> str:
    below = name.replace("/", "~1")  # no place of a property begins as one of a definition does
    return f"{place}.{below}" if place else below


def _both(one: Node, other: Node) -> Node:
    made = {**one, **other}
    if "properties" in one and "properties" in other:
        made["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        made["required"] = [*one["required"], *other["required"]]
    return made


def _choice(node: Node) -> Any:
    values: list[Any] = node.get("enum", [node.get("const")])
    if not values:
        raise SchemaRefused("an enum without a value allows nothing")
    plain = all(one is None or isinstance(one, str | int) for one in values)
    mixed = any(isinstance(one, bool) for one in values) and len({*map(type, values)} - {str}) > 1
    if not plain or mixed:
        return _any(node)
    return Literal[tuple(values)]


def _either(kinds: list[Any]) -> Any:
    return Union[tuple(kinds)]  # noqa: UP007, one may be a name


def _implied(node: Node) -> str | None:
    """The type of a schema that names none."""
    for kind, words in (
        ("object", _OF_OBJECTS),
        ("array", _OF_LISTS),
        ("string", _OF_TEXTS),
        ("number", _OF_NUMBERS),
    ):
        if any(word in node for word in words):
            return kind
    return None


def _unions(node: Node) -> bool:
    return any(word in node for word in (*_VARIANTS, "allOf", "$ref", "enum", "const"))


def _any(node: Node) -> Any:
    """Any JSON, with the schema for those who read it where it holds no reference."""
    said = {} if any(refs(node)) else {k: v for k, v in node.items() if k not in _WORDS}
    return Annotated[JsonValue, WithJsonSchema(said)]


def _only(node: Node, words: set[str] | frozenset[str]) -> Node:
    return {word: value for word, value in node.items() if word in words}
