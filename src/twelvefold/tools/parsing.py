"""A model's text to one step of a union: exactly one, clearly said, or a refusal.

Two phases, both reported: the text to values with what was repaired, the values against the schema.
A reply that is one clean JSON object takes neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, ValidationError
from typing_extensions import TypeForm

from twelvefold.schemas.given import JsonSteps
from twelvefold.steps import members
from twelvefold.thread import Json
from twelvefold.tools.closed import is_closed
from twelvefold.tools.values import Unclear, strict

S = TypeVar("S", bound=BaseModel)
Level = Literal["strict", "lenient"]
REASONS = (
    *("truncated", "ambiguous", "quoted", "unknown_intent"),
    *("invalid", "not_json", "not_an_object", "too_deep"),
)
"""Why a reply is refused, as `StepRefused.reason`."""


@dataclass(frozen=True, slots=True)
class Parsed(Generic[S]):
    """The step a reply holds, and what had to be repaired to read it."""

    step: S
    repairs: tuple[str, ...] = ()


def parse(text: str, steps: TypeForm[S], *, level: Level = "lenient") -> Parsed[S]:
    """Exactly one step of the union from a model's reply. Raises `StepRefused`; never guesses.

    `strict` takes one JSON object and nothing around it, bare or under `next_step`; `lenient` also
    what models write around and instead of it (docs/parsing.md has the rules). With
    `steps_from_json_schema(...)` the step is a plain value.
    """
    exact = level == "strict"
    if not isinstance(steps, JsonSteps):
        clean = _clean(text, members(steps))
        if clean is not None:
            return Parsed(cast(S, clean))
    # Loaded by the first reply that is not clean: a process that never meets one starts faster.
    from twelvefold.tools.choosing import one_of
    from twelvefold.tools.targets import json_target, target_of

    target = json_target(steps) if isinstance(steps, JsonSteps) else target_of(members(steps))
    step, repairs = one_of(text, target, exact=exact)
    return Parsed(cast(S, step), repairs)


def parse_answer(text: str, form: TypeForm[Any]) -> Json:
    """A value of `form` from a model's reply, as JSON; `str` is the text as it is. Raises
    `StepRefused`."""
    if form is str:
        return text
    from twelvefold.tools.choosing import one_of
    from twelvefold.tools.targets import form_target

    return one_of(text, form_target(form)).value


def _clean(text: str, classes: Mapping[str, type[BaseModel]]) -> BaseModel | None:
    """The step of a reply that needs no repair and no conversion."""
    try:
        value = strict(text)
    except (ValueError, RecursionError, Unclear):
        return None
    args = cast("dict[str, Json]", value) if isinstance(value, dict) else {}
    intent = args.get("intent")
    cls = classes.get(intent) if isinstance(intent, str) else None
    if cls is None or not is_closed(cls):
        return None
    try:
        return cls.model_validate(args, strict=True)
    except ValidationError:
        return _converted(text, cls)


def _converted(text: str, cls: type[BaseModel]) -> BaseModel | None:
    """As JSON has no dates, enums, tuples: strict about everything else."""
    try:
        return cls.model_validate_json(text, strict=True)
    except ValidationError:
        return None
