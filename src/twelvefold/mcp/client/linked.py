"""One connection to one server: the task that holds it, and what is asked through it.

The SDK's client lives in a task of its own, for it must end where it began. Whoever asks waits for
the reply or for the end of that task, whichever comes first: nothing hangs on a dead server.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, TypeVar, cast

from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    PARSE_ERROR,
    REQUEST_TIMEOUT,
    CallToolResult,
    ElicitRequestFormParams,
    ElicitResult,
    ErrorData,
    Implementation,
)

from twelvefold import __version__
from twelvefold.exceptions import ToolRefused, Unreachable
from twelvefold.mcp.client.guarded import http_client
from twelvefold.mcp.client.pins import Said
from twelvefold.mcp.client.programs import program
from twelvefold.mcp.client.remotes import Http, McpServer, Question, Stdio
from twelvefold.thread import Json

CONNECT_TIMEOUT_S = 60.0
"""To start or reach a server, agree on a version, and list its tools."""
CLOSE_S = 10.0
PAGES_MAX = 100
TOOLS_MAX = 5_000
_NO_ANSWER = frozenset({CONNECTION_CLOSED, PARSE_ERROR, REQUEST_TIMEOUT})
_DECLINED = -1  # of the user's own answers: nobody there answers
_MODES = {"auto": "auto", "2025-11-25": "legacy", "2026-07-28": "2026-07-28"}

T = TypeVar("T")


class Link:
    """A server, connected. `busy` counts what is being asked; `worn` ones take nothing more."""

    def __init__(self, server: McpServer, values: Mapping[str, str], tenant: str) -> None:
        self.server = server
        self.busy, self.worn = 0, False
        self._values, self._tenant = values, tenant
        self._why: list[str] = []
        self._called: list[str] = []
        self._closing = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[Client] = self.loop.create_future()
        self._task = asyncio.create_task(self._hold(), name=f"mcp {server.name}")

    @property
    def is_open(self) -> bool:
        return not (self._task.done() or self.worn)

    @property
    def is_ending(self) -> bool:
        """Whether it takes nothing more, and its program may still be there."""
        return not (self._task.done() or self.loop.is_closed())

    async def tools(self) -> dict[str, Said]:
        """What the server says of its tools now, by their names. Raises `Unreachable`."""
        return await self._asked(self._listed)

    async def call(
        self, tool: str, arguments: dict[str, Any], meta: Mapping[str, Any]
    ) -> CallToolResult:
        """Raises `Unreachable`, and the SDK's `MCPError` for what the server answers."""

        async def asked(client: Client) -> CallToolResult:
            return await client.call_tool(tool, arguments, meta={**meta})  # pyright: ignore

        self._called.append(tool)
        try:
            return await self._asked(asked)
        finally:
            self._called.remove(tool)

    def wear(self) -> None:
        """Take nothing more, and end when nothing is asked any longer."""
        self.worn = True
        if not self._ready.done():
            self._task.cancel()
        if not self.busy:
            self._closing.set()

    async def close(self) -> None:
        """Bounded: a server may answer nothing to a farewell."""
        self._closing.set()
        if not self._ready.done():
            self._task.cancel()
        await asyncio.wait([self._task], timeout=CLOSE_S)
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _asked(self, ask: Callable[[Client], Awaitable[T]]) -> T:
        self.busy += 1
        try:
            return await self._raced(ask)
        finally:
            self.busy -= 1
            if self.worn and not self.busy:
                self._closing.set()

    async def _raced(self, ask: Callable[[Client], Awaitable[T]]) -> T:
        async def asked() -> T:
            return await ask(await asyncio.shield(self._ready))

        call = asyncio.ensure_future(asked())
        try:
            await asyncio.wait({call, self._task}, return_when=asyncio.FIRST_COMPLETED)
            if not call.done() or call.cancelled():
                raise self._ended()
            return call.result()
        except MCPError as error:
            if error.code in _NO_ANSWER:
                raise self._ended(error.message) from error
            raise
        finally:
            if not call.done():
                call.cancel()
                await asyncio.wait([call])

    def _ended(self, said: str = "") -> Unreachable:
        reasons = [*dict.fromkeys(self._why), *([said] if said and said not in self._why else [])]
        ended = Unreachable(f"{self.server.name} gave no answer: {'; '.join(reasons)}")
        ended.__cause__ = ConnectionError(said)  # what may be tried again, where it is safe
        return ended

    async def _hold(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                transport = await self._transport(stack)
                client = await stack.enter_async_context(self._client(transport))
                self._ready.set_result(client)
                await self._closing.wait()
        except Exception as error:
            self._why.insert(0, _said(error))
        finally:
            self._ready.cancel()

    def _client(self, transport: Any) -> Client:
        return Client(
            transport,
            mode=_MODES[self.server.protocol],
            client_info=Implementation(name="twelvefold", version=__version__),
            elicitation_callback=self._elicited if self.server.answers else None,
            cache=None,
        )

    async def _transport(self, stack: AsyncExitStack) -> Any:
        at, bytes_max = self.server.at, self.server.message_bytes_max
        if isinstance(at, Stdio):
            env = {**at.env, **self._values}
            return program(at, env, message_bytes_max=bytes_max, why=self._why)  # pyright: ignore
        headers = {**at.headers, **self._values}
        client = http_client(
            at.let_through,
            headers,  # pyright: ignore
            auth=self._auth(at),
            bytes_max=bytes_max,
            why=self._why,
        )
        await stack.enter_async_context(client)
        return streamable_http_client(at.url, http_client=client, max_sse_event_size=bytes_max)

    def _auth(self, at: Http) -> Any:
        """A function of the tenant, or what it would return."""
        if at.auth is None or hasattr(at.auth, "async_auth_flow"):
            return at.auth
        return at.auth(self._tenant)

    async def _listed(self, client: Client) -> dict[str, Said]:
        found: dict[str, Said] = {}
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            page = await client.list_tools(cursor=cursor, cache_mode="bypass")
            for tool in page.tools:
                if tool.name in found:
                    raise ToolRefused(f"{self.server.name} lists a tool twice. Take it off.")
                found[tool.name] = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
            if (cursor := page.next_cursor) is None or len(found) > TOOLS_MAX:
                break
        if cursor is not None:
            raise ToolRefused(f"{self.server.name} lists more than TOOLS_MAX = {TOOLS_MAX} tools.")
        return found

    async def _elicited(self, context: Any, params: Any) -> ElicitResult | ErrorData:
        answers = self.server.answers
        if answers is None or not isinstance(params, ElicitRequestFormParams):
            return ErrorData(code=_DECLINED, message="nobody here opens a page")
        schema = dict(params.requested_schema)
        tool = self._called[0] if len(set(self._called)) == 1 else None
        question = Question(self.server.name, tool, params.message, schema)
        given = await answers(question)
        if given is None:
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={**_defaults(schema), **given})  # pyright: ignore


def _defaults(schema: Mapping[str, Any]) -> dict[str, Json]:
    fields: Mapping[str, Any] = schema.get("properties", {})
    return {name: one["default"] for name, one in fields.items() if "default" in one}


def _said(error: BaseException) -> str:
    """The first of what went wrong together, on one line."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return str(error) or type(error).__name__


async def closed(link: Link) -> None:
    with contextlib.suppress(Exception):
        await link.close()
