"""The tasks extension (SEP-2663) on the extension interface of the SDK; nothing is kept in it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from mcp.server.context import CallNext, HandlerResult
from mcp.server.extension import Extension, MethodBinding
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolRequestParams, RequestParams
from pydantic import ConfigDict, Field

from twelvefold.exceptions import Conflict, TwelvefoldError
from twelvefold.mcp.calls import Calls, Given
from twelvefold.mcp.clients import Context, Who, error_of, expect_tasks
from twelvefold.mcp.offers import Offer
from twelvefold.mcp.tasks import EXTENSION, sendable, text_result
from twelvefold.mcp.verbs import Verb
from twelvefold.server.principal import Principal
from twelvefold.thread import Json

ACK: Mapping[str, Json] = {"resultType": "complete"}


class TaskParams(RequestParams):
    model_config = ConfigDict(extra="allow")
    task_id: str = Field(alias="taskId")


class UpdateParams(TaskParams):
    input_responses: Any = Field(default_factory=dict, alias="inputResponses")


class Tasks(Extension):
    """Agents as tasks, and the calls of every tool of ours."""

    identifier = EXTENSION

    def __init__(
        self, calls: Calls, offers: Mapping[str, Offer], verbs: Mapping[str, Verb], who: Who
    ) -> None:
        self._calls, self._offers, self._verbs, self._who = calls, offers, verbs, who

    def methods(self) -> Sequence[MethodBinding]:
        return [
            MethodBinding("tasks/get", TaskParams, self.get),
            MethodBinding("tasks/update", UpdateParams, self.update),
            MethodBinding("tasks/cancel", TaskParams, self.cancel),
        ]

    async def get(self, ctx: Context, params: TaskParams) -> dict[str, Json]:
        expect_tasks(ctx)
        try:
            who = self._may(ctx, "threads:read")
            return _whole(await self._calls.look(await self._calls.begun(params.task_id, who), who))
        except TwelvefoldError as error:
            raise error_of(error) from error

    async def update(self, ctx: Context, params: UpdateParams) -> dict[str, Json]:
        expect_tasks(ctx)
        try:
            who = self._may(ctx, "contacts:answer")
            task = await self._calls.begun(params.task_id, who)
            await self._calls.update(task, params.input_responses, who)
        except TwelvefoldError as error:
            raise error_of(error) from error
        return dict(ACK)

    async def cancel(self, ctx: Context, params: TaskParams) -> dict[str, Json]:
        expect_tasks(ctx)
        try:
            who = self._may(ctx, "threads:write")
            task = await self._calls.begun(params.task_id, who)
            if task.ended is None:
                with suppress(Conflict):  # it has just ended
                    await self._calls.app.cancel(
                        task.thread.id, by=who.name, reason="tasks/cancel", tenant=who.tenant
                    )
        except TwelvefoldError as error:
            raise error_of(error) from error
        return dict(ACK)

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Context, call_next: CallNext
    ) -> HandlerResult:
        """Tools of ours are called here; those that somebody added go on to the SDK."""
        offer, verb = self._offers.get(params.name), self._verbs.get(params.name)
        if offer is None and verb is None:
            return await call_next(ctx)
        try:
            given, who = given_in(params), self._who(ctx)
            if offer is not None:
                return _whole(await self._calls.call(ctx, offer, given, who))
            return _whole(await cast("Verb", verb).call(ctx, given, who))
        except MCPError:
            raise
        except TwelvefoldError as error:
            if params.input_responses or params.request_state:
                raise error_of(error) from error
            return _whole(text_result(str(error) or error.__doc__ or "", is_error=True))

    def _may(self, ctx: Context, scope: Any) -> Principal:
        who = self._who(ctx)
        who.needs(scope)
        return who


def _whole(result: Mapping[str, Json]) -> dict[str, Json]:
    return cast("dict[str, Json]", sendable({**ACK, **result}))


def given_in(params: CallToolRequestParams) -> Given:
    """As it came: what a response holds besides an answer is of no use here."""
    responses = {
        key: one.model_dump(by_alias=True, exclude_none=True)
        for key, one in (params.input_responses or {}).items()
    }
    return Given(params.arguments or {}, responses, params.request_state)
