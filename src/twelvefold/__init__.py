"""twelvefold: an agent is a pure function over an append-only log.

Names are imported when they are first used, so that the command line starts quickly and a module
used alone loads nothing above it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twelvefold.agent import Agent
    from twelvefold.app import App, SyncApp
    from twelvefold.call import Call
    from twelvefold.context import render
    from twelvefold.effects import (
        All,
        Approve,
        Ask,
        AskModel,
        Choose,
        Delegate,
        Effect,
        Finish,
        Settle,
        Sleep,
        Wait,
        WaitFor,
        run,
    )
    from twelvefold.exceptions import NothingHappened, TwelvefoldError
    from twelvefold.limits import Limits
    from twelvefold.models.scripted import ScriptedModel
    from twelvefold.policy import Policy
    from twelvefold.prompts import Prompt
    from twelvefold.state import Chosen, State
    from twelvefold.steps import Step
    from twelvefold.thread import Event, Thread
    from twelvefold.tools import parse

__version__ = "0.1.0"

_HOMES = {
    "agent": "Agent",
    "app": "App SyncApp",
    "call": "Call",
    "context": "render",
    "effects": "All Approve Ask AskModel Choose Delegate Effect Finish Settle Sleep Wait"
    " WaitFor run",
    "exceptions": "NothingHappened TwelvefoldError",
    "limits": "Limits",
    "models.scripted": "ScriptedModel",
    "policy": "Policy",
    "prompts": "Prompt",
    "state": "Chosen State",
    "steps": "Step",
    "thread": "Event Thread",
    "tools": "parse",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [  # noqa: RUF022 - by theme
    "App", "SyncApp", "Agent", "Limits", "Policy", "Step", "Prompt", "ScriptedModel",
    "Thread", "Event", "State", "Chosen", "render", "parse",
    "Effect", "AskModel", "Choose", "run", "Approve", "Ask", "Settle", "Sleep", "WaitFor",
    "Delegate", "Finish", "Wait", "All", "Call", "NothingHappened", "TwelvefoldError",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'twelvefold' has no attribute {name!r}")
    return getattr(import_module(f"twelvefold.{_HOME_OF[name]}"), name)
