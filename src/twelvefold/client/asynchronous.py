"""The client for code in an event loop."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TypeVar

import anyio
import httpx

from twelvefold.client import calls
from twelvefold.client.calls import Call
from twelvefold.client.exchange import Answered, Exchange
from twelvefold.client.following import SILENCE_MAX_S, Following
from twelvefold.client.records import (
    AgentInfo,
    ContactInfo,
    ContextInfo,
    Page,
    ThreadInfo,
    VerifiedInfo,
)
from twelvefold.client.retrying import Retries
from twelvefold.client.settings import TIMEOUT_S, headers_of, url_of
from twelvefold.thread import Event, Json

T = TypeVar("T")


class AsyncClient:
    """The verbs of `App` over HTTP. Use it in an `async with`, or `close()` it.

    - `url`: where the server is, `https://agents.example.org` or `http://localhost:8000/agents`.
    - `api_key`: sent as `Authorization: Bearer`. A key that is bound to a person decides contacts.
    - `retries`: how patient it is. What changes something is sent with a key of its own, the same
      in each try: it is done once. Give `key=` yourself to repeat it from another process.
    - `http`: an `httpx.AsyncClient` of yours, for proxies and certificates; it stays open.

    Raises what `App` raises, and `NotSignedIn`, `NotPermitted`, `TooManyRequests`, `Unreachable`.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        retries: Retries | None = None,
        timeout_s: float = TIMEOUT_S,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._url, self._timeout_s = url_of(url), timeout_s
        self._headers = headers_of(api_key, headers)
        self._retries = retries or Retries()
        self._owns, self._http = http is None, http or httpx.AsyncClient()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._owns:
            await self._http.aclose()

    # Threads

    async def launch(
        self,
        agent: str,
        text: str,
        *,
        id: str | None = None,
        metadata: Mapping[str, Json] | None = None,
        on_conflict: str | None = None,
        wait_s: float = 0,
        key: str | None = None,
    ) -> ThreadInfo:
        """Begin a thread. `on_conflict`: "return" the thread that has this `id`, or "send" it the
        text; it fails otherwise. `wait_s`: answer when it rests, or after that long."""
        call = calls.launch(agent, text, id=id, wait_s=wait_s, key=key)
        return await self._do(calls.meeting(call, metadata=metadata, on_conflict=on_conflict))

    def threads(
        self, *, status: str | None = None, agent: str | None = None, limit: int | None = None
    ) -> AsyncIterator[ThreadInfo]:
        """The newest first. `limit`: how many are fetched at once."""
        return self._all(calls.threads(status=status, agent=agent, limit=limit))

    async def thread(self, thread_id: str) -> ThreadInfo:
        return await self._do(calls.thread(thread_id))

    def events(
        self, thread_id: str, *, after: int = 0, limit: int | None = None
    ) -> AsyncIterator[Event]:
        """Those there are, after `after`."""
        return self._all(calls.events(thread_id, after=after, limit=limit))

    async def send(
        self, thread_id: str, text: str, *, wait_s: float = 0, key: str | None = None
    ) -> ThreadInfo:
        """A message for the thread."""
        return await self._do(calls.send(thread_id, text, wait_s=wait_s, key=key))

    async def signal(
        self, thread_id: str, name: str, data: Json = None, *, key: str | None = None
    ) -> ThreadInfo:
        """What `WaitFor(step, name)` waits for."""
        return await self._do(calls.signal(thread_id, name, data, key=key))

    async def pause(self, thread_id: str, *, key: str | None = None) -> ThreadInfo:
        """Decide nothing more until `resume`."""
        return await self._do(calls.control(thread_id, "pause", {}, key=key))

    async def resume(self, thread_id: str, *, key: str | None = None) -> ThreadInfo:
        """Lift `pause` or a limit."""
        return await self._do(calls.control(thread_id, "resume", {}, key=key))

    async def cancel(
        self, thread_id: str, *, reason: str = "", key: str | None = None
    ) -> ThreadInfo:
        """End the thread and those it launched, for good."""
        return await self._do(calls.control(thread_id, "cancel", {"reason": reason}, key=key))

    async def retry(self, thread_id: str, *, key: str | None = None) -> ThreadInfo:
        """Decide again after a failure."""
        return await self._do(calls.control(thread_id, "retry", {}, key=key))

    async def fork(
        self,
        thread_id: str,
        at: int | None = None,
        *,
        edits: Mapping[int, Mapping[str, Json]] | None = None,
        key: str | None = None,
    ) -> ThreadInfo:
        """Copy the log up to event `at` (its end, as a rule) into a new thread, which is returned.
        `edits`: the new data of some events, by seq."""
        return await self._do(calls.fork(thread_id, at, edits, key=key))

    async def context(self, thread_id: str, at: int | None = None) -> ContextInfo:
        """What the model would see now, or saw at event `at`."""
        return await self._do(calls.context(thread_id, at))

    async def verify(self, thread_id: str) -> VerifiedInfo:
        """Whether the log is as it was written."""
        return await self._do(calls.verify(thread_id))

    # Contacts

    def contacts(
        self,
        *,
        status: str | None = None,
        to: str | None = None,
        risk: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[ContactInfo]:
        """Open ones, as a rule: the nearest deadline first. `to`: who may decide; `me` is you."""
        return self._all(calls.contacts(status=status, to=to, risk=risk, limit=limit))

    async def contact(self, contact_id: str) -> ContactInfo:
        """One contact, with all that a person needs to decide."""
        return await self._do(calls.contact(contact_id))

    async def answer(
        self,
        contact: ContactInfo | str,
        decision: str,
        *,
        comment: str | None = None,
        value: Json = None,
        changes: Mapping[str, Json] | None = None,
        digest: str | None = None,
        wait_s: float = 0,
        key: str | None = None,
    ) -> ContactInfo:
        """Decide a contact as the person whose key this is.

        An approval is for what was seen: give the contact as you read it, or its `digest`.
        Raises `AlreadyDecided` (who, when and where are fields), `Expired`, `Conflict`,
        `NotAllowed`, and `InvalidAnswer` with `errors` by field.
        """
        return await self._do(
            calls.answer(
                contact,
                decision,
                comment=comment,
                value=value,
                changes=changes,
                digest=digest,
                wait_s=wait_s,
                key=key,
            )
        )

    async def reassign(
        self,
        contact: ContactInfo | str,
        *,
        to: str,
        instead_of: str = "",
        comment: str | None = None,
        key: str | None = None,
    ) -> ContactInfo:
        """`to` is asked in the place of `instead_of`; without that, in yours."""
        return await self._do(
            calls.reassign(contact, to=to, instead_of=instead_of, comment=comment, key=key)
        )

    async def escalate(
        self, contact: ContactInfo | str, *, comment: str | None = None, key: str | None = None
    ) -> ContactInfo:
        """Ask those now whom its deadline would ask."""
        return await self._do(calls.escalate(contact, comment=comment, key=key))

    async def remind(self, contact: ContactInfo | str, *, key: str | None = None) -> ContactInfo:
        """Ask those who are asked once more, now."""
        return await self._do(calls.remind(contact, key=key))

    # Agents

    def agents(self) -> AsyncIterator[AgentInfo]:
        return self._all(calls.agents())

    async def agent(self, name: str) -> AgentInfo:
        return await self._do(calls.agent(name))

    async def follow(self, thread_id: str, *, after: int = 0) -> AsyncGenerator[Event]:
        """Every event after `after`, as it is committed, without end; each once, in order.

        A stream that is cut is resumed. Raises `UnknownThread`, and `Unreachable` after
        `Retries.reconnects_max` connections in a row that brought nothing. Who stops before its end
        closes it: `contextlib.aclosing`.
        """
        following = Following(after, self._retries)
        while True:
            try:
                async with self._streamed(calls.events_path(thread_id), following) as response:
                    if following.opened(response.status_code, response.headers):
                        async for piece in response.aiter_bytes():
                            for event in following.of(piece):
                                yield event
                        pause_s = following.ended()
                    else:
                        found = response.status_code, response.headers, await response.aread()
                        pause_s = following.refused(*found)
            except httpx.TransportError as error:
                pause_s = following.lost(error)
            await anyio.sleep(pause_s)

    def _streamed(
        self, path: str, following: Following
    ) -> AbstractAsyncContextManager[httpx.Response]:
        timeout = httpx.Timeout(self._timeout_s, read=SILENCE_MAX_S)
        headers = self._headers | following.headers
        return self._http.stream("GET", self._url + path, headers=headers, timeout=timeout)

    async def _do(self, call: Call[T]) -> T:
        exchange = Exchange(call, self._retries)
        while True:
            try:
                response = await self._http.request(
                    call.method,
                    self._url + call.path,
                    params=call.params,
                    content=call.content,
                    headers=self._headers | call.headers,
                    timeout=self._timeout_s + call.wait_s,
                )
            except httpx.TransportError as error:
                done = exchange.lost(error)
            else:
                done = exchange.answered(response.status_code, response.headers, response.content)
            if isinstance(done, Answered):
                return done.value
            await anyio.sleep(done)

    async def _all(self, call: Call[Page[T]]) -> AsyncGenerator[T]:
        """Page after page, each when it is needed."""
        page = await self._do(call)
        for one in page.data:
            yield one
        while page.next_cursor is not None:
            page = await self._do(calls.next_page(call, page.next_cursor))
            for one in page.data:
                yield one
