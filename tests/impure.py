"""Agents that look at the world in `decide`: what the proof of purity must find."""

import random
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from small import NextStep, decide
from twelvefold.agent import Agent


def agent_that(looks: Any) -> Agent[Any, Any]:
    def impure(thread: Any, state: Any) -> Any:
        looks()
        return decide(thread, state)

    return Agent("bot", impure, NextStep, owner="olga")


CLOCK = agent_that(lambda: time.time())
BY_NAME = agent_that(lambda: perf_counter())
NOW = agent_that(lambda: datetime.now(UTC))
CHANCE = agent_that(lambda: random.random())
FILE = agent_that(lambda: Path(__file__).read_text())
NETWORK = agent_that(lambda: socket.create_connection(("127.0.0.1", 9)))
