"""Attachments: bytes that are too many for the log, kept beside it under their SHA-256. Pure."""

import hashlib
import re
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from twelvefold.exceptions import BadAttachment
from twelvefold.thread import Json, Thread

ATTACHMENT_BYTES_MAX = 50_000_000
PREVIEW_CHARS_MAX = 2_000
JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(?:\s*;\s*[\w-]+=[\w.\"+-]+)*", re.ASCII)


class Attachment(BaseModel):
    """What the log says of a blob. `size` in bytes; `ref`: where it came from, for people.

    A tool may return it, alone or inside its result; `result_as` reads it back.
    """

    model_config = ConfigDict(frozen=True)

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    media_type: str
    size: int
    ref: str | None = None

    @model_serializer(mode="wrap")
    def _without_nothing(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value is not None}

    def __str__(self) -> str:
        name = f"{self.ref}, " if self.ref else ""
        return f"{name}{self.media_type}, {self.size} bytes, sha256 {self.sha256}"


def described(content: Any, media_type: str, *, ref: str | None = None) -> Attachment:
    """The attachment that these bytes are. Raises `BadAttachment`."""
    if not isinstance(content, bytes):
        raise BadAttachment(f"bytes or a Path can be attached, not {type(content).__name__}.")
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise BadAttachment(f"{media_type!r} is no media type such as text/csv.")
    check_size(len(content), ref)
    sha256 = hashlib.sha256(content).hexdigest()
    return Attachment(sha256=sha256, media_type=media_type, size=len(content), ref=ref)


def check_size(size: int, ref: str | None = None) -> None:
    """Raises `BadAttachment`."""
    if size > ATTACHMENT_BYTES_MAX:
        raise BadAttachment(
            f"{ref or 'it'} has {size} bytes, more than ATTACHMENT_BYTES_MAX ="
            f" {ATTACHMENT_BYTES_MAX}. Keep it elsewhere and return its address."
        )


def attachment_of(data: dict[str, Json]) -> Attachment | None:
    """The attachment that stands for the whole result in `tool_returned`, if one does."""
    found = data.get("attachment")
    return None if found is None else Attachment.model_validate(found)


def names(thread: Thread, sha256: str) -> bool:
    """Whether an event of the thread names this blob."""
    return any(_holds(event.data, sha256) for event in thread.events)


def _holds(value: Json, sha256: str) -> bool:
    if isinstance(value, dict):
        found = cast("dict[str, Json]", value)
        return found.get("sha256") == sha256 or any(_holds(v, sha256) for v in found.values())
    return isinstance(value, list) and any(_holds(v, sha256) for v in cast("list[Json]", value))
