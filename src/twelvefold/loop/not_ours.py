"""Threads whose agent this application has not: what is said of them, and how often."""

import logging

from twelvefold.exceptions import UnknownAgent
from twelvefold.loop.said import about
from twelvefold.store import Ref

log = logging.getLogger("twelvefold")


def not_ours(ref: Ref, agent: str) -> UnknownAgent:
    return UnknownAgent(
        f"{ref.id} belongs to the agent {agent!r}, which is not in App. It waits for a worker that"
        " has it: deploy the version with this agent, or, when it belongs to another application,"
        " give each application a database of its own.",
        agent=agent,
    )


class NotOurs:
    """Such threads come again with each try: one line for each agent is what a process says."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, ref: Ref, error: UnknownAgent) -> None:
        level = logging.DEBUG if error.agent in self._said else logging.ERROR
        self._said.add(error.agent)
        log.log(level, "%s", error, extra=about(ref, agent=error.agent))
