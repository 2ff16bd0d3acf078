"""What a tool answered, as a value for the log: structured content, text, and bytes as attachments.

A link is never followed. Bytes go beside the log; a text or a structure that is too large for an
event goes there by itself (`tools.results`).
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any, cast

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from twelvefold.attachments import ATTACHMENT_BYTES_MAX, Attachment
from twelvefold.exceptions import BadAttachment
from twelvefold.thread import Json

PARTS_MAX = 1_000
_UNKNOWN_TYPE = "application/octet-stream"

Attach = Callable[[bytes, str], Attachment]


def value_of(result: CallToolResult, attach: Attach) -> Any:
    """One text is that text; structured content is itself, with the other parts where they say
    more than it."""
    parts = [_part(one, attach) for one in result.content[:PARTS_MAX]]
    if (more := len(result.content) - PARTS_MAX) > 0:
        parts.append({"left_out": f"{more} more parts"})
    structured = result.structured_content
    if "structured_content" not in result.model_fields_set or structured is None:
        is_text = len(parts) == 1 and isinstance(parts[0], str)
        return parts[0] if is_text else {"content": parts} if parts else None
    if all(_repeats(one, structured) for one in parts):
        return structured
    return {"structured": structured, "content": parts}


def text_of(result: CallToolResult) -> str:
    """The words of an error."""
    texts = [one.text for one in result.content if isinstance(one, TextContent)]
    return " ".join(texts) or "it gave no reason"


def _part(content: Any, attach: Attach) -> Json:
    match content:
        case TextContent():
            return content.text
        case ImageContent() | AudioContent():
            return _kept(content.data, content.mime_type, attach)
        case ResourceLink():
            return _said(uri=str(content.uri), name=content.name, media_type=content.mime_type)
        case EmbeddedResource(resource=BlobResourceContents() as inner):
            kept = _kept(inner.blob, inner.mime_type or _UNKNOWN_TYPE, attach)
            return {"uri": str(inner.uri), **kept}
        case EmbeddedResource(resource=TextResourceContents() as inner):
            return _said(uri=str(inner.uri), text=inner.text, media_type=inner.mime_type)
        case _:
            return {"left_out": f"content of the type {getattr(content, 'type', '?')!s}"[:100]}


def _said(**fields: Json) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value is not None}


def _kept(data: str, media_type: str, attach: Attach) -> dict[str, Json]:
    """The outcome is kept even where the bytes cannot be."""
    try:
        if len(data) > ATTACHMENT_BYTES_MAX * 4 // 3 + 4:
            raise BadAttachment(f"{len(data)} characters of base64 are too many.")
        content = base64.b64decode(data, validate=True)
        return {"attachment": attach(content, media_type).model_dump(mode="json")}
    except (binascii.Error, ValueError, BadAttachment) as error:
        return {"left_out": f"bytes that cannot be kept: {error}"[:300]}


def _repeats(part: Json, structured: Json) -> bool:
    """Whether a text is the structure once more, as servers add it for older clients."""
    if not isinstance(part, str):
        return False
    wrapped = cast("dict[str, Json]", structured) if isinstance(structured, dict) else {}
    same: list[Json] = [structured, *(wrapped.values() if len(wrapped) == 1 else ())]
    try:
        return part in same or json.loads(part) in same
    except (ValueError, RecursionError):
        return False
