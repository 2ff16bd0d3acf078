"""A tool's return value to what the log can hold."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from pydantic_core import to_jsonable_python

from twelvefold.attachments import (
    JSON_TYPE,
    PREVIEW_CHARS_MAX,
    TEXT_TYPE,
    Attachment,
    described,
)
from twelvefold.failures import clip
from twelvefold.thread import Json, to_text

RESULT_BYTES_MAX = 1_000_000
_BEGINS = '{"result":'
TEXT_BYTES_MAX = len(_BEGINS) + RESULT_BYTES_MAX + len("}")
Hide = Callable[[str], str]
_SURROGATES = re.compile(r"[\ud800-\udfff]")


@dataclass(slots=True)
class Result:
    """What `tool_returned` says of a return value: `data`, and `text`, which is its JSON. `content`
    is to be kept, as the attachment that `data` names, before `data` is recorded."""

    data: dict[str, Json]
    content: bytes | None = None
    text: str = ""

    def __post_init__(self) -> None:
        self.text = self.text or to_text(self.data)


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
        data = {"result": result}
        text = to_text(data)  # of the whole: one value may be nested just too deeply for it
        if len(text) <= TEXT_BYTES_MAX and len(text.encode()) <= TEXT_BYTES_MAX:
            return Result(data, text=text)
        return _attached(result, text[len(_BEGINS) : -1])
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
