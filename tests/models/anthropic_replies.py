"""Anthropic's messages as they come over the wire."""

import json
from typing import Any

from models.server import halves, replied, streamed
from strict.loopback import Reply

USAGE = {
    "input_tokens": 20,
    "cache_read_input_tokens": 70,
    "cache_creation_input_tokens": 10,
    "output_tokens": 30,
    "output_tokens_details": {"thinking_tokens": 10},
}
ABOUT = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-test-2026"}


def made(*content: dict[str, Any], stop_reason: str = "end_turn") -> Reply:
    end = {"stop_reason": stop_reason, "stop_sequence": None}
    return replied({**ABOUT, "content": list(content), "usage": USAGE, **end})


def says(text: str, *, finish: str = "end_turn") -> Reply:
    return made({"type": "text", "text": text}, stop_reason=finish)


def calls(*inputs: Any, name: str = "next_step") -> Reply:
    used = [
        {"type": "tool_use", "id": f"t{n}", "name": name, "input": given}
        for n, given in enumerate(inputs)
    ]
    return made({"type": "text", "text": "Let me see."}, *used, stop_reason="tool_use")


def event(type: str, **data: Any) -> str:
    return f"event: {type}\ndata: {json.dumps({'type': type, **data})}\n\n"


def streams(text: str, *, tool: bool = False, finish: str = "end_turn", **how: Any) -> Reply:
    """The text in two halves, its end, and the usage. `cut_after` events it may break off."""
    begun = {"output_tokens": 1, **{n: c for n, c in USAGE.items() if n.startswith(("in", "ca"))}}
    ended = {"output_tokens": 30, "output_tokens_details": {"thinking_tokens": 10}}
    block: dict[str, Any] = {"type": "text", "text": ""}
    if tool:
        block = {"type": "tool_use", "id": "t1", "name": "next_step", "input": {}}
    deltas = [
        {"type": "input_json_delta", "partial_json": half}
        if tool
        else {"type": "text_delta", "text": half}
        for half in halves(text)
    ]
    return streamed(
        event("message_start", message={**ABOUT, "content": [], "usage": begun}),
        event("content_block_start", index=0, content_block=block),
        *(event("content_block_delta", index=0, delta=delta) for delta in deltas),
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": finish}, usage=ended),
        event("message_stop"),
        **how,
    )
