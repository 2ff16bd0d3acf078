"""Slack, where the environment holds its secrets; without them, the terminal and the inbox."""

from os import environ

from twelvefold.channels.slack import Slack


def channels() -> list[Slack]:
    token, secret = environ.get("SLACK_BOT_TOKEN"), environ.get("SLACK_SIGNING_SECRET")
    return [Slack(token=token, signing_secret=secret)] if token and secret else []
