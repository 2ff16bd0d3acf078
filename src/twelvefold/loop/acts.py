"""The only I/O of an advance: call a model, call a tool, ask `reconcile`. Returns facts, raises
nothing."""

from typing import Any

from twelvefold.agent import Agent
from twelvefold.loop.model_calls import call_model
from twelvefold.loop.stops import Stop
from twelvefold.loop.surroundings import Surroundings
from twelvefold.loop.tool_calls import call_tool, reconcile
from twelvefold.loop.under_way import Brought
from twelvefold.plan import Act, CallModel, CallTool
from twelvefold.thread import Draft, Thread


async def act(
    action: Act,
    thread: Thread,
    agent: Agent[Any, Any],
    around: Surroundings,
    *,
    after: int,
    stop: Stop | None = None,
) -> Draft:
    """Carry out one act; the fact that became of it. `after` is the head that decide saw, `stop`
    the sign that tools read as `call.cancelled`."""
    if around.observers is None:
        return await _act(action, thread, agent, around, after, stop or Stop())
    with around.observers.acting(action, thread) as seen:
        fact = await _act(action, thread, agent, around, after, stop or Stop())
        seen(fact)
    return fact


async def _act(
    action: Act,
    thread: Thread,
    agent: Agent[Any, Any],
    around: Surroundings,
    after: int,
    stop: Stop,
) -> Draft:
    match action:
        case CallModel():
            return await call_model(action, thread, around, after)
        case CallTool():
            return await call_tool(action, thread, agent, around, after, stop)
        case _:
            return await reconcile(action, thread, agent, around, after, stop)


async def brought(
    action: Act,
    thread: Thread,
    agent: Agent[Any, Any],
    around: Surroundings,
    after: int,
    stop: Stop,
) -> Brought:
    """The fact, or None when it was committed with the rows of the tool."""
    fact = await act(action, thread, agent, around, after=after, stop=stop)
    with_its_rows = isinstance(action, CallTool) and action.run.in_transaction
    return None if with_its_rows and fact.type == "tool_returned" else fact
