"""Which extra of twelvefold brings a module that is missing."""

from collections.abc import Mapping

EXTRAS: Mapping[str, str] = {
    "aiosmtplib": "email",
    "anthropic": "anthropic",
    "anyio": "server",
    "cronsim": "cron",
    "cryptography": "email",
    "dkim": "email",
    "fastapi": "server",
    "genai_prices": "prices",
    "google": "gemini",
    "httpx": "client",
    "imap_tools": "email",
    "mailparser_reply": "email",
    "mcp": "mcp",
    "mcp_types": "mcp",
    "nacl": "email",
    "openai": "openai",
    "opentelemetry": "otel",
    "procrastinate": "procrastinate",
    "prometheus_client": "metrics",
    "psycopg": "postgres",
    "slack_sdk": "slack",
    "starlette": "server",
    "uvicorn": "server",
}
"""By the top-level module."""


def remedy(error: BaseException) -> str:
    """A sentence to be put after what was raised; empty for what no extra brings."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    extra = EXTRAS.get((missing or "").partition(".")[0])
    return "" if extra is None else f". Run: pip install 'twelvefold[{extra}]'"
