"""What counts as the same word: case, accents and what joins its parts do not matter.

Only Latin accents are dropped; in other scripts a mark makes another letter. Digits stay apart, so
that v1-2 is not v12, and a sign in front stays.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

FOLDED_MAX = 4096
FOLD_CHARS_MAX = 200

_JOINT = re.compile(r"(?<=[^\W_])[\s_\-]+(?=[^\W\d_])|(?<=[^\W\d_])[\s_\-]+(?=[^\W_])", re.UNICODE)
_ACCENT = re.compile(r"(?<=[A-Za-z])[\u0300-\u036f]+")
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})


@lru_cache(FOLDED_MAX)
def fold(text: str) -> str:
    """A word of a schema, or one that may be meant to be it."""
    if len(text) > FOLD_CHARS_MAX:
        return text
    plain = _ACCENT.sub("", unicodedata.normalize("NFD", text.strip()))
    folded = unicodedata.normalize("NFC", plain).casefold().translate(_LETTERS)
    return _JOINT.sub("", folded)


def fold_tag(text: str) -> str:
    """An intent: only case and underscores do not matter."""
    return text.casefold().replace("_", "")


def meant(written: str, known: Iterable[str]) -> str | None:
    """The one known word that is written here; None when there is none, or more than one."""
    words = list(known)
    if written in words:
        return written
    folded = fold(written)
    found = [word for word in words if fold(word) == folded]
    return found[0] if len(found) == 1 else None
