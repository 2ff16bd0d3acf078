"""A model's text to one step of a union: exactly one, or a refusal."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypeForm

from twelvefold.exceptions import StepRefused
from twelvefold.failures import clip
from twelvefold.steps import complaint, members
from twelvefold.thread import Json

S = TypeVar("S", bound=BaseModel)

_FENCE = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[S]):
    """The step a reply holds, and what had to be repaired to read it."""

    step: S
    repairs: tuple[str, ...] = ()


def parse(text: str, steps: TypeForm[S]) -> Parsed[S]:
    """Exactly one step of the union from a model's reply. Raises `StepRefused`; never guesses."""
    value, repairs = _json_of(text)
    if not isinstance(value, dict):
        raise StepRefused("not_an_object", "The reply must be one JSON object with an intent.")
    args = cast(dict[str, Json], value)
    if "intent" not in args and set(args) == {"next_step"} and isinstance(args["next_step"], dict):
        args, repairs = cast(dict[str, Json], args["next_step"]), (*repairs, "next_step unwrapped")
    classes = members(steps)
    intent = args.get("intent")
    if not isinstance(intent, str) or intent not in classes:
        known = ", ".join(classes)
        raise StepRefused("unknown_intent", f"The intent {intent!r} is not one of: {known}.")
    try:
        return Parsed(cast(S, classes[intent].model_validate(args)), repairs)
    except ValidationError as error:
        raise StepRefused("invalid", clip(f"{intent}: {complaint(error)}")) from error


def parse_answer(text: str, form: TypeForm[Any]) -> Json:
    """A value of `form` from a model's reply, as JSON; `str` is the text as it is. Raises
    `StepRefused`."""
    if form is str:
        return text
    value, _ = _json_of(text)
    try:
        adapter = _adapter(form)
        return adapter.dump_python(adapter.validate_python(value), mode="json")
    except ValidationError as error:
        raise StepRefused("invalid", clip(complaint(error))) from error


@cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    return TypeAdapter(form)


def _json_of(text: str) -> tuple[Json, tuple[str, ...]]:
    repairs: tuple[str, ...] = ()
    if fenced := _FENCE.fullmatch(text.strip()):
        text, repairs = fenced[1], ("code fence removed",)
    try:
        return _decode(text), repairs
    except (ValueError, RecursionError) as error:
        raise StepRefused("not_json", clip(f"The reply is not JSON: {error}")) from error


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


_decode: Callable[[str], Json] = json.JSONDecoder(parse_constant=_refuse_constant).decode
