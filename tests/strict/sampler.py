"""A model that knows nothing but a grammar: llguidance says which bytes may come next, chance picks
one.

The same seed gives the same texts. Every text ends: the longer a string, an array or a number is,
the likelier it is to be closed.
"""

import random
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from llguidance import LLMatcher, LLTokenizer
from llguidance._tokenizer import TokenizerWrapper

END = 256
TEXT_BYTES_MAX = 20_000
MASKS_MAX = 10_000
STRING_BYTES = 12
"""About how long a free string becomes."""
NUMBER_BYTES_MAX = 12
EXPONENT_DIGITS_MAX = 2  # 1e999 is no float; a model that writes it is another test's
ODDS_OF_BLANKS = 0.1
ODDS_OF_ESCAPE = 0.08
ODDS_OF_UNICODE = 0.15
ODDS_OF_CLOSING = 0.6
ODDS_OF_ENDING = 0.25
BLANKS = frozenset(b" \n\r\t")
DIGITS = frozenset(b"0123456789")
IN_NUMBERS = DIGITS | frozenset(b".eE+-")
OPTIONS: tuple[dict[str, Any], ...] = (
    {"whitespace_flexible": False, "json_allow_general_unicode_escapes": True, "lenient": True},
    {"whitespace_flexible": True, "json_allow_general_unicode_escapes": True, "lenient": True},
)
"""Compact, and with blanks wherever JSON allows them. What llguidance cannot enforce, such as an
unknown format, it leaves to chance: the rules have refused it where it matters."""


class Bytes:
    """A vocabulary of 256 bytes and an end."""

    eos_token_id = END
    bos_token_id = None
    tokens = (*(bytes([n]) for n in range(256)), b"<end>")
    special_token_ids = (END,)

    def __call__(self, text: str | bytes) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)


TOKENIZER = LLTokenizer(TokenizerWrapper(Bytes()), slices=[])


class NoGrammar(ValueError):
    """llguidance cannot compile this schema."""


@cache
def _compiled(schema: str, option: int) -> LLMatcher:
    grammar = LLMatcher.grammar_from_json_schema(schema, overrides=OPTIONS[option])
    wrong, said = LLMatcher.validate_grammar_with_warnings(grammar, TOKENIZER)
    if wrong:
        raise NoGrammar("; ".join(said))
    return LLMatcher(TOKENIZER, grammar)


@dataclass(slots=True)
class _Place:
    """Where in the JSON text the next byte goes: as much of it as chance must know."""

    in_string: bool = False
    escaped: bool = False
    in_exponent: bool = False
    run: int = 0
    """Bytes since the string, number or blank began, or items since the array began."""

    def after(self, byte: int) -> None:
        if self.in_string:
            self._in_string_after(byte)
        elif byte == ord('"'):
            self.in_string, self.run = True, 0
        elif byte in IN_NUMBERS:
            self.in_exponent, self.run = self._exponent_after(byte)
        else:
            self.in_exponent, self.run = False, 0

    def _in_string_after(self, byte: int) -> None:
        self.run += 1
        if self.escaped:
            self.escaped = False
        elif byte == ord("\\"):
            self.escaped = True
        elif byte == ord('"'):
            self.in_string, self.run = False, 0

    def _exponent_after(self, byte: int) -> tuple[bool, int]:
        return (True, 0) if byte in b"eE" else (self.in_exponent, self.run + 1)


class Sampler:
    """Random texts of a schema. Raises `NoGrammar` for what llguidance cannot compile."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._planned: list[int] = []

    def text(self, schema: str) -> str:
        matcher = _compiled(schema, self._random.randrange(len(OPTIONS))).deep_copy()
        made, place = bytearray(), _Place()
        self._planned = []
        while len(made) < TEXT_BYTES_MAX:
            for byte in self._next(matcher, place):
                if byte == END:
                    return made.decode()
                made.append(byte)
                place.after(byte)
        raise AssertionError(f"no end: {made[:200]!r}...")

    def _next(self, matcher: LLMatcher, place: _Place) -> list[int]:
        """The bytes that must come, or the one that chance picks."""
        if matcher.is_stopped():
            return [END]
        forced = matcher.compute_ff_tokens()
        if not forced:
            forced = [self._pick(_sets(matcher), place)]
        assert matcher.consume_tokens(forced), matcher.get_error()
        return forced

    def _pick(self, sets: "_Sets", place: _Place) -> int:
        if self._planned and self._planned[0] in sets.allowed:
            return self._planned.pop(0)
        self._planned = []
        if place.in_string:
            return self._in_string(sets, place)
        return self._outside(sets, place)

    def _in_string(self, sets: "_Sets", place: _Place) -> int:
        chance = self._random
        if place.escaped:
            return self._escape(sets.allowed)
        if not sets.is_free:  # an enum, a pattern, a rest of a character
            return chance.choice(sets.allowed)
        if chance.random() < place.run / (4 * STRING_BYTES):
            return ord('"')
        if chance.random() < ODDS_OF_ESCAPE:
            return ord("\\")
        if sets.wide and chance.random() < ODDS_OF_UNICODE:
            return chance.choice(sets.wide)
        return chance.choice(sets.plain or sets.allowed)

    def _escape(self, allowed: list[int]) -> int:
        byte = self._random.choice(allowed)
        if byte == ord("u"):
            units = self._character().encode("utf-16-be", "strict").hex()
            self._planned = list("\\u".join(re.findall("....", units)).encode())
        return byte

    def _character(self) -> str:
        """One that needs escaping, one of the plane of most writing, or one beyond it."""
        low, high = self._random.choice([(0, 0x20), (0x20, 0xD800), (0x10000, 0x110000)])
        return chr(self._random.randrange(low, high))

    def _outside(self, sets: "_Sets", place: _Place) -> int:
        chance, allowed = self._random, sets.allowed
        if sets.blanks and sets.others:
            if chance.random() < ODDS_OF_BLANKS:
                return chance.choice(sets.blanks)
            allowed = sets.others
        if sets.has_digits:
            allowed = self._number(allowed, place)
        if ord("]") in allowed and chance.random() < ODDS_OF_CLOSING:
            return ord("]")
        return chance.choice(allowed)

    def _number(self, allowed: list[int], place: _Place) -> list[int]:
        """Of the bytes that go on or end a number, either, the longer it is the likelier to end."""
        ends = [byte for byte in allowed if byte not in IN_NUMBERS]
        if not ends or not (place.run or place.in_exponent):
            return allowed
        most = EXPONENT_DIGITS_MAX if place.in_exponent else NUMBER_BYTES_MAX
        if place.run >= most or self._random.random() < ODDS_OF_ENDING:
            return ends
        return [byte for byte in allowed if byte in IN_NUMBERS]


@dataclass(frozen=True, slots=True)
class _Sets:
    """The bytes that may come next, and those of them that chance asks for."""

    allowed: list[int]
    wide: list[int]
    plain: list[int]
    blanks: list[int]
    others: list[int]
    has_digits: bool
    is_free: bool
    """Whether a string may end here, or go on with an escape."""


def _sets(matcher: LLMatcher) -> _Sets:
    sets = _sets_of(matcher.compute_bitmask())
    assert sets.allowed, matcher.get_error() or "nothing may follow"
    return sets


@lru_cache(MASKS_MAX)
def _sets_of(mask: bytes) -> _Sets:
    """The same few come again at almost every byte."""
    bits = int.from_bytes(mask, "little")
    allowed = [token for token in range(END + 1) if bits >> token & 1]
    return _Sets(
        allowed,
        wide=[byte for byte in allowed if byte >= 0x80],
        plain=[byte for byte in allowed if byte < 0x80 and byte not in b'"\\'],
        blanks=[byte for byte in allowed if byte in BLANKS],
        others=[byte for byte in allowed if byte not in BLANKS],
        has_digits=any(byte in DIGITS for byte in allowed),
        is_free=ord('"') in allowed and ord("\\") in allowed,
    )
