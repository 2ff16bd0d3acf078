"""Slack: people are asked by a message with buttons, and a mention of the app begins a thread.

This file is yours: `twelvefold add slack` wrote it once. Its settings are in the environment:

- SLACK_BOT_TOKEN: `xoxb-...`, of "OAuth & Permissions"
- SLACK_SIGNING_SECRET: of "Basic Information"
- SLACK_TEAMS: the workspaces that are listened to, `T0123456 T0123457`; all that Slack signs for
- SLACK_API: another address of Slack's API, such as GovSlack's
"""

import os

from twelvefold.channels.slack import Slack
from twelvefold.exceptions import ConfigurationError

API = "https://slack.com/api/"


def slack(*, agent: str = "") -> Slack:
    """`agent`: whose threads a mention or a direct message begins; "" begins none."""
    return Slack(
        token=_setting("SLACK_BOT_TOKEN"),
        signing_secret=_setting("SLACK_SIGNING_SECRET"),
        agent=agent,
        teams=os.environ.get("SLACK_TEAMS", "").split(),
        api=os.environ.get("SLACK_API", API),
    )


def _setting(name: str) -> str:
    if value := os.environ.get(name):
        return value
    raise ConfigurationError(f"channels/slack.py needs {name}: set it in the environment.")
