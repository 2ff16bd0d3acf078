"""JSON text and times, in the one form that is stored, hashed and compared. Stdlib only."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, cast

from twelvefold.exceptions import Unstorable

Json = Any
"""None, bool, int, float, str, list of Json, or dict of str to Json."""

DEPTH_MAX = 200
"""Maps and lists in each other. What a deep stack writes, every stack must be able to read."""

# Twice as fast as `isoformat`, which asks for an offset that is known; each event has a time.
_RFC_3339 = "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ"
_SURROGATES = re.compile("[\ud800-\udfff]")
_decoder: Any = json.JSONDecoder()


def from_text(text: str) -> Json:
    """The value of stored JSON text. Raises `ValueError`."""
    try:
        value, end = _decoder.scan_once(text, 0)
    except StopIteration:
        return _decoder.decode(text)  # white space, or no JSON: it says what and where
    return value if end == len(text) else _decoder.decode(text)


def to_text(value: Json) -> str:
    """The JSON text that is stored and hashed: compact, keys in their own order, always UTF-8.

    As in all of JSON, keys become text. Raises `Unstorable` for what JSON cannot hold (NaN, bytes,
    objects).
    """
    return _as_json(value, _encode)


def joined(first: str, second: str) -> str:
    """The text of one map out of those of two that are not empty and share no key."""
    return f"{first[:-1]},{second[1:]}"


def canonical(value: Json) -> str:
    """The JSON text that digests are made of: as `to_text`, with sorted keys."""
    return _as_json(value, _encode_sorted)


def _encoder(*, sort_keys: bool) -> Callable[[Json, int], Iterable[str]]:
    """`JSONEncoder.iterencode`, with the C encoder kept that it makes anew for every value.

    What contains itself ends as `RecursionError`.
    """
    encoder: Any = json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=sort_keys
    )
    make: Any = vars(json.encoder)["c_make_encoder"]
    if make is None:  # an interpreter without it
        return encoder.iterencode
    quote = json.encoder.encode_basestring
    return make(None, encoder.default, quote, None, ":", ",", sort_keys, False, False)


_encode, _encode_sorted = _encoder(sort_keys=False), _encoder(sort_keys=True)


def _as_json(value: Json, encode: Callable[[Json, int], Iterable[str]]) -> str:
    try:
        text = "".join(encode(value, 0))
    except (TypeError, ValueError, RecursionError) as error:
        raise Unstorable(f"JSON cannot hold this value: {error}") from error
    # A short text has no room for so many brackets, and most texts are short.
    if len(text) > DEPTH_MAX and text.count("[") + text.count("{") > DEPTH_MAX:
        _check_depth(value)
    if text.isascii() or not _SURROGATES.search(text):
        return text
    # UTF-8 has no lone surrogates; as JSON escapes they survive every store. Reading joins a pair
    # that was written as two, so read once before the text is final.
    return _escape_surrogates("".join(encode(from_text(_escape_surrogates(text)), 0)))


def _check_depth(value: Json) -> None:
    """Raises `Unstorable` where maps and lists lie too deep in each other. Level by level: no
    recursion."""
    within: list[Json] = [value]
    for _ in range(DEPTH_MAX + 1):
        nested: list[Json] = [one for one in within if isinstance(one, dict | list | tuple)]
        if not nested:
            return
        within = [item for one in nested for item in _items(one)]
    raise Unstorable(f"The value is nested more than {DEPTH_MAX} levels deep.")


def _items(nested: Json) -> Iterable[Json]:
    return cast("dict[str, Json]", nested).values() if isinstance(nested, dict) else nested


def _escape_surrogates(text: str) -> str:
    return _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def to_iso(at: datetime) -> str:
    """RFC 3339 in UTC, always with microseconds, so that text order is time order.

    Raises `Unstorable` for a time without an offset: it would mean another moment on each machine.
    """
    if at.tzinfo is None:
        raise Unstorable(f"{at} has no offset: use an aware time, such as datetime.now(UTC).")
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return _RFC_3339 % (
        utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond
    )  # fmt: skip


def from_iso(text: str) -> datetime:
    """The inverse of `to_iso`; accepts any RFC 3339 time with an offset, else `ValueError`."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return at.astimezone(UTC)
