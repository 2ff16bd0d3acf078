"""What is wrong with decide, in words that say where it stands and what to write instead. Pure."""

import inspect
from collections.abc import Sequence
from typing import Any, cast

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.exceptions import WrongDecision
from twelvefold.failures import clip, place_of, raised_in, short
from twelvefold.state import State

READY_SHOWN_MAX = 5


def why_parked(error: Exception, agent: Agent[Any, Any]) -> str:
    """The error as one line, with the line of the file of decide that has to be mended."""
    said, decides = short(error), agent.decide
    if place := raised_in(error, decides):
        return f"{said} ({place})"
    place = place_of(decides) if isinstance(error, WrongDecision) else ""
    return f"{said} (decide: {place})" if place and place not in said else said


def no_effect(returned: object, state: State[Any], agent: Agent[Any, Any]) -> WrongDecision:
    """The error to raise. It names where decide is, and the steps that were ready."""
    place = place_of(agent.decide)
    decide = f"decide in {place}," if place else "decide"
    return WrongDecision(f"{decide} returned {_why(returned, state)}")


def _why(returned: object, state: State[Any]) -> str:
    match returned:
        case None if state.ready:
            return f"None while {_ready(state)}"
        case None:
            return "None: return an effect on every path, Wait() where there is nothing to do."
        case type():
            name = returned.__name__
            return f"{name} itself, which is not an effect: call it, as in {name}()."
        case BaseModel():
            name = type(returned).__name__
            return (
                f"a {name}, a step and not an effect: Choose(step) chooses, run(tool, step) runs."
            )
        case list() | tuple():
            kind = type(cast("Sequence[object]", returned)).__name__
            return f"a {kind}, which is not an effect: return All(*effects) for several at once."
        case _ if inspect.iscoroutine(returned):
            returned.close()  # nobody awaits it, and Python would warn of that besides
            return "a coroutine, which is not an effect: it must be a plain def, not async."
        case _:
            return f"{clip(repr(returned))}, which is not an effect."


def _ready(state: State[Any]) -> str:
    names = [f"{chosen.id} {chosen.intent}" for chosen in state.ready]
    if len(names) == 1:
        return f"step {names[0]} was ready: give it a `case`."
    more = len(names) - READY_SHOWN_MAX
    shown = ", ".join(names[:READY_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
    return f"steps {shown} were ready: give each a `case`."
