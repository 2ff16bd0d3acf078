"""One run of a tool: its tries within its time, its secrets, its attachments, its sign to stop."""

import asyncio
import inspect
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from twelvefold.agent import Agent
from twelvefold.attachments import Attachment, check_size, described
from twelvefold.call import Call
from twelvefold.effects import TOOLS_KEPT_MAX, Tool, arity
from twelvefold.exceptions import BadAttachment, NothingHappened, StoreError
from twelvefold.failures import is_transient, short
from twelvefold.loop.resolved import Resolved
from twelvefold.loop.stops import Stop
from twelvefold.loop.surroundings import Surroundings
from twelvefold.loop.threads import Ended, in_thread
from twelvefold.loop.undisturbed import undisturbed
from twelvefold.plan import CallTool
from twelvefold.store import Ref, transactional
from twelvefold.thread import Json, Thread
from twelvefold.tools import Result, result_of, unstorable

TRY_AGAIN_FIRST_S = 0.1
TRY_AGAIN_MAX_S = 5.0
"""Pauses between tries double from the first to the second."""


class ToolRun:
    """One attempt of one step, with all its tries."""

    def __init__(
        self,
        action: CallTool,
        tool: Tool,
        thread: Thread,
        agent: Agent[Any, Any],
        around: Surroundings,
        stop: Stop,
    ) -> None:
        self.action, self.tool, self.around = action, tool, around
        self.ref = Ref(thread.tenant, thread.id)
        self._agent, self._stop = agent, stop
        self._secrets = Resolved(around.secrets, thread.tenant, redact=around.redact)
        self._tries = 0
        self._connection: Any = None
        self._deadline: datetime | None = None

    def about(self) -> dict[str, Json]:
        """What every outcome says."""
        action = self.action
        data: dict[str, Json] = {
            "step": action.step_id,
            "intent": action.intent,
            "attempt": action.attempt,
        }
        return data if self._tries < 2 else data | {"tries": self._tries}

    def said(self, error: BaseException) -> str:
        return short(error, without=self._secrets.hide or str)

    def called_with(self) -> Callable[[Any], Any]:
        """The call of the tool, but for the connection that it is to get."""
        takes_call, deps = _takes_call(self.tool), self._deps()
        self._tries = 1

        def call(connection: Any) -> Any:
            self._connection = connection
            given = (self._call(deps),) if takes_call else ()
            return self.tool(self.action.step, *given)

        return call

    async def value(
        self, *, late: Callable[[Ended], None] | None = None, tries_max: int | None = None
    ) -> Any:
        """What the tool returns. Raises what it raises, and `TimeoutError` when its time is over.
        A sync tool is then given up, and `late` is called in its thread with what it brings."""
        run = self.action.run
        once = partial(self._once, _takes_call(self.tool), self._deps(), late)
        tries_max = run.attempts if tries_max is None else tries_max
        if run.timeout_s is None and tries_max == 1:
            return await once()
        if run.timeout_s is None:
            return await self._tried(once, tries_max, until=None)
        self._deadline = self.around.clock() + timedelta(seconds=run.timeout_s)
        limit = asyncio.timeout(run.timeout_s)
        try:
            async with limit:
                return await self._tried(once, tries_max, until=limit.when())
        except TimeoutError as error:
            if not limit.expired():
                raise  # the tool's own
            self._stop.set()
            raise TimeoutError(self._overdue(run.timeout_s)) from error

    def _overdue(self, timeout_s: float) -> str:
        goes_on = "" if _is_async(self.tool) else "; it goes on in its thread"
        return f"{self.action.run.name} did not end within {timeout_s:g} s{goes_on}"

    async def _tried(self, once: Callable[[], Any], tries_max: int, *, until: float | None) -> Any:
        """Try again what may pass by itself, while there is time and nobody wants us to stop."""
        loop, pause_s = asyncio.get_running_loop(), TRY_AGAIN_FIRST_S
        while True:
            try:
                return await once()
            except Exception as error:
                passes = self._tries < tries_max and (self.action.run.transient or is_transient)(
                    error
                )
                late = until is not None and loop.time() + pause_s >= until
                if not passes or late or self._stop.is_set():
                    raise
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, TRY_AGAIN_MAX_S)

    async def _once(self, takes_call: bool, deps: Any, late: Callable[[Ended], None] | None) -> Any:
        action, name = self.action, self.action.run.name
        self._tries += 1
        arguments = (action.step, self._call(deps)) if takes_call else (action.step,)
        if _is_async(self.tool):
            returned = self.tool(*arguments)
        else:  # it may block: other threads of the log go on meanwhile
            place = f"{name}-{action.step_id}"
            returned = await in_thread(partial(self.tool, *arguments), name=place, late=late)
        if inspect.iscoroutine(returned):
            return await self.around.watch.over(returned, name, self.ref.id)
        return await returned if inspect.isawaitable(returned) else returned

    def _call(self, deps: Any) -> Call[Any]:
        return Call(
            # Quoted, so that no two tenants can mean the same effect.
            key=f"{quote(self.ref.tenant, safe='')}/{self.ref.id}/{self.action.step_id}",
            attempt=self.action.attempt,
            tenant=self.ref.tenant,
            thread_id=self.ref.id,
            deps=deps,
            tries=self._tries,
            deadline=self._deadline,
            cancelled=self._stop,
            _secret=self._secrets.read,
            _attach=self._attach,
            _connection=self._connection,
        )

    def _deps(self) -> Any:
        if self._agent.deps is None:
            return None
        try:
            return self._agent.deps(self.ref.tenant)
        except Exception as error:  # the tool was not even called
            raise NothingHappened(f"deps({self.ref.tenant!r}) failed: {short(error)}") from error

    def _attach(self, content: Any, media_type: str) -> Attachment:
        is_file = isinstance(content, Path)
        ref = content.name if is_file else None
        content = self._secrets.hidden_bytes(_read(content) if is_file else content)
        attachment = described(content, media_type, ref=ref)
        self._keep_bytes(content)
        return attachment

    async def kept(self, value: Any) -> Result:
        """What the log says of the return value. What it names as attachment is durable by then.

        The tool has ended: no cancellation may cost its outcome now.
        """
        result = result_of(value, hide=self._secrets.hide)
        if result.content is None:
            return result
        return await undisturbed(asyncio.to_thread(self._keep, result))

    def kept_now(self, value: Any) -> Result:
        """As `kept`, in a thread without an event loop."""
        return self._keep(result_of(value, hide=self._secrets.hide))

    def _keep(self, result: Result) -> Result:
        if result.content is None:
            return result
        try:
            self._keep_bytes(result.content)
        except StoreError as error:  # the outcome is kept, if not all of what it brought
            return unstorable(result.data["preview"], error)
        return result

    def _keep_bytes(self, content: bytes) -> None:
        """With all else that the run writes, when it holds the store's write lock."""
        if self._connection is None:
            self.around.store.keep(content, tenant=self.ref.tenant)
        else:
            with transactional(self.around.store).within(self._connection) as inside:
                inside.keep(content, tenant=self.ref.tenant)


@lru_cache(TOOLS_KEPT_MAX)
def _is_async(tool: Tool) -> bool:
    return inspect.iscoroutinefunction(tool)


def _takes_call(tool: Tool) -> bool:
    try:
        return arity(tool) == 2
    except Exception as error:  # it was not even called
        raise NothingHappened(short(error)) from error


def _read(path: Path) -> bytes:
    try:
        check_size(path.stat().st_size, path.name)
        return path.read_bytes()
    except OSError as error:
        raise BadAttachment(f"{path} cannot be read: {error.strerror or error}.") from error
