"""The bounds of a value in a few signs: `int(>=1)`, `string(date-time)`, `int[](1..3 items)`."""

from twelvefold.schemas.nodes import Node
from twelvefold.thread import to_text

_NUMBERS = {
    "minimum": ">=",
    "exclusiveMinimum": ">",
    "maximum": "<=",
    "exclusiveMaximum": "<",
    "multipleOf": "multiple of ",
}
_SIGNS = {
    "integer": _NUMBERS,
    "number": _NUMBERS,
    "string": {"pattern": "matches ", "contentMediaType": "", "format": ""},
}
_RANGES = {
    "string": ("minLength", "maxLength", "characters"),
    "array": ("minItems", "maxItems", "items"),
    "object": ("minProperties", "maxProperties", "keys"),
}


def bounds(node: Node, kind: str, content: str = "") -> str:
    """Those of a value of this type, in brackets; or nothing. `content`: what a text holds."""
    signs = _SIGNS.get(kind, {})
    said = [f"{sign}{_text(node[key])}" for key, sign in signs.items() if key in node]
    said += [f"of {content}"] if content else []
    least, most, what = _RANGES.get(kind, ("", "", ""))
    if least in node or most in node:
        said.append(_range(node.get(least, 0), node.get(most), what))
    if kind == "array" and node.get("uniqueItems"):
        said.append("no item twice")
    return f"({', '.join(said)})" if said else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else to_text(value)


def _range(least: int, most: int | None, what: str) -> str:
    if least == most:
        return f"{least} {what}"
    return f"{least}..{'' if most is None else most} {what}"
