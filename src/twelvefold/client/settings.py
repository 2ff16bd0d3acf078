"""What both clients are given, checked."""

from collections.abc import Mapping
from importlib.metadata import version
from urllib.parse import urlsplit

from twelvefold.exceptions import ConfigurationError

TIMEOUT_S = 30.0
"""For an answer; `wait_s` comes on top."""


def url_of(url: str) -> str:
    """Raises `ConfigurationError` for what is no URL of a server."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{url!r} is no URL of a server, such as http://localhost:8000.")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{url!r} holds more than the place of a server.")
    return url.rstrip("/")


def headers_of(api_key: str | None, more: Mapping[str, str] | None) -> dict[str, str]:
    headers = {"User-Agent": f"twelvefold/{version('twelvefold')}", **(more or {})}
    return headers if api_key is None else {**headers, "Authorization": f"Bearer {api_key}"}
