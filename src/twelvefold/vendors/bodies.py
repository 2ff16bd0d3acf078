"""The body of a request: a dict of JSON, made without I/O, and sent as these very bytes."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from twelvefold.exceptions import ConfigurationError
from twelvefold.messages import FilePart, ModelRequest, Part
from twelvefold.schemas import Profile, export
from twelvefold.thread import Json, to_text
from twelvefold.vendors.settings import Mode

_SURROGATES = re.compile("[\ud800-\udfff]")


def offered(request: ModelRequest, mode: Mode, *, native: Profile, tool: Profile) -> Json:
    """The schema to send with this request, or None. Raises `SchemaRefused`."""
    if request.schema is None or mode == "prompt":
        return None
    return export(request.schema, native if mode == "native" else tool).schema


def sendable(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which UTF-8 does not have."""
    return _SURROGATES.sub("\ufffd", text)


def spoken(parts: tuple[Part, ...]) -> list[Part]:
    """The parts without blank ones, which some vendors refuse: blanks go to the part after them,
    those at the end to the part before, unless they would change what is cached there."""
    kept: list[Part] = []
    blanks = ""
    for part in parts:
        if isinstance(part, FilePart):
            kept.append(part)
        elif part.text.strip():
            kept.append(Part(blanks + part.text, part.cache))
            blanks = ""
        else:
            blanks += part.text
            if part.cache and kept:
                kept[-1] = replace(kept[-1], cache=True)
    if blanks and kept and not kept[-1].cache and not isinstance(kept[-1], FilePart):
        kept[-1] = Part(kept[-1].text + blanks)
    return kept


def encoded(part: FilePart, request: ModelRequest) -> str:
    """The bytes of a file in Base64. Raises `ConfigurationError` when the request has none."""
    content = request.contents.get(part.sha256)
    if content is None:
        raise ConfigurationError(
            f"The bytes of {part.name!r} are not in the request: request.with_contents(load)."
        )
    return b64encode(content).decode()


def with_options(body: dict[str, Json], options: Mapping[str, Json]) -> dict[str, Json]:
    """The body with the user's own fields over ours, also within objects. None takes a field
    away."""
    made = dict(body)
    for name, value in options.items():
        ours: Json = made.get(name)
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict) and isinstance(ours, dict):
            made[name] = with_options(cast("dict[str, Json]", ours), cast("dict[str, Json]", value))
        else:
            made[name] = value
    return made


def wire(body: dict[str, Json]) -> bytes:
    return to_text(body).encode()
