"""A system of yours, both ways: what is asked is posted to it, and it posts what people decided.

This file is yours: `twelvefold add webhook` wrote it once. Its settings are in the environment:

- WEBHOOK_SECRET: `whsec_<base64>`, for both directions, as Standard Webhooks says
- WEBHOOK_URL: where requests are posted; without it, only to addresses that are URLs
"""

import os

from twelvefold import guard
from twelvefold.channels.webhook import Webhook
from twelvefold.exceptions import ConfigurationError

# Public hosts by https. A system inside your network is named here, and nowhere else:
# guard.Rules(schemes=frozenset({"http"}), ports=frozenset({8080}), inside=("10.1.2.0/24",))
REACHES = guard.PUBLIC


def webhook(*, agent: str = "") -> Webhook:
    """`agent`: whose threads a message of that system begins; "" begins none."""
    return Webhook(
        secret=_setting("WEBHOOK_SECRET"),
        url=os.environ.get("WEBHOOK_URL", ""),
        agent=agent,
        rules=REACHES,
    )


def _setting(name: str) -> str:
    if value := os.environ.get(name):
        return value
    raise ConfigurationError(f"channels/webhook.py needs {name}: set it in the environment.")
