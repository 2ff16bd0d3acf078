"""Slack: asked by buttons, told in the conversation, answered by whom Slack says pressed them."""

from twelvefold.channels.slack.channel import Slack as Slack
