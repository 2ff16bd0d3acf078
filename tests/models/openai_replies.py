"""OpenAI's Chat Completions as they come over the wire."""

import json
from typing import Any

from models.server import halves, replied, streamed
from strict.loopback import Reply

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 30,
    "total_tokens": 130,
    "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens_details": {"reasoning_tokens": 10},
}


def says(text: str | None, *, finish: str = "stop", **message: Any) -> Reply:
    return replied(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-test-2026",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text, **message},
                    "finish_reason": finish,
                }
            ],
            "usage": USAGE,
        }
    )


def calls(*arguments: str, name: str = "next_step") -> Reply:
    made = [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": text}}
        for n, text in enumerate(arguments)
    ]
    return says(None, finish="tool_calls", tool_calls=made)


def refuses(text: str) -> Reply:
    return says(None, refusal=text)


def chunk(delta: dict[str, Any], *, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-test-2026",
        "choices": [choice],
    }
    return f"data: {json.dumps(data)}\n\n"


def streams(text: str, *, tool: bool = False, finish: str = "stop", **how: Any) -> Reply:
    """The text in two halves, its end, and the usage. `cut_after` chunks it may break off."""

    def part(half: str) -> dict[str, Any]:
        if not tool:
            return {"content": half}
        name = {"name": "next_step"} if text.startswith(half) else {}
        return {"tool_calls": [{"index": 0, "function": {**name, "arguments": half}}]}

    usage = {"model": "gpt-test-2026", "choices": [], "usage": USAGE}
    return streamed(
        *(chunk(part(half)) for half in halves(text)),
        chunk({}, finish=finish),
        f"data: {json.dumps(usage)}\n\n",
        "data: [DONE]\n\n",
        **how,
    )
