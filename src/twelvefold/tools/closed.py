"""Whether a step model refuses what nobody named: then pydantic alone judges a clean reply."""

from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel

from twelvefold.schemas.nodes import Node, children


@cache
def is_closed(cls: type[BaseModel]) -> bool:
    """Whether pydantic itself refuses every field that nobody named, at any depth."""
    return all(
        "additionalProperties" in node or "properties" not in node
        for node in _all_of(cls.model_json_schema())
    )


def _all_of(node: Node) -> Iterator[Node]:
    yield node
    for _, child in children(node):
        yield from _all_of(child)
