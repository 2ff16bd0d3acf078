"""Text as people can see it: nothing invisible, nothing that moves what stands beside it."""

import re

# What str.isprintable lets pass although nobody can see it: joiners, fillers, variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


def visible(text: str) -> str:
    """One line that shows every character of `text`, the unseen ones as escapes."""
    if text.isprintable() and not _UNSEEN.search(text):
        return text
    return "".join(map(_seen, text))


def _seen(char: str) -> str:
    if char.isprintable() and not _UNSEEN.match(char):
        return char
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    code = ord(char)
    if code < 0x100:
        return known.get(char, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
