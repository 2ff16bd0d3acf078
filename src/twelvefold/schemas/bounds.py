"""The bounds of a value (lengths, limits, formats, patterns) that a profile keeps."""

import re

from twelvefold.schemas.nodes import Node
from twelvefold.schemas.profiles import Profile

# Constrained decoding needs regular languages: no looking around, no back references, no \b.
_IRREGULAR = re.compile(r"\(\?(?!:)|\\[1-9bBAZ]")


def kept_bounds(node: Node, profile: Profile) -> Node:
    return {key: value for key, value in node.items() if _is_kept(key, value, profile)}


def _is_kept(key: str, value: object, profile: Profile) -> bool:
    if key == "format":
        return value in profile.formats
    if key == "pattern" and isinstance(value, str) and _IRREGULAR.search(value):
        return False
    if key == "minItems" and isinstance(value, int) and profile.min_items_max is not None:
        return value <= profile.min_items_max
    return key in profile.keywords
