"""A request as text that a person can read and compare, and that holds every byte of it.

The lines are those of a prompt file: `--- user` begins a message, `--- cache` ends a part with a
mark, `--- part` one without. A line of the text itself that looks like one of them, or that begins
with a backslash, gets a backslash before it; so two requests never look the same.
"""

from collections.abc import Sequence

from twelvefold.messages import FilePart, Message, ModelRequest, Part
from twelvefold.thread import canonical

STEPS_LINE = "--- steps offered (JSON Schema)"
NO_NEWLINE = "\\ no newline at the end"
EMPTY = "\\ nothing"


def written(shown: ModelRequest | Sequence[Message]) -> str:
    """The messages, and the schema when it is a request that has one."""
    request = shown if isinstance(shown, ModelRequest) else ModelRequest(tuple(shown))
    lines = [line for message in request.messages for line in _message(message)]
    if request.schema is not None:
        lines += [STEPS_LINE, *_text(request.schema + "\n")]
    return "".join(f"{line}\n" for line in lines)


def _message(message: Message) -> list[str]:
    lines = [f"--- {message.role}"]
    for place, part in enumerate(message.parts, start=1):
        lines += _shown(part) + _end(part, last=place == len(message.parts))
    return lines


def _shown(part: Part) -> list[str]:
    if isinstance(part, FilePart):
        return [f"\\ file {canonical([part.name, part.media_type, part.sha256])}"]
    return _text(part.text)


def _text(text: str) -> list[str]:
    if not text:
        return [EMPTY]
    *lines, rest = text.split("\n")
    shown = [f"\\{line}" if line.startswith(("--- ", "\\")) else line for line in lines]
    return shown if not rest else [*shown, *_text(rest + "\n"), NO_NEWLINE]


def _end(part: Part, *, last: bool) -> list[str]:
    if part.cache:
        return ["--- cache"]
    return [] if last else ["--- part"]
