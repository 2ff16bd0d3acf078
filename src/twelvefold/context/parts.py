"""A context as one user message of several parts, for a provider's prompt cache.

Parts are cut at event boundaries, greedily from the front. A full part never changes: what was sent
stays the same, byte for byte, in later turns, until a compaction.
"""

from twelvefold.messages import Message, Part

PART_CHARS_MIN = 4000
"""A part is full when it has so many characters, or more."""


def message_of(texts: list[str], part_chars_min: int = PART_CHARS_MIN) -> Message:
    """One user message of the texts of events. The newest full part bears the cache mark: the
    provider may keep everything up to its end."""
    full, last = _cut(texts, part_chars_min)
    marked = [Part(text, cache=place == len(full)) for place, text in enumerate(full, start=1)]
    return Message("user", (*marked, Part(last)) if last or not marked else tuple(marked))


def _cut(texts: list[str], chars_min: int) -> tuple[list[str], str]:
    """The full parts, and what is not yet one."""
    full: list[str] = []
    open_texts: list[str] = []
    chars = 0
    for text in texts:
        open_texts.append(text)
        chars += len(text)
        if chars >= chars_min:
            full.append("".join(open_texts))
            open_texts, chars = [], 0
    return full, "".join(open_texts)
