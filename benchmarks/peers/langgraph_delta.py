"""LangGraph as in `langgraph.py`, with its `DeltaChannel`, which is beta, for the messages.

Each step stores what is new, and all of them every hundredth time.
"""

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from langgraph.channels.delta import DeltaChannel

from benchmarks.peers import langgraph as plain
from benchmarks.peers.langgraph import crowd, long, process, resume, sequential

__all__ = ["crowd", "long", "process", "resume", "sequential"]


def appended(messages: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
    return [*messages, *(message for write in writes for message in write)]


class DeltaState(TypedDict):
    messages: Annotated[list[Any], DeltaChannel(appended)]


plain.STATE = DeltaState
