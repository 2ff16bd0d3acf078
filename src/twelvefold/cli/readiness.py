"""Whether the models of an application could be asked: their packages, their keys. None is."""

from collections.abc import Iterator
from typing import Any

from twelvefold.messages import name_of


def models_in(model: Any) -> Iterator[Any]:
    """The model itself, or those that it asks: of `fallback`, `priced`, a cache of one's own."""
    if getattr(model, "offline", False) or hasattr(model, "ready"):
        yield model
        return
    if (several := getattr(model, "models", None)) is not None:
        inner: list[Any] = list(several)
    else:
        inner = [getattr(model, "model", None)]
    for each in inner:
        yield from models_in(each) if callable(each) else [model]


async def readiness(model: Any) -> str:
    """In words. Raises `UnusableModel` for what would stop each call."""
    name, kind = name_of(model), type(model).__name__
    said = name if name == kind else f"{name} ({kind})"
    if getattr(model, "offline", False):
        return f"{said}: offline, needs no key"
    if not hasattr(model, "ready"):
        return f"{said}: what it needs is not known here"
    await model.ready()
    return f"{said}: its extra is installed, and it has a key or needs none; it was not asked"
