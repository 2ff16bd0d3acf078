"""What a wire schema amounts to, counted before anything is sent."""

from collections.abc import Iterator
from dataclasses import dataclass

from twelvefold.exceptions import SchemaRefused
from twelvefold.schemas.nodes import Definitions, Node, children, definitions, name_of
from twelvefold.schemas.profiles import Profile

REMEDY = 'Offer fewer or smaller steps, or use mode="tool" or mode="prompt".'


def refuse_excess(schema: Node, profile: Profile) -> None:
    """Raises `SchemaRefused` when a limit of the profile is passed."""
    found = measured(schema)
    rows = (
        (found.properties, profile.properties_max, "properties"),
        (found.depth, profile.depth_max, "levels of objects"),
        (found.name_chars, profile.name_chars_max, "characters in names and enum values"),
        (found.enum_values, profile.enum_values_max, "enum values"),
        (found.optionals, profile.optionals_max, "properties that may be left out"),
        (found.unions, profile.unions_max, "properties with a union type (null counts)"),
    )
    for count, most, what in rows:
        if most is not None and count > most:
            raise SchemaRefused(f"{profile.name} takes {most} {what}; this has {count}. {REMEDY}")
    _refuse_large_enums(schema, profile)
    if profile.first_keys_differ:
        _refuse_shared_first_keys(schema, profile)


@dataclass(slots=True)
class Measured:
    properties: int = 0
    depth: int = 0
    name_chars: int = 0
    enum_values: int = 0
    optionals: int = 0
    unions: int = 0


def measured(schema: Node) -> Measured:
    found = Measured(depth=_depth(schema, definitions(schema), frozenset()))
    found.name_chars = sum(map(len, definitions(schema)))
    for node in walk(schema):
        properties: Node = node.get("properties", {})
        values: list[object] = node.get("enum", [])
        found.properties += len(properties)
        found.name_chars += sum(map(len, properties))
        found.name_chars += sum(len(value) for value in values if isinstance(value, str))
        found.enum_values += len(values)
        found.optionals += len(properties.keys() - set(node.get("required", ())))
        found.unions += sum("anyOf" in one for one in properties.values())
    return found


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it; what is referred to, where it is defined."""
    yield node
    for _, child in children(node):
        yield from walk(child)


def _depth(node: Node, defs: Definitions, seen: frozenset[str]) -> int:
    """Objects in each other, references followed once."""
    if name := name_of(str(node.get("$ref", ""))):
        return 0 if name in seen else _depth(defs[name], defs, seen | {name})
    below = [one for key, one in children(node) if not key.startswith("$defs")]
    own = 1 if node.get("type") == "object" else 0
    return own + max((_depth(one, defs, seen) for one in below), default=0)


def _refuse_large_enums(schema: Node, profile: Profile) -> None:
    if profile.large_enum_values is None or profile.large_enum_chars_max is None:
        return
    for node in walk(schema):
        texts = [value for value in node.get("enum", []) if isinstance(value, str)]
        chars = sum(map(len, texts))
        if len(texts) > profile.large_enum_values and chars > profile.large_enum_chars_max:
            raise SchemaRefused(
                f"{profile.name} takes {profile.large_enum_chars_max} characters in an enum of more"
                f" than {profile.large_enum_values} values; {texts[0]!r}... has {chars}. {REMEDY}"
            )


def _refuse_shared_first_keys(schema: Node, profile: Profile) -> None:
    defs = definitions(schema)
    for node in walk(schema):
        firsts = [first for one in node.get("anyOf", []) if (first := _first_key(one, defs))]
        if len(set(firsts)) < len(firsts):
            name = next(name for name, values in firsts if firsts.count((name, values)) > 1)
            raise SchemaRefused(
                f"{profile.name} needs variants that differ in their first key; several begin with"
                f" {name!r}. Put the intent, or another single-valued Literal, first,"
                ' or use mode="tool" or mode="prompt".'
            )


def _first_key(variant: Node, defs: Definitions) -> tuple[str, str] | None:
    """The first key of an object with what tells it apart from the same key elsewhere."""
    name = name_of(str(variant.get("$ref", "")))
    properties: Node = (defs[name] if name else variant).get("properties", {})
    for key, one in properties.items():
        values = one.get("enum", ())
        return key, repr(values) if len(values) == 1 else ""
    return None
