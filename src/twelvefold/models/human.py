"""The person at the terminal is the model: picks the step and fills in its arguments.

A debugging aid. The person reads what a model would read; what is picked is checked against the
same schema, and goes through the same parser.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from twelvefold.exceptions import UnusableModel
from twelvefold.messages import FilePart, ModelReply, ModelRequest
from twelvefold.notices import visible
from twelvefold.schemas import JsonSteps
from twelvefold.thread import Json, to_text

_ONE_AT_A_TIME = threading.Lock()


def human(*, read: Callable[[str], str] = input, say: Callable[[str], None] = print) -> "Human":
    """A model whose replies a person types. `read` shows a prompt and returns a line."""
    return Human(read, say)


class Human:
    """See `human`. One call at a time has the terminal."""

    def __init__(self, read: Callable[[str], str], say: Callable[[str], None]) -> None:
        self._read, self._say = read, say

    async def __call__(self, request: ModelRequest) -> ModelReply:
        """Raises `UnusableModel` at the end of the input."""
        return await asyncio.to_thread(self._talk, request)

    def _talk(self, request: ModelRequest) -> ModelReply:
        with _ONE_AT_A_TIME:
            try:
                self._show(request)
                return ModelReply(self._answer(request), model="human")
            except EOFError as error:
                said = "human() needs somebody at a terminal; the input has ended."
                raise UnusableModel(said) from error

    def _show(self, request: ModelRequest) -> None:
        for message in request.messages:
            self._say(f"--- {message.role}")
            for line in message.text.split("\n"):
                self._say(visible(line))
            for part in message.parts:
                if isinstance(part, FilePart):
                    self._say(f"[{visible(part.name)}, {visible(part.media_type)}]")
        self._say(f"--- your turn ({visible(request.agent)}, call {request.turn})")

    def _answer(self, request: ModelRequest) -> str:
        if request.schema is None:
            return self._read("reply > ")
        steps = JsonSteps(json.loads(request.schema))
        while True:
            value = self._step(steps) if steps.variants else self._value(steps, steps.schema, "")
            complaints = steps.check(value)
            if not complaints:
                return to_text(value)
            for complaint in complaints:
                self._say(f"  not right: {visible(complaint)}")

    def _step(self, steps: JsonSteps) -> Json:
        names = list(steps.variants)
        for number, name in enumerate(names, start=1):
            self._say(f"  {number}  {name}({', '.join(self._fields(steps, name))})")
        while (given := self._read("step > ").strip()) not in names:
            if given.isdecimal() and 1 <= int(given) <= len(names):
                given = names[int(given) - 1]
                break
            self._say(f"  {visible(given)!r} is none of 1 to {len(names)}, nor a name.")
        filled = {str(steps.tag): given}
        for name, schema in self._fields(steps, given).items():
            optional = name not in steps.variants[given].get("required", ())
            value = self._value(steps, schema, name, optional=optional)
            filled |= {} if value is _LEFT_OUT else {name: value}
        return filled

    def _fields(self, steps: JsonSteps, variant: str) -> Mapping[str, Any]:
        properties: dict[str, Any] = steps.variants[variant].get("properties", {})
        return {name: schema for name, schema in properties.items() if name != steps.tag}

    def _value(self, steps: JsonSteps, schema: Any, name: str, *, optional: bool = False) -> Json:
        """Text as it is typed; anything else as JSON. Nothing leaves out what is optional."""
        node = steps.resolved(schema)
        kind = node.get("type", "JSON")
        hint = f"{kind}, may be left out" if optional else kind
        while True:
            given = self._read(f"  {name or 'value'} ({hint}) > ")
            if optional and not given:
                return _LEFT_OUT
            if kind == "string":
                return given
            try:
                return json.loads(given)
            except ValueError as error:
                self._say(f"  not JSON: {error}")


_LEFT_OUT: Any = object()
