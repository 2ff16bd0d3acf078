"""Reading a vendor's JSON, which may lack anything: what is not there is empty."""

from typing import Any, cast

from twelvefold.thread import Json


def member(data: Json, *path: str) -> dict[str, Json]:
    """The object at the path, or an empty one."""
    for name in path:
        data = cast("dict[str, Json]", data).get(name) if isinstance(data, dict) else None
    return cast("dict[str, Json]", data) if isinstance(data, dict) else {}


def members(data: Json, name: str) -> list[dict[str, Json]]:
    """The objects of the list of this name."""
    found = member(data).get(name)
    each = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast("dict[str, Json]", one) for one in each if isinstance(one, dict)]


def text_at(data: Json, name: str) -> str:
    found = member(data).get(name)
    return found if isinstance(found, str) else ""


def numbers(data: Json, *names: str) -> list[int]:
    """Counts by name; 0 for those that are not there."""
    found = [member(data).get(name) for name in names]
    return [one if isinstance(one, int) and not isinstance(one, bool) else 0 for one in found]
