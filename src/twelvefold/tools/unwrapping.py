"""What a model wraps its step in: a key of its own, a list of one, the shape of a tool call.

Only what says nothing itself is taken off. An `error` around a step, or any other field beside a
wrapper, stays, and the value is then no step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from twelvefold.schemas import NEXT_STEP
from twelvefold.thread import Json
from twelvefold.tools.folding import fold, fold_tag
from twelvefold.tools.values import Unclear, Unclosed, strict_with_controls

WRAPPED_MAX = 8

_WRAPPERS = frozenset(
    "nextstep step action toolcall toolcalls functioncall functioncalls function tool output answer"
    " response".split()
)
_NAMES = frozenset("name tool toolname functionname recipientname action".split())
_ARGUMENTS = frozenset("arguments args parameters params input toolinput actioninput".split())
_BESIDE = frozenset("id index callid toolcallid".split())
_CALLS = ("function", "function_call", "tool_call", "tool_use")


@dataclass(frozen=True, slots=True)
class Step:
    """An object that says which step it is: the tag as it was written, and everything else."""

    tag: Json
    fields: dict[str, Json]
    notes: tuple[str, ...]


def step_of(value: Json, tag: str, *, exact: bool) -> Step | None:
    """The step that a value claims to be; None when it claims nothing.

    Raises `Unclear` for a list of several, and for a tag that stands twice with different values.
    """
    notes: list[str] = []
    for _ in range(WRAPPED_MAX):
        if isinstance(value, dict):
            given = cast("dict[str, Json]", value)
            if found := _tagged(given, tag, exact=exact):
                return Step(found.tag, found.fields, (*notes, *found.notes))
            if not exact and (called := _called(given, tag)):
                return Step(called.tag, called.fields, (*notes, *called.notes))
            inner, note = _unwrapped(given, exact=exact)
        elif isinstance(value, list) and not exact:
            inner, note = _only(cast(list[Json], value), tag)
        else:
            return None
        if not note:
            return None
        notes.append(note)
        value = inner
    return None


def is_wrapped(value: Json) -> bool:
    """Whether the key `next_step` stands alone, as providers want a root that is no object."""
    return isinstance(value, dict) and set(cast("dict[str, Json]", value)) == {NEXT_STEP}


def _tagged(given: dict[str, Json], tag: str, *, exact: bool) -> Step | None:
    keys = [key for key in given if key == tag or (not exact and fold(key) == fold(tag))]
    if not keys:
        return None
    if len(keys) > 1:
        raise Unclear("ambiguous", f"The field {tag} stands twice.")
    fields = _like(given, {key: one for key, one in given.items() if key != keys[0]})
    notes = () if keys[0] == tag else (f"key {keys[0]} read as {tag}",)
    return Step(given[keys[0]], fields, notes)


def _unwrapped(given: dict[str, Json], *, exact: bool) -> tuple[Json, str]:
    inside = given if exact else {key: one for key, one in given.items() if not _beside(key, one)}
    if len(inside) != 1:
        return None, ""
    [(key, inner)] = inside.items()
    if key != NEXT_STEP and (exact or fold(key) not in _WRAPPERS):
        return None, ""
    if isinstance(inner, str) and not exact:
        inner = _decoded(inner)
    return (cast(Json, inner), f"{key} unwrapped") if isinstance(inner, dict | list) else (None, "")


def _beside(key: str, value: Json) -> bool:
    """Whether a field beside a call says nothing about it."""
    folded = fold(key)
    return folded in _BESIDE or (folded == "type" and value in _CALLS)


def _only(items: list[Json], tag: str) -> tuple[Json, str]:
    if len(items) == 1:
        return items[0], "list of one unwrapped"
    if any(step_of(item, tag, exact=False) for item in items if isinstance(item, dict)):
        raise Unclear(
            "ambiguous", f"The reply is a list of {len(items)} steps, where one is wanted."
        )
    return None, ""


def _called(given: dict[str, Json], tag: str) -> Step | None:
    """The step of `{"name": ..., "arguments": {...}}` and its like."""
    inside = [key for key, one in given.items() if not _beside(key, one)]
    names = [key for key in inside if fold(key) in _NAMES]
    arguments = [key for key in inside if fold(key) in _ARGUMENTS]
    if len(names) != 1 or len(arguments) != 1 or len(inside) != 2:
        return None
    name, fields = given[names[0]], given[arguments[0]]
    if isinstance(fields, str):
        fields = _decoded(fields)
    if not isinstance(name, str) or not isinstance(fields, dict):
        return None
    fields = cast("dict[str, Json]", fields)
    if _is_schema(fields):
        return None
    name = name.removeprefix("functions.")
    inner = _tagged(fields, tag, exact=False)
    if inner and fold_tag(str(inner.tag)) != fold_tag(name):
        raise Unclear("ambiguous", f"The call of {name} holds another {tag}.")
    return Step(name, inner.fields if inner else fields, ("name and arguments unwrapped",))


def _is_schema(fields: Mapping[str, Json]) -> bool:
    return fields.get("type") == "object" and isinstance(fields.get("properties"), dict)


def _decoded(text: str) -> Json:
    try:
        return strict_with_controls(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return None


def _like(given: dict[str, Json], fields: dict[str, Json]) -> dict[str, Json]:
    return Unclosed(fields) if isinstance(given, Unclosed) else fields
