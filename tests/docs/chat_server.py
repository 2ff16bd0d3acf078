"""A local server that speaks the part of the chat API that `docs/own_loop.md` uses, and records."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from web_thread import Answering, web_thread

KEY = "a-key-of-the-tests"


@dataclass
class Recorded:
    """The bodies of the requests, in the order they came."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def env(self) -> dict[str, str]:
        return {"OPENAI_BASE_URL": self.url, "OPENAI_API_KEY": KEY, "NO_PROXY": "127.0.0.1"}


@contextmanager
def chat_server() -> Iterator[Recorded]:
    """It adds what the history says is still to be added; its first reply is no step."""

    recorded = Recorded()

    class Answers(Answering):
        def do_POST(self) -> None:
            body = json.loads(self.body())
            known = self.headers["Authorization"] == f"Bearer {KEY}"
            if not known or self.path != "/v1/chat/completions":
                self.send_error(401 if not known else 404)
                return
            recorded.bodies.append(body)
            self.say(200, completion(body))

    with web_thread(Answers) as port:
        recorded.url = f"http://127.0.0.1:{port}/v1"
        yield recorded


def completion(body: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": said(body["messages"][-1]["content"])}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }


def said(history: str) -> str:
    results = re.findall(r"<add_result>\n([\d.]+)\n", history)
    match results:
        case [] if "<error>" not in history:
            return "Gladly! I will begin with the first two numbers."
        case []:
            return '```json\n{"intent": "add", "a": 3, "b": 4}\n```'
        case [first]:
            return json.dumps({"intent": "add", "a": float(first), "b": 12})
        case _:
            message = f"The sum is {float(results[-1]):g}."
            return json.dumps({"intent": "done_for_now", "message": message})
