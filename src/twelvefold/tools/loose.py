"""One value of JSON as models write it: comments, bare words, missing commas; nothing made up.

Reading goes forward only, with a stack instead of recursion: the time is linear in the text. What
ends too early is refused, but for closing braces after a whole value, which leave a mark: whether a
field is missing can only be told from the schema.
"""

import re
from typing import NamedTuple, cast

from twelvefold.encoding import DEPTH_MAX
from twelvefold.thread import Json
from twelvefold.tools.quoted import (
    BARE_KEY,
    CLOSING,
    CUT_KEY,
    KEY,
    OTHER_QUOTES,
    Blanks,
    blank,
    quoted,
    unescaped,
)
from twelvefold.tools.values import Bare, Unclear, Unclosed, finite, said_twice, same, too_deep

NUMBER = re.compile(r"-?(?:0|[1-9]\d*+)(\.\d++)?([eE][+-]?\d++)?(?=\s*+(?:[,}\]]|//|/\*|#|\n|\Z))")
_END = re.compile(r"[ \t\r]*+(?:[,}\]\n]|//|/\*|#|\Z|```|</)")
_WORD = re.compile(r"[A-Za-z]++")
_STOP = re.compile(r"```|</|\Z")
_PIECE = re.compile(r"[^\s,(){}\[\]\"'`\\<]++|[ \t]++|[\s\S]")
_FIELD_INSIDE = re.compile(r"\w\s*+:\s|\s//|\s#\s|\s/\*")
_BRACKETS = re.compile(r"\([^()]*+\)|\[[^\[\]]*+\]|\{[^{}]*+\}")
_NO_VALUE = re.compile(
    r"[+-]?(?:nan|inf|infinity)|undefined|\.\.\.|…|[|>][+-]?|<.*>|//.*|#.*", re.IGNORECASE
)
_COMMENTS = ("/*", "// ", "# ")  # after a colon `//` and `#` may begin a text
_PAIRS = {"(": ")", "[": "]", "{": "}"}
WORDS: dict[str, Json] = {
    **{word: True for word in ("true", "True", "TRUE")},
    **{word: False for word in ("false", "False", "FALSE")},
    **{word: None for word in ("null", "Null", "NULL", "None")},
}
DIGITS_MAX = 4000
LINE_CHARS_MAX = 2000
BRACKETS_MAX = 3
"""How deep the brackets of a text without quotes may hold what looks like a field."""

BARE = "texts without quotes"
BARE_KEYS = "keys without quotes"
COMMENTS = "comments removed"
CLOSED = "missing closing braces added"
COMMA = "missing comma added"
TRAILING = "trailing comma removed"
LITERALS = "True, False or None as in Python"
TWICE = "a key that stands twice with one value"


class Read(NamedTuple):
    """A value, where it ends and what had to be repaired, each said once."""

    value: Json
    end: int
    notes: tuple[str, ...]


def read(blanks: Blanks, start: int) -> Read:
    """The object or list that opens at `start`. Raises `Unclear`."""
    return _Reading(blanks).read(start)


class _Reading:
    def __init__(self, blanks: Blanks) -> None:
        self.blanks = blanks
        self.text = blanks.text
        self.notes: dict[str, None] = {}
        self.stack: list[dict[str, Json] | list[Json]] = []
        self.keys: list[str] = []  # of the objects in the stack, the key whose value is read
        self.done: Json = None
        self.plain = False  # whether the last value cannot have been cut off

    def read(self, at: int) -> Read:
        at = self._open(at)
        while self.stack:
            at = self._field(at) if isinstance(self.stack[-1], dict) else self._item(at)
        return Read(self.done, at, tuple(self.notes))

    def _skip(self, at: int) -> int:
        end = self.blanks.after(at)
        if end > at and not self.text[at:end].isspace():
            self._note(COMMENTS)
        return end

    def _note(self, *notes: str) -> None:
        self.notes.update(dict.fromkeys(notes))

    def _open(self, at: int) -> int:
        if len(self.stack) == DEPTH_MAX:
            raise too_deep(at)
        if self.text[at] == "{":
            self.stack.append({})
            self.keys.append("")
        else:
            self.stack.append([])
        return at + 1

    def _close(self, at: int) -> int:
        """The innermost object or list is whole; what follows it is looked at."""
        made = self.stack.pop()
        if isinstance(made, dict):
            self.keys.pop()
        self.plain = True
        if not self.stack:
            self.done = made
            return at
        self._put(made, at)
        return self._after(at)

    def _field(self, at: int) -> int:
        at = self._skip(at)
        if self.text.startswith("}", at):
            return self._close(at + 1)
        found = KEY.match(self.text, at)
        if not found:
            raise _cut_off(at) if CUT_KEY.match(self.text, at) else self._stopped(at, "a key")
        self.keys[-1] = self._key(found)
        at = blank(self.text, found.end())
        return self._value(self._skip(at) if self.text.startswith(_COMMENTS, at) else at)

    def _key(self, found: re.Match[str]) -> str:
        kind = found.lastindex or 1
        if kind == BARE_KEY:
            self._note(BARE_KEYS)
        elif kind > 1:
            self._note(OTHER_QUOTES)
        key, notes = unescaped(found[kind], found.end())
        self._note(*notes)
        return key

    def _item(self, at: int) -> int:
        at = self._skip(at)
        if self.text.startswith("]", at):
            return self._close(at + 1)
        return self._value(at)

    def _value(self, at: int) -> int:
        first = self.text[at : at + 1]
        if first in {"{", "["}:
            return self._open(at)
        if first in CLOSING and first:
            in_list = isinstance(self.stack[-1], list)
            quoted_keys = BARE_KEYS not in self.notes
            found = quoted(self.blanks, at, in_list=in_list, quoted_keys=quoted_keys)
            self._note(*found.notes)
            self._put(found.text, found.end)
            self.plain = found.plain
            return self._after(found.end)
        value, end = self._unquoted(at)
        self._put(value, end)
        self.plain = False
        return self._after(end)

    def _put(self, value: Json, at: int) -> None:
        within = self.stack[-1]
        if isinstance(within, list):
            within.append(value)
            return
        key = self.keys[-1]
        if key in within:
            if not same(within[key], value):
                raise said_twice(key, at)
            self._note(TWICE)
        within[key] = value

    def _after(self, at: int) -> int:
        """What follows a value: a comma, the end of what it is in, or too early an end."""
        after = self._skip(at)
        in_list = isinstance(self.stack[-1], list)
        if self.text.startswith("]" if in_list else "}", after):
            return after
        if self.text.startswith(",", after):
            return self._comma(after + 1)
        if _STOP.match(self.text, after):
            return self._ended(after)
        if not in_list and "\n" in self.text[at:after] and KEY.match(self.text, after):
            self._note(COMMA)
            return after
        raise self._stopped(after, "a comma")

    def _comma(self, at: int) -> int:
        after = self._skip(at)
        if self.text.startswith(("]", "}"), after):
            self._note(TRAILING)
        return after

    def _ended(self, at: int) -> int:
        """Add the closing braces that are missing, when all that is there is whole."""
        cut_off = at == len(self.text) and not self.plain
        if cut_off or any(isinstance(one, list) for one in self.stack):
            raise _cut_off(at)
        self._note(CLOSED)
        while self.stack:
            self.keys.pop()
            self.done = Unclosed(cast(dict[str, Json], self.stack.pop()))
            if self.stack:
                self._put(self.done, at)
        return at

    def _stopped(self, at: int, wanted: str) -> Unclear:
        if _STOP.match(self.text, at):
            return _cut_off(at)
        here = self.text[at : at + 20].strip()
        return Unclear("not_json", f"The JSON lacks {wanted} before {here!r}.", at)

    def _unquoted(self, at: int) -> tuple[Json, int]:
        if found := NUMBER.match(self.text, at):
            return self._number(found)
        word = _WORD.match(self.text, at)
        if word and word[0] in WORDS and _END.match(self.text, word.end()):
            if word[0] not in {"true", "false", "null"}:
                self._note(LITERALS)
            return WORDS[word[0]], word.end()
        if at == len(self.text):
            raise _cut_off(at)
        end = self._bare_end(at)
        bare = self.text[at:end].strip()
        if not bare or _NO_VALUE.fullmatch(bare) or _FIELD_INSIDE.search(_outside(bare)):
            here = bare[:20]
            raise Unclear("not_json", f"The JSON has no value where {here!r} stands.", end)
        if end == len(self.text):
            raise _cut_off(end)
        self._note(BARE)
        return Bare(bare), end

    def _number(self, found: re.Match[str]) -> tuple[Json, int]:
        if found.end() == len(self.text):
            raise _cut_off(found.end())
        if found[1] or found[2]:
            return finite(found[0], found.end()), found.end()
        if len(found[0]) > DIGITS_MAX:
            raise Unclear("not_json", f"A number has more than {DIGITS_MAX} digits.", found.end())
        return int(found[0]), found.end()

    def _bare_end(self, at: int) -> int:
        """Where a text without quotes ends: at a comma, a closer or a line break outside of
        brackets."""
        text, opened = self.text, list[str]()
        while at < len(text):
            char = text[at]
            if opened and char == opened[-1]:
                opened.pop()
            elif not opened and char in ",}]\n":
                return at
            elif char in _PAIRS and len(opened) < DEPTH_MAX:
                opened.append(_PAIRS[char])
            elif char in ")]}\n\\" or text.startswith(("```", "</"), at):
                return self._bare_stop(at, opened)
            elif char in "\"`'" and not _in_word(text, at):
                at = self._bare_quote(at, opened)
            at = (_PIECE.match(text, at) or cast(re.Match[str], None)).end()
        return at

    def _bare_stop(self, at: int, opened: list[str]) -> int:
        if opened or self.text[at] in ")\\":
            raise self._stopped(at, "the end of a text without quotes")
        raise _cut_off(at)

    def _bare_quote(self, at: int, opened: list[str]) -> int:
        """Inside of brackets a text without quotes may hold quoted ones, on the same line."""
        end = self.text.find(self.text[at], at + 1, at + LINE_CHARS_MAX)
        if not opened or end < 0 or "\n" in self.text[at:end]:
            raise self._stopped(at, "the end of a text without quotes")
        return end


def _outside(bare: str) -> str:
    """A text without what stands in brackets."""
    for _ in range(BRACKETS_MAX):
        bare = _BRACKETS.sub(")", bare)
    return bare


def _in_word(text: str, at: int) -> bool:
    return text[at] == "'" and text[at - 1].isalpha() and text[at + 1 : at + 2].isalpha()


def _cut_off(at: int) -> Unclear:
    return Unclear("truncated", "The reply ends before its JSON is whole.", at)
