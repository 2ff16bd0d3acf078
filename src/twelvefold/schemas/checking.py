"""A plain value against a JSON Schema (2020-12): what is wrong with it, in words.

A keyword that cannot be checked is refused when the schema is given, never passed over.
"""

import re
from collections.abc import Iterator
from itertools import islice

from twelvefold.exceptions import SchemaRefused
from twelvefold.schemas.keywords import CHECKS, NO_CHECK
from twelvefold.schemas.look import Look, pattern_of
from twelvefold.schemas.nodes import Definitions, Node, children, definitions, name_of
from twelvefold.thread import Json

COMPLAINTS_MAX = 10


class Checker:
    """One schema, ready to check values. Raises `SchemaRefused` for what it could not check."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.defs: Definitions = definitions(root)
        for place, node in _everywhere(root, ""):
            _refuse_unknown(node, place, self.defs)

    def complaints(self, value: Json) -> list[str]:
        """What is wrong with the value, each as `path: what`; nothing when it is right."""
        try:
            look = Look(self.root, self.defs, CHECKS)
            return list(islice(look.check(self.root, value, ""), COMPLAINTS_MAX))
        except RecursionError:
            return ["the value is nested too deep"]


def _everywhere(node: Node, place: str) -> Iterator[tuple[str, Node]]:
    yield place, node
    for key, child in children(node):
        yield from _everywhere(child, f"{place}/{key}")


def _refuse_unknown(node: Node, place: str, defs: Definitions) -> None:
    unknown = [word for word in node if word not in CHECKS and word not in NO_CHECK]
    if unknown and not unknown[0].startswith("x-"):
        raise SchemaRefused(f"{place or 'root'}: {unknown[0]} cannot be checked; leave it out.")
    ref = node.get("$ref")
    if ref is not None and ref != "#" and name_of(ref) not in defs:
        raise SchemaRefused(f"{place or 'root'}: cannot follow {ref}; name it under $defs.")
    for pattern in (node.get("pattern"), *node.get("patternProperties", {})):
        try:
            _ = pattern is None or pattern_of(pattern)
        except re.error as error:
            raise SchemaRefused(f"{place or 'root'}: {pattern!r} is no pattern: {error}.") from None
