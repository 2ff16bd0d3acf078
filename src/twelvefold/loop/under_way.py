"""The acts that an advance has under way: side by side in tasks, or one alone in its own.

A task of its own would cost each step of a thread that does one thing at a time, and buy nothing:
what has to be heard meanwhile is heard by callback.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from twelvefold.loop.stops import Stop
from twelvefold.plan import Act, CallModel, CallTool
from twelvefold.thread import Draft

MODEL_CALL = "model"
"""What stands for a model call among the ids of steps whose acts are under way."""

Brought = Draft | None
"""The fact that an act brings; None when it committed that itself."""
Doing = Coroutine[Any, Any, Brought]


class UnderWay:
    """Acts under way, each with its sign to stop."""

    def __init__(self) -> None:
        self.tasks: dict[asyncio.Task[Brought], str] = {}
        self._stops: set[Stop] = set()
        self._stopped = False
        self._home: asyncio.Task[Any] | None = None  # of the advance, which carries out lone acts
        self._calls_model_alone = False

    @property
    def names(self) -> set[str]:
        """The steps that have an act under way, and `MODEL_CALL`."""
        return set(self.tasks.values())

    @property
    def any_tools(self) -> bool:
        return bool(self._stops)

    async def alone(self, action: Act, do: Callable[[Stop], Doing]) -> Brought:
        """Carry it out here. Raises `CancelledError` only when it brings nothing."""
        self._home = self._home or _this_task()
        self._calls_model_alone = isinstance(action, CallModel)
        stop = self._new_stop()
        try:
            return await do(stop)
        finally:
            self._calls_model_alone = False
            self._stops.discard(stop)

    def start(self, action: Act, do: Callable[[Stop], Doing]) -> None:
        self.tasks[asyncio.ensure_future(self._signed(do))] = name_of(action)

    def landed(self) -> list[Brought]:
        """What acts that ended brought; those that were cancelled brought nothing."""
        ended = [task for task in self.tasks if task.done()]
        for task in ended:
            del self.tasks[task]
        return [task.result() for task in ended if not task.cancelled()]

    def stop(self, *, model_calls: bool) -> None:
        """Sign to the tools. `model_calls` end at once: they have no effect to wait for."""
        for stop in self._stops:
            stop.set()
        if not model_calls:
            return
        self._stopped = True
        calls = [task for task, name in self.tasks.items() if name == MODEL_CALL]
        if self._calls_model_alone and self._home is not None:
            calls.append(self._home)
        for task in calls:
            task.cancel()

    def cancel(self) -> None:
        self.stop(model_calls=False)
        for task in self.tasks:
            task.cancel()

    async def _signed(self, do: Callable[[Stop], Doing]) -> Brought:
        stop = self._new_stop()
        try:
            return await do(stop)
        finally:
            self._stops.discard(stop)

    def _new_stop(self) -> Stop:
        stop = Stop()
        if self._stopped:  # while the start of this run was committed
            stop.set()
        self._stops.add(stop)
        return stop


def name_of(action: Act) -> str:
    match action:
        case CallModel():
            return MODEL_CALL
        case CallTool():
            return action.step_id
        case _:
            return action.call.step_id


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # a coroutine that is awaited runs in one
    return task


class Cancels:
    """How often the task was cancelled since, whatever became of it: a tool may answer that with an
    outcome, and nobody else would know."""

    def __init__(self) -> None:
        self._task = _this_task()
        self._before = self._task.cancelling()

    def any(self) -> bool:
        return self._task.cancelling() > self._before


def is_one_of(flying: Collection[str], action: Act) -> bool:
    """One model call at a time, one `reconcile` per step: its result decides what is next."""
    return not isinstance(action, CallTool) and name_of(action) in flying
