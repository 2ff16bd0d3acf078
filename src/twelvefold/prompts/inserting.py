"""What a prompt inserts: text and numbers, escaped, so that no content opens a tag.

Whatever stands in the file is the owner's and is sent as it is. Whatever is inserted is escaped
unless it is `Raw`. Nothing here depends on chance, so the same variables give the same bytes.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from jinja2 import Undefined, pass_context

from twelvefold.exceptions import PromptError
from twelvefold.messages import Part
from twelvefold.tags import escape


class Raw(str):
    """Text that you vouch for: a prompt inserts it as it is.

    What is added to it is escaped. What any other method makes of it is ordinary text: a cut or a
    replacement could complete a tag that was none before.
    """

    __slots__ = ()

    def __add__(self, other: str, /) -> "Raw":
        return Raw(str.__add__(self, safe(other)))

    def __radd__(self, other: str, /) -> "Raw":
        return Raw(str.__add__(safe(other), self))


End = tuple[int, bool]
"""Where a part ends in a text, and whether it bears a cache mark."""


@dataclass(frozen=True, slots=True)
class InParts:
    """A text in parts, as a variable. It is no `str`, so nothing can change it by accident."""

    text: str
    ends: tuple[End, ...]

    def __str__(self) -> NoReturn:
        raise PromptError(
            "a thread in parts is inserted alone, as {{ thread }}: filters, joins and formats would"
            " lose its cache marks. Let context return a text where you need them"
        )


class _Piece(str):
    """A text in parts on its way through Jinja2, which takes only `str` and calls str() on it."""

    ends: tuple[End, ...]

    def __str__(self) -> str:
        return self


def in_parts(parts: Sequence[Part]) -> Raw | InParts:
    """What may be inserted for the parts of a message; `parts_of` finds them again."""
    offset, ends = 0, list[End]()
    for place, part in enumerate(parts, start=1):
        offset += len(part.text)
        if part.cache or place < len(parts):
            ends.append((offset, part.cache))
    return _made("".join(part.text for part in parts), ends)


def parts_of(made: Raw | InParts, *, cache: bool) -> list[Part]:
    """`cache`: whether the last part bears a mark."""
    text, ends = (made.text, made.ends) if isinstance(made, InParts) else (str(made), ())
    start, parts = 0, list[Part]()
    for end, marked in ends:
        parts.append(Part(text[start:end], marked))
        start = end
    return [*parts, Part(text[start:], cache)]


def joined(pieces: Iterable[str]) -> Raw | InParts:
    """What a template yields is safe already: its own text, or what `inserted` let through."""
    texts = list(pieces)
    offset, ends = 0, list[End]()
    for text in texts:
        if isinstance(text, _Piece):
            ends += [(offset + end, marked) for end, marked in text.ends]
        offset += len(text)
    return _made("".join(texts), ends)


def _made(text: str, ends: list[End]) -> Raw | InParts:
    return InParts(text, tuple(ends)) if ends else Raw(text)


@pass_context  # and therefore never called while compiling, when there is no line to name
def inserted(_: Any, value: Any) -> str:
    """The guard of every `{{ }}`. Raises `PromptError` for what is neither text nor a number."""
    if not isinstance(value, InParts):
        return safe(value)
    piece = _Piece(value.text)
    piece.ends = value.ends
    return piece


def safe(value: Any) -> Raw:
    """Raw text as it is, other text and numbers escaped."""
    text = _text_of(value)
    return text if isinstance(text, Raw) else Raw(_OPENS_AT_END.sub("&lt;", escape(text)))


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value if isinstance(value, Raw) else str.__str__(value)
    if isinstance(value, Undefined | InParts):
        return str(value)  # raises, and says which name is missing, or what cannot be done
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    shown = "None" if value is None else f"a {type(value).__name__}"
    raise PromptError(
        f"{shown} is inserted, and only text and numbers can be. Say how it is written, for"
        " example with `| tojson`, `| join(', ')` or `'yes' if x else 'no'`"
    )


_OPENS_AT_END = re.compile(r"<(?=/?\Z)")  # what follows would complete the tag


# The filters that keep what is Raw. Of all others the result is text like any other.


def join(
    values: Iterable[Any], between: str = "", *, item: Callable[[Any], Any] = lambda value: value
) -> str:
    texts = [_text_of(item(value)) for value in values]
    if isinstance(between, Raw) or any(isinstance(text, Raw) for text in texts):
        return Raw(safe(between).join(map(safe, texts)))
    return between.join(texts)


def vouched(value: Any) -> Raw:
    return Raw(_text_of(value))


def trimmed(value: Any) -> str:
    text = _text_of(value)
    return Raw(_OPENS_AT_END.sub("&lt;", text.strip())) if isinstance(text, Raw) else text.strip()


def indented(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    text = _text_of(value)
    pad = " " * width if isinstance(width, int) else str(safe(width))
    lines = text.split("\n")
    padded = [pad + line if line or blank else line for line in lines]
    whole = "\n".join(padded if first else [lines[0], *padded[1:]])
    return Raw(whole) if isinstance(text, Raw) else whole
