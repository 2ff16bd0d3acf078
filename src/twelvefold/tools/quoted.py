"""Texts in quotes as models write them: raw line breaks, inner quotes, three quotes.

A quote ends its text only where the value could end: before `}` or `]`, before a comma that leads
to a key or a value. Any other is an inner one that nobody escaped. Inner quotes come in pairs, and
the first of a pair follows a blank or a bracket; else nobody can say where the text ends, and it is
refused. That also makes a text that was cut off tell itself from a whole one.
"""

import json
import re
import textwrap
from typing import NamedTuple

from twelvefold.tools.values import Unclear

KEY_CHARS_MAX = 200
CLOSING = {'"': '"', "'": "'", "`": "`", "“": "”"}

_MOST = f"{{0,{KEY_CHARS_MAX}}}+"
KEY = re.compile(
    rf'(?:"((?:[^"\\\n{{}}]|\\.){_MOST})"|'
    rf"'((?:[^'\\\n{{}}]|\\.){_MOST})'|"
    rf"`([^`\\\n{{}}]{_MOST})`|“([^“”\\\n{{}}]{_MOST})”|"
    rf"([^\s\"'`{{}}\[\],:/#“”\\<>()=][^\s\"'`{{}}\[\],:#“”\\<>()=]{_MOST}))\s*+:"
)
BARE_KEY = 5
"""The group of a key without quotes."""

CUT_KEY = re.compile(rf"\s*+[\"'`“]?[^\"'`“”{{}}\n]{_MOST}[\"'`”]?\s*+\Z")
"""A key in which the text ends."""

_VALUE = re.compile(r"[\"'`“{\[\d-]|(?:true|false|null|True|False|None)\b|\]|\Z")
_CHUNKS = {quote: re.compile(rf"(?:[^{end}\\]|\\.)*+", re.DOTALL) for quote, end in CLOSING.items()}
_WHITE = re.compile(r"\s*+")
_HASH = re.compile(r"#(?=[\s#])")
_CONTROL = re.compile(r"[\x00-\x1f]")
_ESCAPE = re.compile(r"\\((?:u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*)|.)", re.DOTALL)
_SIMPLE = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_FOREIGN = frozenset("01234567aeuvxNU\r\n")  # of Python, JavaScript, C and shells
_FENCE_END = re.compile(r"```|</")
_INFO = re.compile(r"[\w+#.-]*[ \t]*\r?\n")
_EMPTY = re.compile(r"[ \t]*\r?\n")
_LAST_LINE = re.compile(r"\r?\n[ \t]*\Z")

CONTROLS = "raw control characters kept"
QUOTES = "quotes inside of a text kept"
OTHER_QUOTES = "other quotes than double ones"


class Quoted(NamedTuple):
    """A text, where it ends, what had to be repaired, and whether no reader could doubt its end."""

    text: str
    end: int
    notes: tuple[str, ...]
    plain: bool


class Blanks:
    """White space and comments of one text. What ends a line or a comment is sought once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._line = self._block = range(0)  # what was sought last: from where, and what was found

    def after(self, at: int) -> int:
        """Where the first character stands that is neither blank nor in a comment."""
        text = self.text
        while True:
            at = blank(text, at)
            if text.startswith("//", at) or _HASH.match(text, at):
                at = self._line_end(at)
            elif text.startswith("/*", at) and (end := self._block_end(at)) < len(text):
                at = end
            else:
                return at

    def _line_end(self, at: int) -> int:
        if at not in self._line:
            end = self.text.find("\n", at)
            self._line = range(at, len(self.text) if end < 0 else end)
        return self._line.stop

    def _block_end(self, at: int) -> int:
        if at + 2 not in self._block:
            end = self.text.find("*/", at + 2)
            self._block = range(at + 2, len(self.text) if end < 0 else end + 2)
        return self._block.stop


def blank(text: str, at: int) -> int:
    """Where the first character stands that is not blank."""
    found = _WHITE.match(text, at)
    return found.end() if found else at


def quoted(blanks: Blanks, start: int, *, in_list: bool, quoted_keys: bool = False) -> Quoted:
    """The text whose opening quote stands at `start`. Raises `Unclear`.

    `quoted_keys`: so far all keys have double quotes, so that a bare one may be a word of the text.
    """
    text, quote = blanks.text, blanks.text[start]
    if quote != "“" and text.startswith(quote * 3, start):
        return _tripled(blanks, start, in_list=in_list)
    end, chunk, at, inner = CLOSING[quote], _CHUNKS[quote], start + 1, 0
    while True:
        found = chunk.match(text, at)
        at = found.end() if found else at
        if not text.startswith(end, at):
            raise Unclear("truncated", "The reply ends inside of a text.", len(text))
        if quote == "'" and _is_apostrophe(text, at):
            at += 1
            continue
        bare_keys = not (quoted_keys and inner % 2)
        if _ends(blanks, at + 1, in_list=in_list, bare_keys=bare_keys):
            break
        inner += 1
        if inner % 2 and not is_opening(text[at - 1]):
            raise _unclear(at)
        at += 1
    if inner % 2:
        raise _unclear(at)
    raw = text[start + 1 : at]
    value, notes = unescaped(raw, at)
    if inner:
        notes = (*notes, QUOTES)
    if quote != '"':
        notes = (*notes, OTHER_QUOTES)
    plain = quote == '"' and not inner and bool(raw) and not is_opening(raw[-1])
    return Quoted(value, at + 1, notes, plain)


def is_opening(char: str) -> bool:
    """Whether an opening quote may follow this character."""
    return not char.isalnum() and char not in ".!?,;%)]}…_"


def unescaped(raw: str, at: int = 0) -> tuple[str, tuple[str, ...]]:
    """The text that a raw one stands for, and what was repaired. Raises `Unclear` for an escape of
    another language, and where one that JSON knows stands beside one that it does not: nobody
    knows which of them were meant."""
    notes = (CONTROLS,) if _CONTROL.search(raw) else ()
    if "\\" not in raw:
        return raw, notes
    kinds = {_kind(found[1]) for found in _ESCAPE.finditer(raw)}
    if "foreign" in kinds or {"unknown", "known"} <= kinds:
        raise Unclear("ambiguous", "A text has escapes that JSON does not know.", at)
    if "unknown" in kinds:
        notes = (*notes, "unknown escapes kept as they are")
    if "quote" in kinds:
        notes = (*notes, "escaped quotes that need no escape")
    return _ESCAPE.sub(lambda found: _meant(found[1]), raw), notes


def _kind(escape: str) -> str:
    if escape in {'"', "\\", "/"}:
        return "neutral"
    if escape in {"'", "`"}:
        return "quote"
    if escape in _FOREIGN:
        return "foreign"
    return "known" if escape in _SIMPLE or len(escape) > 1 else "unknown"


def _meant(escape: str) -> str:
    if len(escape) > 1:
        return json.loads(f'"\\{escape}"')
    if escape in {"'", "`"}:
        return escape
    return _SIMPLE.get(escape, f"\\{escape}")


def _unclear(at: int) -> Unclear:
    return Unclear("ambiguous", "A quote inside of a text leaves open where the text ends.", at)


def _is_apostrophe(text: str, at: int) -> bool:
    return text[at - 1].isalpha() and text[at + 1 : at + 2].isalpha()


def _ends(blanks: Blanks, after: int, *, in_list: bool, bare_keys: bool = True) -> bool:
    """Whether a text may end right before `after`."""
    text, at = blanks.text, _past(blanks, after)
    if at == len(text) or _FENCE_END.match(text, at):
        return True
    if text[at] == ("]" if in_list else "}"):
        return True
    if text[at] == ",":
        at = _past(blanks, at + 1, quote=text[after - 1])
        if in_list:
            return bool(_VALUE.match(text, at))
        key = KEY.match(text, at)
        leads_on = bool(key and (bare_keys or not key[BARE_KEY])) or CUT_KEY.match(text, at)
        return text.startswith("}", at) or bool(leads_on)
    # Last, as it looks through all that was skipped: then it is the end.
    return not in_list and bool(KEY.match(text, at)) and text.find("\n", after, at) >= 0


def _past(blanks: Blanks, at: int, *, quote: str = "") -> int:
    """What follows blanks and comments. A comment with a quote may be a part of the text."""
    quote, end = quote or blanks.text[at - 1], blanks.after(at)
    if blank(blanks.text, at) < end and blanks.text.find(quote, at, end) >= 0:
        raise _unclear(end)
    return end


def _tripled(blanks: Blanks, start: int, *, in_list: bool) -> Quoted:
    text, quote = blanks.text, blanks.text[start]
    at = text.find(quote * 3, start + 3)
    if at < 0:
        raise Unclear("truncated", "The reply ends inside of a text.", len(text))
    while text.startswith(quote, at + 3):
        at += 1
    commented = blank(text, at + 3) != blanks.after(at + 3)  # or the comment is a part of it
    if commented or not _ends(blanks, at + 3, in_list=in_list):
        raise _unclear(at)
    raw = text[start + 3 : at]
    if quote != "`" and "\\" in raw:
        raise Unclear("ambiguous", "Escapes inside of three quotes may or may not be meant.", at)
    info = (_INFO if quote == "`" else _EMPTY).match(raw)
    return Quoted(_dedented(raw, info), at + 3, ("three quotes",), plain=False)


def _dedented(raw: str, info: re.Match[str] | None) -> str:
    """A block without the line of its opening quotes, its common indent and its last line break."""
    if not info:
        return raw
    return textwrap.dedent(_LAST_LINE.sub("", raw[info.end() :]))
