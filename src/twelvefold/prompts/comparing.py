"""Two requests compared: by lines for people, by bytes for a provider's cache."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from twelvefold.messages import Message, ModelRequest
from twelvefold.prompts.written import written


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of the request `before`. Bytes are those of the messages, roles included.

    `same_bytes` is the length of the common beginning; `cached_bytes` reaches to the last cache
    mark of `before`, and `cached_changed_bytes` of these come after the first difference.
    """

    diff: str
    before_bytes: int
    after_bytes: int
    same_bytes: int
    cached_bytes: int

    @property
    def cached_changed_bytes(self) -> int:
        return max(0, self.cached_bytes - self.same_bytes)


def compared(
    before: ModelRequest, after: ModelRequest, *, names: tuple[str, str] = ("before", "after")
) -> Compared:
    """`diff` is "" when all is the same, schema and cache marks included."""
    old, new = _bytes(before.messages), _bytes(after.messages)
    diff = unified(written(before), written(after), names=names)
    return Compared(diff, len(old), len(new), common_beginning(old, new), _cached(before))


def unified(before: str, after: str, *, names: tuple[str, str]) -> str:
    """A unified diff of two texts, by lines that end with a newline and with nothing else."""
    if before.endswith("\n") and after.endswith("\n"):  # not one more line, which is empty
        before, after = before[:-1], after[:-1]
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), *names, lineterm="")
    return "\n".join(lines)


def common_beginning(one: bytes, other: bytes) -> int:
    """How many bytes two texts have in common from the front."""
    same, different = 0, min(len(one), len(other)) + 1
    while different - same > 1:
        middle = (same + different) // 2
        if one[same:middle] == other[same:middle]:
            same = middle
        else:
            different = middle
    return same


def _bytes(messages: Sequence[Message]) -> bytes:
    return b"".join(map(_of_message, messages))


def _of_message(message: Message) -> bytes:
    # Lone surrogates cannot be sent, but they must not break a comparison.
    return f"{message.role}\n{message.text}".encode("utf-8", "surrogatepass")


def _cached(request: ModelRequest) -> int:
    """The bytes up to the last cache mark; 0 without one."""
    parts = [
        (text, part.cache)
        for message in request.messages
        for first, part in enumerate(message.parts)
        for text in [part.text if first else f"{message.role}\n{part.text}"]
    ]
    ends = accumulate(len(text.encode("utf-8", "surrogatepass")) for text, _ in parts)
    marked = [end for end, (_, cache) in zip(ends, parts, strict=True) if cache]
    return marked[-1] if marked else 0
