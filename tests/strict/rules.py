"""What each vendor's strict mode refuses in a schema, as data, and the walk that finds it.

Where a vendor says nothing, or says two things, the rule here is the stricter one. Sources:

OPENAI     the guide "Structured outputs", section "Supported schemas", as of 2026; error texts from
           issues of the SDKs: openai-python 2193 (first keys of an anyOf), defog 244 (`$ref` with
           neighbours), git-mcp-server 47 (formats), zenn.dev/nicopin (`default`)
ANTHROPIC  the guide "Structured outputs", section "JSON Schema limitations"; the installed SDK's
           anthropic/lib/_parse/_transform.py (what it takes out: kept formats, minItems 0 and 1);
           error texts from vercel/ai 17268, inbox-zero 2323, litellm 35808
GEMINI     the docstring of `response_json_schema` in the installed google/genai/types.py
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, cast

Schema = dict[str, Any]
Where = tuple[str, ...]

_STRUCTURE = "type enum anyOf $ref $defs definitions properties required additionalProperties items"
_WORDS = "title description"
_NUMBERS = "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"
TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
LONG_ENUM = 250
Recursion = Literal["anywhere", "where not required", "never"]


@dataclass(frozen=True, slots=True)
class Rules:
    """One vendor's. None is no limit."""

    keywords: frozenset[str]
    formats: frozenset[str] | None
    closed: bool = True
    all_required: bool = False
    recursion: Recursion = "anywhere"
    ref_stands_alone: bool = True
    first_keys_differ: bool = False
    enum_kinds: tuple[type, ...] = (str, int, float, bool, type(None))
    min_items_max: int | None = None
    nesting_max: int | None = None
    properties_max: int | None = None
    name_chars_max: int | None = None
    enum_values_max: int | None = None
    long_enum_chars_max: int | None = None
    optional_max: int | None = None
    unions_max: int | None = None


OPENAI = Rules(
    frozenset(f"{_STRUCTURE} {_WORDS} {_NUMBERS} const pattern format minItems maxItems".split()),
    frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split()),
    all_required=True,
    first_keys_differ=True,
    nesting_max=10,
    properties_max=5000,
    name_chars_max=120_000,
    enum_values_max=1000,
    long_enum_chars_max=15_000,
)
ANTHROPIC = Rules(
    frozenset(f"{_STRUCTURE} {_WORDS} const allOf default pattern format minItems".split()),
    frozenset("date-time time date duration email hostname uri ipv4 ipv6 uuid".split()),
    recursion="never",
    ref_stands_alone=False,
    min_items_max=1,
    optional_max=24,
    unions_max=16,
)
GEMINI = Rules(
    frozenset(
        f"{_STRUCTURE} {_WORDS} $id $anchor format prefixItems minItems maxItems minimum maximum"
        " propertyOrdering".split()
    )
    - {"definitions"},
    None,
    closed=False,
    recursion="where not required",
    enum_kinds=(str, int, float),
)


def complaints(schema: Any, rules: Rules) -> Iterator[str]:
    """Why a vendor refuses the schema; the first is the one that its error names."""
    if not isinstance(schema, dict):
        yield "schema must be a JSON Schema object."
        return
    root = cast(Schema, schema)
    if root.get("type") != "object" or "anyOf" in root:
        yield f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {root.get('type')}'."
        return
    for where, node in nodes(root):
        yield from (f"In context={where}, {said}" for said in _wrong(node, root, rules))
    if rules.recursion != "anywhere" and _recurs(root, leave=rules.recursion != "never"):
        yield "recursive schemas are not supported."
    yield from _too_much(root, rules)


def loose_complaints(schema: Any) -> Iterator[str]:
    """Why a tool's schema is refused that asks for no strictness."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        yield "schema must be a JSON Schema of 'type: \"object\"'."
        return
    root = cast(Schema, schema)
    if beside := root.keys() & {"oneOf", "anyOf", "allOf", "enum", "not"}:
        yield f"schema must not have {sorted(beside)} at the top level."
    for where, node in nodes(root):
        if isinstance(node, dict) and "$ref" in node and target(node["$ref"], root) is None:
            yield f"In context={where}, reference {node['$ref']} leads nowhere."


def nodes(node: Any, where: Where = ()) -> Iterator[tuple[Where, Any]]:
    """Every schema in a schema, with the keys that lead to it."""
    yield where, node
    if not isinstance(node, dict):
        return
    for key, value in cast(Schema, node).items():
        if key in {"properties", "$defs", "definitions", "patternProperties"}:
            for name, one in value.items():
                yield from nodes(one, (*where, key, name))
        elif key in {"anyOf", "allOf", "oneOf", "prefixItems"}:
            for number, one in enumerate(value):
                yield from nodes(one, (*where, key, str(number)))
        elif key in {"items", "not", "if", "then", "else"} or (
            key == "additionalProperties" and value is not False
        ):
            yield from nodes(value, (*where, key))


def _wrong(node: Any, root: Schema, rules: Rules) -> Iterator[str]:
    if not isinstance(node, dict):
        yield f"{json.dumps(node)} is not a schema object."
        return
    yield from (f"'{key}' is not permitted." for key in node if key not in rules.keywords)
    yield from _wrong_ref(cast(Schema, node), root, rules)
    yield from _wrong_type(cast(Schema, node))
    yield from _wrong_object(cast(Schema, node), rules)
    yield from _wrong_values(cast(Schema, node), rules)
    if rules.first_keys_differ and _share_first_key(node.get("anyOf", ()), root):
        yield "Objects provided via 'anyOf' must not share identical first keys."


def _wrong_ref(node: Schema, root: Schema, rules: Rules) -> Iterator[str]:
    ref = node.get("$ref")
    if ref is None:
        return
    others = {key for key in node if not key.startswith("$")}
    if others and rules.ref_stands_alone:
        yield f"$ref cannot have keywords {others}."
    if target(ref, root) is None:
        yield f"reference {ref} leads nowhere."


def _wrong_type(node: Schema) -> Iterator[str]:
    kinds = node.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    yield from (f"{kind!r} is not a valid type." for kind in kinds if kind not in TYPES)
    if not kinds and not node.keys() & {"anyOf", "allOf", "$ref", "enum", "const"}:
        yield "schema must have a 'type' key."
    if "array" in kinds and not node.keys() & {"items", "prefixItems"}:
        yield "array schema missing items."


def _wrong_object(node: Schema, rules: Rules) -> Iterator[str]:
    kinds = node.get("type")
    if "object" not in (kinds if isinstance(kinds, list) else [kinds]):
        return
    if rules.closed and node.get("additionalProperties") is not False:
        yield "'additionalProperties' is required to be supplied and to be false."
    names, required = list(node.get("properties", {})), node.get("required", [])
    yield from (f"Extra required key '{name}' supplied." for name in required if name not in names)
    if rules.all_required and (lost := [name for name in names if name not in required]):
        yield (
            "'required' is required to be supplied and to be an array including every key in"
            f" properties. Missing '{lost[0]}'."
        )


def _wrong_values(node: Schema, rules: Rules) -> Iterator[str]:
    if "format" in node and rules.formats is not None and node["format"] not in rules.formats:
        yield f"{node['format']!r} is not a valid format."
    if rules.min_items_max is not None and node.get("minItems", 0) > rules.min_items_max:
        yield "For 'array' type, 'minItems' values other than 0 or 1 are not supported."
    values: list[Any] = node.get("enum", [""])
    if values == [] or any(type(value) not in rules.enum_kinds for value in values):
        yield "enum must hold at least one value, and plain ones."


def _share_first_key(branches: Any, root: Schema) -> bool:
    """Whether two objects of a union begin alike, so that no first value tells them apart."""
    firsts: list[tuple[str, frozenset[str] | None]] = []
    for branch in branches:
        properties = (target(branch.get("$ref"), root) or branch).get("properties")
        if properties:
            name, schema = next(iter(properties.items()))
            firsts.append((name, _values(schema)))
    return any(
        one[0] == two[0] and (one[1] is None or two[1] is None or bool(one[1] & two[1]))
        for one, two in combinations(firsts, 2)
    )


def _values(schema: Schema) -> frozenset[str] | None:
    """What a property can be, where that is a list."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else frozenset(map(json.dumps, values))


def target(ref: Any, root: Schema) -> Schema | None:
    """The schema that a local reference leads to."""
    if not isinstance(ref, str) or not ref.startswith("#"):
        return None
    node: Any = root
    for key in ref[1:].split("/")[1:]:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _recurs(root: Schema, *, leave: bool) -> bool:
    """Whether a schema contains itself; with `leave`, without a property that may be left out."""

    def visit(node: Any, above: tuple[str, ...]) -> bool:
        if not isinstance(node, dict):
            return False
        if (ref := node.get("$ref")) is not None:
            return ref in above or visit(target(ref, root), (*above, ref))
        must = node.get("required", ()) if leave else node.get("properties", {})
        inner = [one for name, one in node.get("properties", {}).items() if name in must]
        inner += [*node.get("anyOf", ()), *node.get("allOf", ()), *node.get("prefixItems", ())]
        inner += [node.get("items"), node.get("additionalProperties")]
        return any(visit(one, above) for one in inner)

    return visit(root, ("#",))


def _too_much(root: Schema, rules: Rules) -> Iterator[str]:
    found = [node for _, node in nodes(root) if isinstance(node, dict)]
    properties = [node.get("properties", {}) for node in found]
    enums = [node["enum"] for node in found if "enum" in node]
    words = [str(value) for values in enums for value in values]
    words += [name for names in properties for name in names]
    words += [name for node in found for name in node.get("$defs", {})]
    counts = {
        "levels of nesting": (depth(root, root), rules.nesting_max),
        "object properties": (sum(map(len, properties)), rules.properties_max),
        "characters of names and values": (sum(map(len, words)), rules.name_chars_max),
        "enum values": (sum(map(len, enums)), rules.enum_values_max),
        "characters in a long enum": (_longest(enums), rules.long_enum_chars_max),
        "optional parameters": (sum(map(_optional, found)), rules.optional_max),
        "parameters with union types": (
            sum(_is_union(one) for names in properties for one in names.values()),
            rules.unions_max,
        ),
    }
    for name, (count, most) in counts.items():
        if most is not None and count > most:
            yield f"Schema contains too many {name} ({count}, limit: {most})."


def depth(node: Any, root: Schema, above: tuple[str, ...] = ()) -> int:
    """Objects within objects, through references; one that recurs counts once."""
    if not isinstance(node, dict):
        return 0
    if (ref := node.get("$ref")) is not None:
        return 0 if ref in above else depth(target(ref, root), root, (*above, ref))
    inner = [*node.get("properties", {}).values(), *node.get("anyOf", ()), *node.get("allOf", ())]
    deepest = max((depth(one, root, above) for one in [*inner, node.get("items")]), default=0)
    return deepest + (node.get("type") == "object")


def _longest(enums: list[list[Any]]) -> int:
    return max((len("".join(map(str, e))) for e in enums if len(e) > LONG_ENUM), default=0)


def _optional(node: Schema) -> int:
    return len(node.get("properties", {}).keys() - set(node.get("required", ())))


def _is_union(node: Any) -> bool:
    return isinstance(node, dict) and ("anyOf" in node or isinstance(node.get("type"), list))
