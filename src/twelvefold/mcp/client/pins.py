"""What the user has accepted of each tool, in a file of the user's: words, schemas, their hash.

The file is JSON in ASCII, the tools by name, so that a change of it reads well in a review and
nothing invisible hides in it. Steps are made from it alone; what a server says is only compared.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from twelvefold.exceptions import ToolRefused, Unstorable
from twelvefold.thread import Json, canonical

LOCK_VERSION = 1
PINNED = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
"""What counts of a tool. The rest (icons, `_meta`) is for pages."""
LOCK_BYTES_MAX = 50_000_000

Said = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Pin:
    """One tool as it was accepted."""

    said: Said
    sha256: str

    @classmethod
    def of(cls, tool: Mapping[str, Json]) -> "Pin":
        """Of a tool as `tools/list` gives it. Raises `ToolRefused`."""
        said = {key: tool[key] for key in PINNED if tool.get(key) is not None}
        try:
            return cls(said, hashlib.sha256(canonical(said).encode()).hexdigest())
        except Unstorable as error:
            name = str(tool.get("name"))[:100]
            raise ToolRefused(f"{name}: what its server says of it is no JSON: {error}") from error

    @property
    def description(self) -> str | None:
        found = self.said.get("description") or self.said.get("title")
        return found if isinstance(found, str) else None

    @property
    def input_schema(self) -> Mapping[str, Json]:
        return cast("Mapping[str, Json]", self.said.get("inputSchema") or {"type": "object"})


def read_lock(path: Path) -> dict[str, Pin]:
    """The pins by `server.tool`; none where there is no file yet. Raises `ToolRefused`."""
    if not path.exists():
        return {}
    try:
        if path.stat().st_size > LOCK_BYTES_MAX:
            raise ValueError(f"it has more than LOCK_BYTES_MAX = {LOCK_BYTES_MAX} bytes")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["lock"] != LOCK_VERSION:
            raise ValueError(f"it is of version {found['lock']!r}; this reads {LOCK_VERSION}")
        return {name: _pin(name, one) for name, one in found["tools"].items()}
    except ToolRefused:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ToolRefused(f"{path} is no lock file of tools: {error}. Accept them anew.") from error


def _pin(name: str, one: Mapping[str, Any]) -> Pin:
    pin = Pin.of(one["tool"])
    if pin.sha256 != one["sha256"] or pin.said != one["tool"]:
        raise ToolRefused(
            f"{name}: the lock file was changed by hand, so its hash does not fit. Undo that, or"
            f" accept the tool anew: twelvefold mcp accept {name}"
        )
    return pin


def write_lock(path: Path, pins: Mapping[str, Pin]) -> None:
    """In one move: whoever reads meanwhile sees the old file or the new one."""
    each = sorted(pins.items())
    tools = {name: {"sha256": pin.sha256, "tool": dict(pin.said)} for name, pin in each}
    text = json.dumps({"lock": LOCK_VERSION, "tools": tools}, indent=2)
    new = path.with_name(f".{re.sub(r'[^A-Za-z0-9.]', '_', path.name)}.{os.getpid()}.new")
    try:
        new.write_text(text + "\n", encoding="utf-8")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
