"""Server-sent events, read from the bytes as they come: cut anywhere, lines of any ending."""

import re
from typing import NamedTuple

from twelvefold.exceptions import Unreachable

MESSAGE_BYTES_MAX = 100_000_000
"""What a message may have before its end; more is no stream of ours."""

_LINE_END = re.compile(rb"\r\n|\n|\r")


class Message(NamedTuple):
    id: str
    event: str
    data: str


class Messages:
    """Give it bytes, and it gives back the messages that are whole. `retry_ms`: what the server
    said last of when to come back."""

    def __init__(self) -> None:
        self.retry_ms: int | None = None
        self._rest = b""
        self._id, self._event = "", ""
        self._data: list[str] = []

    def of(self, content: bytes) -> list[Message]:
        text, start = self._rest + content, 0
        found: list[Message | None] = []
        for end in _LINE_END.finditer(text):
            if end[0] == b"\r" and end.end() == len(text):
                break  # the other half of this line's end may be still to come
            found.append(self._line(text[start : end.start()].decode(errors="replace")))
            start = end.end()
        self._rest = text[start:]
        if len(self._rest) > MESSAGE_BYTES_MAX:
            raise Unreachable("The stream has no end of a line: is this a twelvefold server?")
        return [message for message in found if message is not None]

    def _line(self, line: str) -> Message | None:
        """The message that an empty line ends."""
        if not line:
            message = Message(self._id, self._event or "message", "\n".join(self._data))
            had_data, self._event, self._data = bool(self._data), "", []
            return message if had_data else None
        name, _, value = line.partition(":")
        self._field(name, value.removeprefix(" "))
        return None

    def _field(self, name: str, value: str) -> None:
        match name:
            case "id" if "\0" not in value:
                self._id = value
            case "event":
                self._event = value
            case "data":
                self._data.append(value)
            case "retry" if value.isascii() and value.isdigit():
                self.retry_ms = int(value)
            case _:
                pass  # a comment, or what a later server says
