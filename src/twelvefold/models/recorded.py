"""Calls of a model, recorded in a file and replayed from it: offline, free, the same each time.

The file holds one JSON line per request: what the model read, and what it replied. Nothing of the
transport is in it: no key, no header, no address. A request is found by its hash, so a changed byte
is a miss, and a miss says what differs. Of two recordings of one request the later one counts.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal

from twelvefold.exceptions import ConfigurationError, NotRecorded
from twelvefold.messages import Message, Model, ModelReply, ModelRequest, Part, Usage
from twelvefold.prompts import written
from twelvefold.prompts.comparing import unified
from twelvefold.thread import Json, from_text

Mode = Literal["replay", "record", "auto"]
MODES: tuple[Mode, ...] = ("replay", "record", "auto")

DIFF_LINES_MAX = 40
COMPARED_MAX = 200
"""Recordings that a miss is compared with, the newest first."""
COMPARED_CHARS_MAX = 20_000


def recorded(path: str | Path, model: Model | None = None, *, mode: Mode = "replay") -> "Recorded":
    """A model that replays, records, or records what it cannot replay ("auto").

    Raises `ConfigurationError` for a mode that needs a model and has none.
    """
    return Recorded(path, model, mode=mode)


class Recorded:
    """See `recorded`."""

    def __init__(
        self, path: str | Path, model: Model | None = None, *, mode: Mode = "replay"
    ) -> None:
        if mode not in MODES:
            raise ConfigurationError(f"recorded(mode={mode!r}): one of {', '.join(MODES)}.")
        if model is None and mode != "replay":
            raise ConfigurationError(f"recorded(mode={mode!r}) needs the model that it records.")
        self.path, self.model, self.mode = Path(path), model, mode
        self.offline = mode == "replay"
        if (body := getattr(model, "body", None)) is not None:
            self.body = body
        self._calls: dict[str, dict[str, Json]] | None = None

    async def __call__(self, request: ModelRequest) -> ModelReply:
        """Raises `NotRecorded`, and what the model raises."""
        found = None if self.mode == "record" else self.calls.get(request.hash())
        if found is not None:
            return _reply_of(found["reply"])
        if self.model is None or self.mode == "replay":
            raise NotRecorded(self._miss(request))
        reply = await self.model(request)
        self._keep(request, reply)
        return reply

    @property
    def calls(self) -> dict[str, dict[str, Json]]:
        """The recordings by the hash of their request. Raises `ConfigurationError`."""
        if self._calls is None:
            self._calls = {call["hash"]: call for call in self._read()}
        return self._calls

    def _read(self) -> Iterator[dict[str, Json]]:
        if not self.path.exists() and self.mode != "replay":
            return
        try:
            lines = self.path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"The recording {self.path} cannot be read: {error}. Make it with"
                " recorded(path, model, mode='auto'), or `twelvefold eval --record`."
            ) from error
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield self._call(line, number)

    def _call(self, line: str, number: int) -> dict[str, Json]:
        try:
            call: dict[str, Json] = from_text(line)
            _reply_of(call["reply"])
            _shown(_messages_of(call), call["schema"])
            return {**call, "hash": str(call["hash"])}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"{self.path}, line {number} is no recorded call: {error}. Delete the line and"
                " record it again."
            ) from error

    def _keep(self, request: ModelRequest, reply: ModelReply) -> None:
        """One write of one line at the end of the file: calls side by side do not mix."""
        call = _call_of(request, reply)
        if self.calls.get(request.hash()) == call:
            return
        self.calls[request.hash()] = call
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = json.dumps(call).encode() + b"\n"
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, data)
        finally:
            os.close(file)

    def _miss(self, request: ModelRequest) -> str:
        said = f"{self.path} holds no reply to turn {request.turn} of {request.agent or 'nobody'!r}"
        ours = _shown(request.messages, _schema_of(request))
        calls = list(self.calls.values())[-COMPARED_MAX:]
        nearest = _nearest(ours, [_shown(_messages_of(call), call["schema"]) for call in calls])
        if nearest is None:
            return f"{said}: it is empty."
        shown = unified(nearest, ours, names=("recorded", "now")).split("\n")
        more = len(shown) - DIFF_LINES_MAX
        rest = [f"... ({more} more lines)"] if more > 0 else []
        return "\n".join([f"{said}. The nearest one differs:", *shown[:DIFF_LINES_MAX], *rest])


def _call_of(request: ModelRequest, reply: ModelReply) -> dict[str, Json]:
    """What is written. The attempts of a call and its time are not: they are nobody's to repeat."""
    messages: list[Json] = [
        {"role": one.role, "parts": [asdict(part) for part in one.parts]}
        for one in request.messages
    ]
    said: dict[str, Json] = {"text": reply.text, "finish": reply.finish, "model": reply.model}
    return {
        "hash": request.hash(),
        "agent": request.agent,
        "turn": request.turn,
        "messages": messages,
        "schema": _schema_of(request),
        "reply": said | {"usage": reply.usage.to_data()},
    }


def _schema_of(request: ModelRequest) -> Json:
    return None if request.schema is None else json.loads(request.schema)


def _reply_of(data: Mapping[str, Any]) -> ModelReply:
    usage = Usage(**data.get("usage", {}))
    return ModelReply(data["text"], data["finish"], usage, model=data.get("model", ""))


def _shown(messages: Sequence[Message], schema: Json) -> str:
    """A request as lines to compare; the schema has more of them than in a snapshot."""
    return written(messages) + "--- steps offered\n" + json.dumps(schema, indent=1)


def _messages_of(call: Mapping[str, Any]) -> list[Message]:
    return [
        Message(one["role"], tuple(Part(**part) for part in one["parts"]))
        for one in call["messages"]
    ]


def _nearest(ours: str, others: list[str]) -> str | None:
    def likeness(other: str) -> float:
        pair = (ours[:COMPARED_CHARS_MAX].split("\n"), other[:COMPARED_CHARS_MAX].split("\n"))
        return SequenceMatcher(None, *pair, autojunk=False).ratio()

    return max(others, key=likeness, default=None)
