"""A call of a tool that is an agent: a task where the client knows those, else it waits.

A task is answered when its thread is durable. A call that waits gives up after `wait_s` and says
which thread goes on; what a person is asked meanwhile goes to the client as a form.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio.to_thread import run_sync
from mcp.shared.exceptions import MCPError

from twelvefold.app import App
from twelvefold.exceptions import InvalidAnswer, NotFound, UnknownThread
from twelvefold.mcp.asking import (
    Asked,
    Settled,
    asked_of,
    elicitation,
    responses_of,
    settle,
    told,
    waiting,
)
from twelvefold.mcp.clients import Context, elicited, expect_tasks, has_forms, has_tasks, is_modern
from twelvefold.mcp.offers import Offer
from twelvefold.mcp.tasks import (
    CHANNEL,
    TOOL,
    Task,
    begun_by,
    created,
    detailed,
    result_of,
    status_of,
    task_of,
    text_result,
)
from twelvefold.server.principal import Principal
from twelvefold.thread import Json

PAUSE_S, PAUSE_S_MAX, GROWS = 0.05, 0.5, 1.5
"""Between two looks, at first and at last."""
ARGUMENTS = "arguments"
"""The key of the form that asks for what a call lacks."""
ROUNDS_MAX = 50
"""So many forms are sent to an older client in one call."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a client sent with a call, besides who it is."""

    arguments: Mapping[str, Json]
    responses: Mapping[str, Json]
    state: str | None


@dataclass(frozen=True)
class Calls:
    """Runs agents for clients. It holds nothing but its settings."""

    app: App
    poll_ms: int
    wait_s: float

    # Tasks

    async def begun(self, thread_id: str, who: Principal) -> Task:
        """The task of this id, if this principal began it.

        Raises `UnknownThread`, in the same words for what is not there, was erased, or is of
        another tenant or of somebody else.
        """
        try:
            thread = await run_sync(partial(self.app.thread, thread_id, tenant=who.tenant))
        except NotFound:
            raise _unknown(thread_id) from None
        began, task = begun_by(thread), task_of(thread)
        if began is None or began[0] != who.name:
            raise _unknown(thread_id)
        return task

    async def look(self, task: Task, who: Principal) -> dict[str, Json]:
        """What `tasks/get` answers."""
        if task.ended is not None:
            return detailed(task, {}, poll_ms=self.poll_ms)
        asked, others = await run_sync(waiting, self.app, task.thread.id, who)
        requests = {one.key: one.request(self.app) for one in asked}
        return detailed(task, requests, waits_for=told(others), poll_ms=self.poll_ms)

    async def asked(self, task: Task, who: Principal) -> list[Asked]:
        if task.ended is not None:
            return []
        return await run_sync(asked_of, self.app, task.thread.id, who)

    async def update(self, task: Task, given: object, who: Principal) -> Settled:
        """Take answers. Raises `InvalidAnswer` for what is none."""
        return await settle(self.app, await self.asked(task, who), given, who)

    # Calls

    async def call(self, ctx: Context, offer: Offer, given: Given, who: Principal) -> Any:
        """What `tools/call` answers. Raises `MCPError` and `TwelvefoldError`."""
        who.needs("threads:write")
        if given.state is not None:
            return await self._continued(ctx, offer, given, who)
        as_task = has_tasks(ctx)
        if not as_task and offer.task == "required":
            expect_tasks(ctx)
        arguments = await self._completed(ctx, offer, given)
        if not isinstance(arguments, dict):
            return arguments.request
        thread_id = await self._launched(offer, offer.text(arguments), who)
        task = await self.begun(thread_id, who)
        if as_task:
            return created(task, poll_ms=self.poll_ms)
        return await self._waited(ctx, task, who)

    async def _launched(self, offer: Offer, text: str, who: Principal) -> str:
        return await self.app.launch(
            offer.agent,
            text,
            channel=CHANNEL,
            sender=who.name,
            about={TOOL: offer.tool},
            tenant=who.tenant,
        )

    async def _completed(
        self, ctx: Context, offer: Offer, given: Given
    ) -> "dict[str, Json] | InputRequired":
        """The arguments with what a person was asked for, or the form that asks."""
        arguments = dict(given.arguments)
        missing = offer.missing(arguments)
        if not missing or not has_forms(ctx):
            return arguments
        request = elicitation(
            f"{offer.tool} needs {', '.join(missing)} before it begins.", offer.form(missing)
        )
        if ARGUMENTS not in given.responses and is_modern(ctx):
            return InputRequired({ARGUMENTS: request})
        said = given.responses.get(ARGUMENTS) or await elicited(ctx, request)
        response = responses_of({ARGUMENTS: said}, [ARGUMENTS])[ARGUMENTS]
        if response.action != "accept":
            raise InvalidAnswer(f"Nobody said {', '.join(missing)}. Nothing was done.")
        return {**arguments, **{n: v for n, v in response.content.items() if n in missing}}

    async def _continued(self, ctx: Context, offer: Offer, given: Given, who: Principal) -> Any:
        """The next round of a call that waits: its state is the id of its thread."""
        task = await self.begun(given.state or "", who)
        if begun_by(task.thread) != (who.name, offer.tool):
            raise _unknown(given.state or "")
        settled = await self.update(task, dict(given.responses), who)
        if settled.withheld and not settled.counted:
            return await self._goes_on(task, who)  # whoever was asked will not say it here
        return await self._waited(ctx, task, who)

    async def _waited(self, ctx: Context, task: Task, who: Principal) -> Any:
        until, pause_s, shown = time.monotonic() + self.wait_s, PAUSE_S, set[str]()
        while True:
            task = await self.begun(task.thread.id, who)
            if task.ended is not None:
                return _outcome(task)
            asked = await self.asked(task, who) if has_forms(ctx) else []
            if asked and is_modern(ctx):
                requests = {one.key: one.request(self.app) for one in asked}
                return InputRequired(requests, task.thread.id).request
            new = [one for one in asked if one.key not in shown]
            if new and len(shown) < ROUNDS_MAX:
                shown.add(new[0].key)
                await self._elicited(ctx, new[0], who)
                until, pause_s = time.monotonic() + self.wait_s, PAUSE_S
                continue
            left_s = until - time.monotonic()
            if left_s <= 0 or _waits_for_people(task):
                return await self._goes_on(task, who)
            await asyncio.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * GROWS, PAUSE_S_MAX)

    async def _elicited(self, ctx: Context, asked: Asked, who: Principal) -> None:
        """A form is shown once, whatever comes back: the thread goes on without an answer."""
        with suppress(MCPError, InvalidAnswer):
            said = await elicited(ctx, asked.request(self.app))
            await settle(self.app, [asked], {asked.key: said}, who)

    async def _goes_on(self, task: Task, who: Principal) -> dict[str, Json]:
        asked, others = await run_sync(waiting, self.app, task.thread.id, who)
        why = "; ".join(told([*asked, *others])) or "it has not ended yet"
        return text_result(
            f"Thread {task.thread.id} goes on: {why}. `get_thread` says what became of it."
        )


@dataclass(frozen=True, slots=True)
class InputRequired:
    """An answer that asks. `state` names the thread that goes on then."""

    asks: Mapping[str, Json]
    state: str | None = None

    @property
    def request(self) -> dict[str, Json]:
        state = {} if self.state is None else {"requestState": self.state}
        return {"resultType": "input_required", "inputRequests": dict(self.asks), **state}


def _outcome(task: Task) -> dict[str, Json]:
    if status_of(task, {}) == "completed":
        return result_of(task)
    how = "was cancelled" if status_of(task, {}) == "cancelled" else str(task.summary.failed)
    return text_result(f"Thread {task.thread.id}: {how}", is_error=True)


def _waits_for_people(task: Task) -> bool:
    """Whether nothing but people will move it, who are not here."""
    waits = task.waits
    return (bool(waits) and not any(":" in one for one in waits)) or task.summary.status == "paused"


def _unknown(thread_id: str) -> UnknownThread:
    return UnknownThread("There is no such task.")
