"""The YAML of a body, written and read exactly.

What is written is a subset of YAML: JSON's values, plain text where no YAML reader can take it for
anything else, `|` blocks for several lines, otherwise JSON's quotes. PyYAML writes nothing here:
its C and Python emitters differ in places, and requests are compared by the hash of their bytes.
Its loaders, which know nothing of this file, read the subset back.
"""

import json
import re
from functools import cache, lru_cache
from typing import Any, cast

from twelvefold.exceptions import NotRendered
from twelvefold.thread import Json

KEYS_KEPT_MAX = 512
KEY_CHARS_MAX = 1000
"""YAML readers look for the colon within 1024 characters; a longer key is marked by `?`."""


def to_yaml(value: Json) -> str:
    """The text of a JSON value, one or more whole lines. Raises `TypeError` for other values."""
    return _node(value, "") + "\n"


def from_yaml(text: str) -> Json:
    """The inverse of `to_yaml`. Raises `NotRendered` for text that no JSON value is written as."""
    import yaml

    try:
        return yaml.load(text, Loader=_loader())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotRendered(f"a body is not the YAML that is written here: {error}") from error


@cache
def _loader() -> Any:
    """A safe loader that knows JSON's values only: no dates, no `yes`, no merge keys."""
    import yaml

    class JsonLoader(yaml.SafeLoader):  # in Python: libyaml refuses lone surrogates
        yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012

    for kind, pattern, first in _KINDS:
        cast(Any, JsonLoader).add_implicit_resolver(
            f"tag:yaml.org,2002:{kind}", re.compile(pattern), list(first)
        )
    return JsonLoader


_KINDS = (
    ("null", r"null\Z", "n"),
    ("bool", r"(?:true|false)\Z", "tf"),
    ("int", r"-?(?:0|[1-9][0-9]*)\Z", "-0123456789"),
    ("float", r"-?[0-9]+\.[0-9]+(?:e[+-][0-9]+)?\Z", "-0123456789"),
)


# Text below never ends with a newline; `pad` is the indentation of the node.


def _node(value: Json, pad: str) -> str:
    if isinstance(value, dict) and value:
        items = cast("dict[str, Json]", value).items()
        return f"\n{pad}".join([_key(key, pad) + _after_key(item, pad) for key, item in items])
    if isinstance(value, list) and value:
        items = cast("list[Json]", value)
        return f"\n{pad}".join(["- " + _item(item, pad) for item in items])
    return _scalar(value, pad)


def _key(key: str, pad: str) -> str:
    text = _key_text(key)
    return f"{text}:" if len(text) <= KEY_CHARS_MAX else f"? {text}\n{pad}:"


@lru_cache(KEYS_KEPT_MAX)  # a log has the same few keys in every event
def _key_text(key: str) -> str:
    return key if _is_plain(key) else _quoted(key)


def _after_key(value: Json, pad: str) -> str:
    if isinstance(value, str):
        return f" {_text(value, pad)}"
    if isinstance(value, dict) and value:
        return f"\n{pad}  {_node(value, pad + '  ')}"
    if isinstance(value, list) and value:
        return f"\n{pad}{_node(value, pad)}"
    return f" {_scalar(value, pad)}"


def _item(value: Json, pad: str) -> str:
    return _node(value, pad + "  ") if isinstance(value, (dict, list)) else _scalar(value, pad)


def _text(value: str, pad: str) -> str:
    if "\n" in value and _fits_block(value):
        return _block(value, pad + "  ")
    return value if _is_plain(value) else _quoted(value)


def _scalar(value: Json, pad: str) -> str:
    if isinstance(value, str):
        return _text(value, pad)
    if value is True or value is False:  # JSON's encoder is made anew for each that is no text
        return "true" if value else "false"
    if isinstance(value, float):
        text = repr(value)  # YAML 1.1 takes 1e+16 for text, and 1.0e+16 for a number
        return text if "." in text else text.replace("e", ".0e")
    return _encode(value)


# Controls, lone surrogates and what a person cannot see (direction marks, zero-width characters,
# Unicode tags): always escaped, so that they neither break the YAML nor hide from a reader.
_UNSEEN = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff"
)
UNSEEN_CHAR = re.compile(f"[{_UNSEEN}]")

# Text that no YAML reader takes for anything else, as far as its characters and the whole word say:
# no number, date, truth value or null, and no sign at its beginning that has a meaning in YAML.
_PLAIN = re.compile(
    r"(?!0[xXoObB]|[0-9]{4}-[0-9]|[0-9][0-9_.,:eE+-]*\Z)"
    r"(?!(?i:y|n|yes|no|on|off|true|false|null|\.inf|\.nan)\Z)"
    rf"(?![{_UNSEEN}])(?:[A-Za-z0-9_/($\u00a1-\U0010ffff]|\.(?=[A-Za-z/]))"
    rf"[^\t\n{_UNSEEN}]*(?<![: ])"
)


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and ": " not in text and " #" not in text


def _quoted(text: str) -> str:
    """JSON's quotes, with what people and YAML readers do not see written as escapes."""
    return UNSEEN_CHAR.sub(_code, _encode(text))


def _code(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


_encode = json.JSONEncoder(ensure_ascii=False).encode


def _fits_block(text: str) -> bool:
    return not UNSEEN_CHAR.search(text) and text.strip(" \t\n") != ""


def _block(text: str, pad: str) -> str:
    # A reader finds the indentation by the first line, unless that begins with white space.
    indentation = "2" if text[0] in " \t\n" else ""
    ending = "+" if text.endswith("\n\n") else "" if text.endswith("\n") else "-"
    lines = _LINE_START.sub(pad, text.removesuffix("\n"))
    return f"|{indentation}{ending}\n{lines}"


_LINE_START = re.compile(r"^(?=[^\n])", re.MULTILINE)
