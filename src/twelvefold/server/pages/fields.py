"""A JSON Schema and a value as the fields of a form. What no field fits is a field of JSON.

A text with characters that nobody sees, or that a browser would change, is written as JSON too,
where each of them is an escape.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from twelvefold.notices import visible
from twelvefold.thread import Json

FieldKind = Literal[
    "text", "area", "lines", "number", "integer", "choice", "choices", "json", "group", "fixed"
]
DEPTH_MAX = 3
"""Groups in groups; deeper ones are JSON."""
REFS_MAX = 20
LINE_CHARS_MAX = 60
"""A longer text gets an area of several lines."""

Schema = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `raw` is what stands in it at first; `old` what that means, and `given` whether
    it was there at all. The `choices` are pairs of JSON and what is shown of it."""

    path: str
    label: str
    kind: FieldKind
    raw: str
    old: Json
    given: bool
    hint: str = ""
    nullable: bool = False
    required: bool = False
    choices: Sequence[tuple[str, str]] = ()
    chosen: Sequence[str] = ()
    fields: Sequence["Field"] = field(default_factory=tuple["Field", ...])

    @property
    def is_none(self) -> bool:
        return self.nullable and self.old is None


def fields_of(schema: Schema, values: Mapping[str, Json]) -> list[Field]:
    """The fields of an object, in the order of its schema. What the schema does not name, and the
    value has, comes after as JSON."""
    return _group(schema, values, schema.get("$defs") or {}, "", 0)


def field_of(schema: Schema, name: str, label: str) -> Field:
    """One field for a value that is not there yet."""
    return _field(schema, None, schema.get("$defs") or {}, name, label, 0, given=False)


def _group(
    schema: Schema, values: Mapping[str, Json], defs: Schema, path: str, depth: int
) -> list[Field]:
    found: list[Field] = []
    required = schema.get("required") or ()
    for name, node in cast("Mapping[str, Json]", schema.get("properties") or {}).items():
        given = name in values
        value = values[name] if given else _default(node)
        made = _field(node, value, defs, f"{path}{name}", name, depth, given=given)
        found.append(_marked(made, required=name in required))
    known = cast("Mapping[str, Json]", schema.get("properties") or {})
    extra = [name for name in values if name not in known]
    return found + [_json(f"{path}{name}", name, values[name], True) for name in extra]


def _field(
    node: Json, value: Json, defs: Schema, path: str, label: str, depth: int, *, given: bool
) -> Field:
    schema, nullable = _resolved(node, value, defs)
    if (choices := _choices(schema, nullable)) is not None:
        made = _choice(path, label, value, given, choices)
    else:
        made = _typed(schema, value, defs, path, label, depth, given)
    if made.kind == "group" and nullable:
        made = _json(path, label, value, given)
    hint = _hint(schema, made, cast("Schema", node) if isinstance(node, dict) else {})
    return replace(made, nullable=nullable and made.kind not in ("choice", "json"), hint=hint)


def _typed(
    schema: Schema, value: Json, defs: Schema, path: str, label: str, depth: int, given: bool
) -> Field:
    kind = schema.get("type")
    empty = value is None
    match kind:
        case "string" if empty or (isinstance(value, str) and _survives(value)):
            text = value or ""
            long = "\n" in text or len(text) > LINE_CHARS_MAX
            return Field(path, label, "area" if long else "text", text, value, given)
        case "integer" | "number" if empty or _is_number(value):
            raw = "" if empty else json.dumps(value)
            return Field(path, label, cast(FieldKind, kind), raw, value, given)
        case "array":
            return _list(schema, value, defs, path, label, given)
        case "object" if schema.get("properties") and depth < DEPTH_MAX:
            if empty or isinstance(value, dict):
                held = cast("dict[str, Json]", value or {})
                inner = _group(schema, held, defs, f"{path}.", depth + 1)
                return Field(path, label, "group", "", value, given, fields=inner)
            return _json(path, label, value, given)
        case _:
            return _json(path, label, value, given)


def _list(schema: Schema, value: Json, defs: Schema, path: str, label: str, given: bool) -> Field:
    items, _ = _resolved(schema.get("items"), None, defs)
    has = cast("list[Json]", value) if isinstance(value, list) else []
    if value is not None and not isinstance(value, list):
        return _json(path, label, value, given)
    chosen = [_text(one) for one in has]
    choices = _choices(items, False) or ()
    if choices and len(set(chosen)) == len(chosen) and set(chosen) <= dict(choices).keys():
        return Field(path, label, "choices", "", value, given, choices=choices, chosen=chosen)
    if items.get("type") == "string" and all(map(_is_line, has)):
        return Field(path, label, "lines", "\n".join(map(str, has)), value, given)
    return _json(path, label, value, given)


def _choice(
    path: str, label: str, value: Json, given: bool, choices: Sequence[tuple[str, str]]
) -> Field:
    if len(choices) == 1 and value is not None and choices[0][0] == _text(value):
        return Field(path, label, "fixed", choices[0][0], value, given)
    raw = _text(value) if given or value is not None else ""
    if raw and raw not in dict(choices):
        return _json(path, label, value, given)
    return Field(path, label, "choice", raw, value, given, choices=choices)


def _choices(schema: Schema, nullable: bool) -> Sequence[tuple[str, str]] | None:
    """The values there are to choose from, when they can be listed."""
    if schema.get("type") == "boolean":
        pairs = [("true", "yes"), ("false", "no")]
    elif "const" in schema:
        pairs = [(_text(schema["const"]), _label(schema["const"]))]
    elif isinstance(schema.get("enum"), list):
        pairs = [(_text(one), _label(one)) for one in schema["enum"]]
    else:
        return None
    return [*pairs, ("null", "none")] if nullable and ("null", "none") not in pairs else pairs


def _json(path: str, label: str, value: Json, given: bool) -> Field:
    raw = "" if value is None and not given else json.dumps(value, indent=2)
    return Field(path, label, "json", raw, value, given)


def _resolved(node: Json, value: Json, defs: Schema) -> tuple[Schema, bool]:
    """The schema behind references and `anyOf` with null; of several, the one that fits the
    value."""
    nullable = False
    for _ in range(REFS_MAX):
        if not isinstance(node, dict):
            break
        schema = cast("dict[str, Json]", node)
        others = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if isinstance(ref := schema.get("$ref"), str):
            node = {**_named(ref, defs), **{k: v for k, v in schema.items() if k != "$ref"}}
        elif isinstance(types := schema.get("type"), list):
            nullable = nullable or "null" in types
            rest = [one for one in cast("list[Json]", types) if one != "null"]
            node = {**schema, "type": rest[0]} if len(rest) == 1 else {}
        elif isinstance(others, list) and "properties" not in schema:
            all_of = cast("list[Json]", others)
            some = [one for one in all_of if one != {"type": "null"}]
            nullable = nullable or len(some) < len(all_of)
            node = _fitting(some, value)
        else:
            return schema, nullable
    return {}, nullable


def _fitting(some: list[Json], value: Json) -> Json:
    """The only one, or the one for a value like this one."""
    if len(some) == 1:
        return some[0]
    wanted = ("string",) if isinstance(value, str) else ("number", "integer")
    typed = [cast("dict[str, Json]", one) for one in some if isinstance(one, dict)]
    fit: list[Json] = [one for one in typed if one.get("type") in wanted]
    plain = isinstance(value, str) or _is_number(value)
    return fit[0] if plain and len(fit) == 1 else {}


def _named(ref: str, defs: Schema) -> Schema:
    return defs.get(ref.rpartition("/")[2]) or {}


def _hint(schema: Schema, made: Field, outer: Schema) -> str:
    """What the schema says of the value, in words."""
    said = [str(outer.get("description") or schema.get("description") or "").strip()]
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        said.append(f"{'' if low is None else low} to {'' if high is None else high}".strip())
    if (chars := schema.get("maxLength")) is not None:
        said.append(f"at most {chars} characters")
    if form := schema.get("format"):
        said.append(f"a {str(form).replace('-', ' ')}")
    said.append({"lines": "one in each line", "json": "as JSON"}.get(made.kind, ""))
    return "; ".join(part for part in said if part)


def _marked(made: Field, *, required: bool) -> Field:
    free = not (required or made.given or made.kind in ("group", "fixed"))
    hint = "; ".join(part for part in (made.hint, "optional" if free else "") if part)
    return replace(made, required=required, hint=hint)


def _default(node: Json) -> Json:
    return cast("Schema", node).get("default") if isinstance(node, dict) else None


def _survives(text: str) -> bool:
    """Whether a field of a form brings back this very text, and shows all of it."""
    return all(visible(line) == line for line in text.replace("\t", " ").split("\n"))


def _is_line(value: Json) -> bool:
    return isinstance(value, str) and value != "" and visible(value) == value


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _label(value: Json) -> str:
    return value if isinstance(value, str) and value else _text(value)


def _text(value: Json) -> str:
    return json.dumps(value)
