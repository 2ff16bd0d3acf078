"""The SDK, where it is installed."""

from collections.abc import Generator
from contextlib import contextmanager

from twelvefold.exceptions import ConfigurationError


@contextmanager
def needed(extra: str = "mcp") -> Generator[None]:
    """Around imports of what an extra brings. Raises `ConfigurationError` when it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("twelvefold"):
            raise
        raise ConfigurationError(
            f"MCP needs {error.name}. Run: pip install 'twelvefold[{extra}]'"
        ) from error
