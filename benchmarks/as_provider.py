"""A log as a usual framework would keep it: the provider's chat messages with tool calls.

Nothing that such a framework would not send is added, and senders are left out, as it would. A last
word is the assistant's text. A denial, an answer or an error is the tool's result.
"""

import hashlib
import json
import string
from typing import Any

from twelvefold.thread import Event, Json, Thread

Messages = list[dict[str, Any]]

LAST_WORDS = frozenset({"done_for_now", "done"})
CALL_ID_CHARS = 24
"""OpenAI's ids are `call_` and so many letters and digits."""


def messages(thread: Thread) -> Messages:
    made: Messages = []
    calls: dict[str, str] = {}
    chosen = 0
    for event in thread.events:
        if event.type == "next_step_chosen":
            chosen += 1
            calls[f"s{chosen}"] = _call_id(thread, chosen)
            made.append(_chosen(event, calls[f"s{chosen}"]))
        elif event.type == "message_received":
            made.append({"role": "user", "content": event.data["text"]})
        elif (content := _outcome(event)) is not None:
            call = calls[event.data["step"]]
            made.append({"role": "tool", "tool_call_id": call, "content": content})
    return made


def _chosen(event: Event, call: str) -> dict[str, Any]:
    intent, args = event.data["intent"], event.data["args"]
    if intent in LAST_WORDS:
        return {"role": "assistant", "content": args["message"]}
    function = {"name": intent, "arguments": json.dumps(args, separators=(",", ":"))}
    calls = [{"id": call, "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _outcome(event: Event) -> str | None:
    data = event.data
    match event.type:
        case "tool_returned" | "child_finished":
            return _text(data["result"])
        case "tool_failed":
            return f"Error: {data['error']}"
        case "contact_closed" if data["outcome"] == "denied":
            return f"Denied by {data['by']}: {data['comment']}"
        case "contact_closed" if data["outcome"] == "answered":
            return _text(data["answer"])
        case "contact_closed" if data["outcome"] == "chosen":
            return f"{data['by']} chose {data['choice']}"
        case _:
            return None


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _call_id(thread: Thread, number: int) -> str:
    """Random letters and digits, the same each time."""
    chances = hashlib.sha256(f"{thread.agent}/{number}".encode()).digest()
    return "call_" + "".join(_CHARS[one % len(_CHARS)] for one in chances[:CALL_ID_CHARS])


_CHARS = string.ascii_letters + string.digits
