"""A model's text to one step of a union, and a tool's return value to what the log can hold."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from typing_extensions import TypeForm

from twelvefold.attachments import (
    JSON_TYPE,
    PREVIEW_CHARS_MAX,
    TEXT_TYPE,
    Attachment,
    described,
)
from twelvefold.exceptions import StepRefused
from twelvefold.failures import clip
from twelvefold.steps import complaint, members
from twelvefold.thread import Json, to_text

S = TypeVar("S", bound=BaseModel)

RESULT_BYTES_MAX = 1_000_000
Hide = Callable[[str], str]
_SURROGATES = re.compile(r"[\ud800-\udfff]")
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


def schema_of(steps: TypeForm[Any]) -> str:
    """The JSON Schema of the union as text, the same bytes each time."""
    return _schema_of(steps, get_args(steps))


@cache
def _schema_of(steps: Any, order: tuple[Any, ...]) -> str:  # `order` because A | B equals B | A
    return to_text(TypeAdapter(steps).json_schema())


@dataclass(frozen=True, slots=True)
class Result:
    """What `tool_returned` says of a return value. `content` is to be kept, as the attachment that
    `data` names, before `data` is recorded."""

    data: dict[str, Json]
    content: bytes | None = None


def result_data(value: object) -> dict[str, Json]:
    """What `tool_returned` says of a return value."""
    return result_of(value).data


def result_of(value: object, *, hide: Hide | None = None) -> Result:
    """A return value for the log: `result`; `attachment` and its beginning as `preview` when it is
    larger than `RESULT_BYTES_MAX`; or `unstorable` with its text and why.

    An outcome is never lost, even when the log cannot hold it. `hide` takes secrets out of a text.
    """
    if isinstance(value, Attachment):
        return Result({"attachment": _without(value.model_dump(mode="json"), hide)})
    try:
        result = _without(to_jsonable_python(value, inf_nan_mode="constants"), hide)
        text = to_text(result)
        if len(text) <= RESULT_BYTES_MAX and len(text.encode()) <= RESULT_BYTES_MAX:
            return Result({"result": result})
        return _attached(result, text)
    except Exception as error:  # also what a serializer of the user's raises
        return unstorable(value, error, hide=hide)


def unstorable(value: object, why: Exception, *, hide: Hide | None = None) -> Result:
    said = hide or str
    return Result({"unstorable": clip(said(_text_of(value))), "why": clip(said(str(why)))})


def _attached(result: Json, text: str) -> Result:
    """A text is kept as it is, anything else as JSON. Raises `BadAttachment`."""
    media_type = JSON_TYPE
    if isinstance(result, str) and not _SURROGATES.search(result):
        text, media_type = result, TEXT_TYPE
    content = text.encode()
    data: dict[str, Json] = {
        "attachment": described(content, media_type).model_dump(mode="json"),
        "preview": text[:PREVIEW_CHARS_MAX],
        "chars": len(text),
    }
    return Result(data, content)


def _without(value: Json, hide: Hide | None) -> Json:
    """The same JSON, each of its texts without secrets."""
    if hide is None:
        return value
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        items = cast("dict[str, Json]", value).items()
        return {hide(name): _without(item, hide) for name, item in items}
    if isinstance(value, list):
        return [_without(item, hide) for item in cast("list[Json]", value)]
    return value


def _text_of(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # a broken __repr__ must not cost the outcome
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
