"""The names of arguments: as Python writes them, as the log keeps them, as the server gets them."""

import keyword
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

_OF_STEPS = frozenset("intent risk origin sent left_out takes_intent".split())
_NOT_FREE = frozenset(dir(BaseModel)) | _OF_STEPS


def stored_name(name: str) -> str:
    """The name of an argument in the log: its own, but for the one that names the step."""
    return "intent_" if name == "intent" else name


def field_name(name: str, taken: Mapping[str, Any]) -> str:
    """A name that Python, Pydantic and a step have not taken."""
    made = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not made.isidentifier() or keyword.iskeyword(made) or made in _NOT_FREE or made[0] == "_":
        made = f"arg_{made}"
    while made in taken:
        made += "_"
    return made
