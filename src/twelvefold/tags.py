"""The escape of tags: text that neither opens nor closes one, and that can be read back exactly.

A `<` that could begin a tag becomes `&lt;`; what looks like the escape already gets one more
`amp;`. So `3 < 4` stays as it is. A tag begins with a letter, `_`, `!`, `?`, `|` (some models know
`<|user|>`) or what is not ASCII, for that may be unseen; or with `/` and one of these.
"""

import re


def escape(text: str) -> str:
    if "lt;" in text:
        text = _ESCAPE.sub(r"&amp;\1", text)
    return OPENS_TAG.sub("&lt;", text) if "<" in text else text


def unescape(text: str) -> str:
    """The inverse of `escape`."""
    return _ESCAPE.sub(lambda found: "<" if found[1] == "lt;" else "&" + found[1][4:], text)


OPENS_TAG = re.compile(r"<(?=/?[a-zA-Z_!?|\x00-\x08\x0e-\x1f\x7f-\U0010ffff])")
_ESCAPE = re.compile(r"&((?:amp;)*lt;)")
