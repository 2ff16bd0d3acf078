"""Slack, where the environment holds its secrets; without them, the terminal and the inbox.

SLACK_API is the URL of another server that speaks as Slack does: `local_slack.py` is one.
"""

from os import environ

from twelvefold.channels.slack import Slack

API = "https://slack.com/api/"


def channels() -> list[Slack]:
    token, secret = environ.get("SLACK_BOT_TOKEN"), environ.get("SLACK_SIGNING_SECRET")
    if not (token and secret):
        return []
    api = environ.get("SLACK_API", API)
    return [Slack(token=token, signing_secret=secret, agent="deploybot", api=api)]
