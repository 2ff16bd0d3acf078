"""Where mail goes out and where it comes in. Records, and how a missing extra is said."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from twelvefold.exceptions import ConfigurationError

Tls = Literal["tls", "starttls", "none"]
"""`none` is for servers on this machine."""
TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """A server that takes mail, with a user or without."""

    host: str
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Tls = "starttls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imap:
    """A mailbox. What is read there is marked as seen, and nothing is deleted."""

    host: str
    user: str
    password: str = field(repr=False)
    port: int = 993
    tls: Tls = "tls"
    folder: str = "INBOX"


def library(name: str) -> Any:
    """Raises `ConfigurationError`."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The mail channel needs {name}. Run: pip install 'twelvefold[email]'"
        ) from error
