"""What the contexts of the examples' threads cost in tokens, and what changes from turn to turn."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from benchmarks import as_provider
from benchmarks.examples import threads
from benchmarks.o200k import count
from twelvefold.context import render, render_message
from twelvefold.thread import Thread


def tokens_of_provider_chat() -> dict[str, float]:
    """Of all threads, as a usual framework keeps them."""
    return _tokens([as_provider.messages(thread) for thread in threads().values()])


def tokens_of_default() -> dict[str, float]:
    """Of all threads, as one user message each."""
    chats = [[{"role": "user", "content": render(thread)}] for thread in threads().values()]
    return _tokens(chats) | {"changed": float(changed_bytes(list(threads().values())))}


def changed_bytes(threads: Sequence[Thread]) -> int:
    """UTF-8 bytes before a cache mark that are others in the next turn, over all turns. Each event
    is a part of its own here, so that the mark stands at the very end: the strictest case."""
    return sum(
        _changed(_before_mark(earlier), _before_mark(later))
        for thread in threads
        for earlier, later in pairwise(_turns(thread))
    )


def _turns(thread: Thread) -> list[Thread]:
    """What the model read each time; and the end, which a next turn would read."""
    asked = [e for e in thread.events if e.type == "next_step_chosen" and e.data["by"] == "model"]
    return [*(thread.upto(event.after or 0) for event in asked), thread]


def _before_mark(thread: Thread) -> bytes:
    parts = render_message(thread, part_chars_min=1).parts
    marked = max((n for n, part in enumerate(parts, start=1) if part.cache), default=0)
    return "".join(part.text for part in parts[:marked]).encode()


def _changed(earlier: bytes, later: bytes) -> int:
    same = next((n for n, (a, b) in enumerate(zip(earlier, later, strict=False)) if a != b), None)
    return len(earlier) - (min(len(earlier), len(later)) if same is None else same)


def _tokens(chats: Sequence[Sequence[dict[str, Any]]]) -> dict[str, float]:
    """As the JSON that is sent, and of its texts alone: roles, contents, names, arguments, ids."""
    return {
        "json": float(sum(count(_as_json(chat)) for chat in chats)),
        "texts": float(sum(count(text) for chat in chats for text in _texts(chat))),
    }


def _as_json(chat: Sequence[dict[str, Any]]) -> str:
    return json.dumps(chat, separators=(",", ":"), ensure_ascii=False)


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in _texts(item)]
        case list():
            return [text for item in value for text in _texts(item)]
        case _:
            return []
