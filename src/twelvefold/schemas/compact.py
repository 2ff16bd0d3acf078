"""A neutral schema as short text for a prompt, in the manner of type declarations.

    {intent: "deploy", tag: string, tries?: int(>=1) = 3} |
    {intent: "done", message: string}

It holds types, names and the user's own descriptions (as comments), and no instruction: what the
model is asked to do with it stands in the prompt.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from typing_extensions import TypeForm

from twelvefold.schemas.neutral import schema_of
from twelvefold.schemas.nodes import (
    Definitions,
    Node,
    definitions,
    is_tag,
    name_of,
    recursive,
    refs,
)
from twelvefold.schemas.worded import bounds
from twelvefold.thread import Json, to_text

WIDTH = 88
FORMATS_MAX = 256
_NAME = re.compile(r"[A-Za-z_]\w*")
_SIMPLE = {
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "string": "string",
    "null": "null",
}


def output_format(steps: TypeForm[Any]) -> str:
    """The form of an answer as short text, for a prompt's `{{ output_format }}`: always the same
    bytes."""
    return _output_format(schema_of(steps))


@lru_cache(FORMATS_MAX)
def _output_format(schema_text: str) -> str:
    root: Node = json.loads(schema_text)
    defs = definitions(root)
    named = recursive(defs) | {name for name, uses in Counter(refs(root)).items() if uses > 1}
    named = frozenset(name for name in named if name in defs and "properties" in defs[name])
    blocks = [
        "\n".join([*made.comments, f"{name}: {made.text}"])
        for name in defs
        if name in named and (made := _Writer(defs, named).own(defs[name]))
    ]
    body = _Writer(defs, named, is_root=True).shape(root)
    return "\n\n".join([*blocks, "\n".join([*body.comments, body.text])])


@dataclass(slots=True)
class Shape:
    """A type as text, and comments that belong before the line it is on."""

    text: str
    comments: list[str] = field(default_factory=list[str])

    @property
    def is_union(self) -> bool:
        return _has_outer_bar(self.text)


@dataclass(frozen=True, slots=True)
class _Writer:
    defs: Definitions
    named: frozenset[str]
    is_root: bool = False

    def shape(self, node: Json) -> Shape:
        """What stands for a node wherever it is used."""
        known = cast(Node, node) if isinstance(node, dict) else {}
        if name := name_of(str(known.get("$ref", ""))):
            comments = _comments(known)
            if name in self.named:
                return Shape(name, comments)
            made = self.own(self.defs.get(name, {}))
            return Shape(made.text, comments + made.comments)
        return self.own(known)

    def own(self, node: Node) -> Shape:
        parts: list[Json] = node.get("allOf", [])
        if len(parts) == 1:
            return self.shape({**parts[0], **{k: v for k, v in node.items() if k != "allOf"}})
        if _is_record(node):
            return self._object(node)
        made = self._other(node)
        return Shape(made.text, _comments(node) + made.comments)

    def _other(self, node: Node) -> Shape:
        if "enum" in node or "const" in node:
            values: list[Json] = node.get("enum", [node.get("const")])
            return Shape(" | ".join(map(to_text, values)))
        for key, sign in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
            if key in node:
                return self._joined([self.shape(one) for one in node[key]], sign)
        types = node.get("type", "array" if "items" in node else "any")
        if isinstance(types, list):
            variants = [{**node, "type": one} for one in cast(list[str], types)]
            return self._joined([self._other(one) for one in variants], " | ")
        if types == "array":
            return self._array(node)
        if types == "object":
            return self._map(node)
        inner = self.shape(node["contentSchema"]) if node.get("contentSchema") else Shape("")
        return Shape(_SIMPLE.get(types, "any") + bounds(node, types, inner.text), inner.comments)

    def _joined(self, each: list[Shape], sign: str) -> Shape:
        comments = [line for one in each for line in one.comments]
        texts = [f"({one.text})" if sign == " & " and one.is_union else one.text for one in each]
        in_lines = self.is_root and any(text.startswith("{") for text in texts)
        between = f"{sign.rstrip()}\n" if in_lines else sign
        return Shape(between.join(dict.fromkeys(texts)), comments)

    def _array(self, node: Node) -> Shape:
        inner = _Writer(self.defs, self.named)
        each = [inner.shape(one) for one in node.get("prefixItems", ())]
        comments = [line for one in each for line in one.comments]
        if each:
            rest = [f"...{inner.shape(node['items']).text}[]"] if node.get("items") else []
            text = f"[{', '.join([*(one.text for one in each), *rest])}]"
            return Shape(text, comments)
        item = inner.shape(node.get("items", {}))
        text = f"({item.text})" if item.is_union else item.text
        return Shape(f"{text}[]{bounds(node, 'array')}", item.comments)

    def _map(self, node: Node) -> Shape:
        inner = _Writer(self.defs, self.named)
        key = inner.shape(node.get("propertyNames", {"type": "string"}))
        value = inner.shape(node.get("additionalProperties", {}))
        text = f"map<{key.text}, {value.text}>{bounds(node, 'object')}"
        return Shape(text, key.comments + value.comments)

    def _object(self, node: Node) -> Shape:
        inner = _Writer(self.defs, self.named)
        lines: list[tuple[list[str], str]] = []
        for name, schema in node.get("properties", {}).items():
            made = inner.shape(schema)
            shown = name if _NAME.fullmatch(name) else to_text(name)
            may_lack = name not in node.get("required", ()) and not is_tag(schema)
            text = f"{shown}{'?' if may_lack else ''}: {made.text}{_default(schema, may_lack)}"
            lines.append((made.comments, text))
        extra = node.get("additionalProperties", False)
        if extra is not False:
            made = inner.shape(extra)
            lines.append((made.comments, f"[string]: {made.text}"))
        return Shape(_braced(_comments(node), lines))


def _braced(comments: list[str], lines: list[tuple[list[str], str]]) -> str:
    """On one line where it fits and nothing must be said."""
    texts = [text for _, text in lines]
    one = f"{{{', '.join(texts)}}}"
    said = comments or any(above for above, _ in lines)
    if not said and len(one) <= WIDTH and "\n" not in one:
        return one
    rows = [*comments]
    for above, text in lines:
        rows += [*above, f"{text},"]
    return "{\n" + "\n".join(f"  {line}" for row in rows for line in row.split("\n")) + "\n}"


def _is_record(node: Node) -> bool:
    if "properties" in node:
        return "anyOf" not in node and "oneOf" not in node
    return node.get("type") == "object" and node.get("additionalProperties") is False


def _comments(node: Node) -> list[str]:
    words = node.get("description", "")
    return [f"// {line}".rstrip() for line in words.splitlines()] if words else []


def _default(schema: Node, may_lack: bool) -> str:
    default = schema.get("default")
    return f" = {to_text(default)}" if may_lack and default is not None else ""


def _has_outer_bar(text: str) -> bool:
    return any(mark in text for mark in (" | ", " |\n", " & ")) and not _is_closed(text)


def _is_closed(text: str) -> bool:
    """Whether one pair of brackets holds the whole text."""
    return text[:1] in "{[(" and all(depth > 0 for depth in _depths(text[:-1]))


def _depths(text: str) -> Iterator[int]:
    depth = 0
    for quoted, char in re.findall(r'("(?:[^"\\]|\\.)*")|(.)', text, re.DOTALL):
        depth += 0 if quoted else (char in "{[(") - (char in "}])")
        yield depth
