"""Gemini's responses as they come over the wire."""

import json
from typing import Any

from models.server import halves, replied, streamed
from strict.loopback import Reply

USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 64,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 10,
    "totalTokenCount": 130,
}


def response(*parts: dict[str, Any], finish: str | None = "STOP", **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "gemini-test-2026", **more}


def says(text: str, *, finish: str = "STOP") -> Reply:
    return replied(response({"text": text}, finish=finish, usageMetadata=USAGE))


def calls(*given: Any, name: str = "next_step") -> Reply:
    parts = [{"functionCall": {"name": name, "args": args}} for args in given]
    return replied(response({"text": "Let me see."}, *parts, usageMetadata=USAGE))


def blocks(reason: str) -> Reply:
    return replied({"promptFeedback": {"blockReason": reason}, "usageMetadata": USAGE})


def chunk(*parts: dict[str, Any], finish: str | None = None, **more: Any) -> str:
    return f"data: {json.dumps(response(*parts, finish=finish, **more))}\n\n"


def streams(text: str, *, tool: bool = False, finish: str = "STOP", **how: Any) -> Reply:
    """The text in two halves, its end, and the usage. `cut_after` chunks it may break off.

    A function call comes whole.
    """
    parts: list[dict[str, Any]] = [{"text": half} for half in halves(text)]
    if tool:
        parts = [{"functionCall": {"name": "next_step", "args": json.loads(text)}}]
    return streamed(
        *(chunk(part) for part in parts),
        chunk({"text": ""}, finish=finish, usageMetadata=USAGE),
        **how,
    )
