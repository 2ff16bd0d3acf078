"""What a user says of a model, looked at before anything is sent: what cannot work is said at once,
instead of in every call. No message holds a key."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Literal, get_args
from urllib.parse import urlsplit

from twelvefold.exceptions import ConfigurationError, Unstorable, UnusableModel
from twelvefold.messages import ModelReply
from twelvefold.thread import Json, to_text
from twelvefold.vendors.clients import NO_KEY
from twelvefold.vendors.tries import tried

Mode = Literal["native", "tool", "prompt"]
"""How a step is asked for: by the vendor's structured output, by a tool that must be called, or by
nothing but the user's own prompt."""

Tried = Callable[[Callable[[float], Awaitable[ModelReply]]], Awaitable[ModelReply]]


def checked_mode(mode: Mode) -> Mode:
    if mode not in get_args(Mode):
        raise ConfigurationError(f"mode={mode!r} is none of {', '.join(get_args(Mode))}.")
    return mode


def checked_options(options: Mapping[str, Json] | None) -> Mapping[str, Json]:
    """Raises `ConfigurationError` for what no JSON body can hold."""
    try:
        to_text(dict(options or {}))
    except Unstorable as error:
        raise ConfigurationError(f"The options of a model must be JSON: {error}") from error
    return dict(options or {})


def tries_within(*, timeout_s: float, try_timeout_s: float | None, tries_max: int) -> Tried:
    """`tried` with these limits. Raises `ConfigurationError` where they allow no try."""
    for name, given in (("timeout_s", timeout_s), ("try_timeout_s", try_timeout_s)):
        if given is not None and not given > 0:
            raise ConfigurationError(f"{name}={given!r} leaves no time for a call.")
    if tries_max < 1:
        raise ConfigurationError(f"tries_max={tries_max!r} allows no call; 1 is a single try.")
    return partial(tried, timeout_s=timeout_s, try_timeout_s=try_timeout_s, tries_max=tries_max)


def usable_url(url: str | None) -> str | None:
    """Raises `UnusableModel` for what is no address of a server."""
    try:
        parts = urlsplit(url or "http://vendor")
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number
        known = False
    if not known:
        raise UnusableModel(
            f"{url!r} is no address of a server: base_url= is like http://localhost:11434/v1."
        )
    return url


def usable_key(key: str | None, name: str) -> str | None:
    """Raises `UnusableModel` for what no HTTP header can hold, such as a line end from a file."""
    if key is not None and not (key.isascii() and key.isprintable() and key == key.strip()):
        raise UnusableModel(
            f"The key ({name}, or api_key=) has a blank, a line end or a character that is not"
            " ASCII, which no key has. Was a file read with its line end?"
        )
    return key


def needed_key(key: str | None, name: str, *, model: str, url: str | None) -> str:
    """The key; at a server of the user's own that needs none, a word in its place. Raises
    `UnusableModel`."""
    found = usable_key(key, name) or (NO_KEY if url else None)
    if found is None:
        raise no_key(model, name)
    return found


def no_key(model: str, name: str) -> UnusableModel:
    return UnusableModel(f"{model!r} needs a key: set {name}, or pass api_key=.")
