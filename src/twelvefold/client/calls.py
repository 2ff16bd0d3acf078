"""The verbs as requests, and how their answers are read: what both clients share. No I/O."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from twelvefold.client.records import (
    AgentInfo,
    ContactInfo,
    ContextInfo,
    Page,
    ThreadInfo,
    VerifiedInfo,
    event_of,
    record,
)
from twelvefold.exceptions import (
    NotFound,
    TwelvefoldError,
    UnknownAgent,
    UnknownContact,
    UnknownThread,
)
from twelvefold.thread import Event, Json, to_text

T = TypeVar("T")

KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, to be made as often as it takes. `key`: of one that changes something.
    `missing`: what a 404 means. `wait_s`: how long the server may take over its answer."""

    method: str
    path: str
    read: Callable[[Json], T]
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Json = None
    key: str | None = None
    missing: type[TwelvefoldError] = NotFound
    wait_s: float = 0

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if self.key is not None:
            headers["Idempotency-Key"] = self.key
        if self.content is not None:
            headers["Content-Type"] = "application/json"
        return headers

    @property
    def content(self) -> bytes | None:
        return to_text(self.body).encode() if self.method == "POST" else None


# Threads


def launch(
    agent: str, text: str, *, id: str | None, wait_s: float, key: str | None
) -> Call[ThreadInfo]:
    body = {"agent": agent, "input": text} | ({} if id is None else {"id": id})
    return _post("/v1/threads", body, ThreadInfo, NotFound, wait_s=wait_s, key=key)


def meeting(
    launch: Call[ThreadInfo], *, metadata: Mapping[str, Json] | None, on_conflict: str | None
) -> Call[ThreadInfo]:
    """With what is kept beside the message, and what happens where the id is there."""
    kept = None if metadata is None else dict(metadata)
    return replace(launch, body=launch.body | _given(metadata=kept, on_conflict=on_conflict))


def threads(*, status: str | None, agent: str | None, limit: int | None) -> Call[Page[ThreadInfo]]:
    return _list("/v1/threads", ThreadInfo, status=status, agent=agent, limit=limit)


def thread(thread_id: str) -> Call[ThreadInfo]:
    return Call("GET", _at(thread_id), _reader(ThreadInfo), missing=UnknownThread)


def events(thread_id: str, *, after: int, limit: int | None) -> Call[Page[Event]]:
    params = _params(after=after or None, limit=limit)
    read = _pages(event_of)
    return Call("GET", _at(thread_id, "events"), read, params, missing=UnknownThread)


def events_path(thread_id: str) -> str:
    return _at(thread_id, "events")


def send(thread_id: str, text: str, *, wait_s: float, key: str | None) -> Call[ThreadInfo]:
    return _verb(thread_id, "messages", {"text": text}, wait_s=wait_s, key=key)


def signal(thread_id: str, name: str, data: Json, *, key: str | None) -> Call[ThreadInfo]:
    return _verb(thread_id, f"signals/{quote(name, safe='')}", {"data": data}, key=key)


def control(thread_id: str, verb: str, body: Json, *, key: str | None) -> Call[ThreadInfo]:
    """`pause`, `resume`, `cancel`, `retry`."""
    return _verb(thread_id, verb, body, key=key)


def fork(
    thread_id: str,
    at: int | None,
    edits: Mapping[int, Mapping[str, Json]] | None,
    *,
    key: str | None,
) -> Call[ThreadInfo]:
    body: dict[str, Json] = {} if at is None else {"at_seq": at}
    if edits:
        body["edits"] = {str(seq): dict(data) for seq, data in edits.items()}
    return _verb(thread_id, "fork", body, key=key)


def context(thread_id: str, at: int | None) -> Call[ContextInfo]:
    read, params = _reader(ContextInfo), _params(at=at)
    return Call("GET", _at(thread_id, "context"), read, params, missing=UnknownThread)


def verify(thread_id: str) -> Call[VerifiedInfo]:
    return Call("GET", _at(thread_id, "verify"), _reader(VerifiedInfo), missing=UnknownThread)


# Contacts


def contacts(
    *, status: str | None, to: str | None, risk: str | None, limit: int | None
) -> Call[Page[ContactInfo]]:
    return _list("/v1/contacts", ContactInfo, status=status, to=to, risk=risk, limit=limit)


def contact(contact_id: str) -> Call[ContactInfo]:
    path = f"/v1/contacts/{quote(contact_id, safe='')}"
    return Call("GET", path, _reader(ContactInfo), missing=UnknownContact)


def answer(
    contact: ContactInfo | str,
    decision: str,
    *,
    comment: str | None,
    value: Json,
    changes: Mapping[str, Json] | None,
    digest: str | None,
    wait_s: float,
    key: str | None,
) -> Call[ContactInfo]:
    """A contact that was read brings the digest of what was seen."""
    seen = contact.digest if isinstance(contact, ContactInfo) else None
    body = _said(decision, value) | _given(
        comment=comment, edits=changes and dict(changes), digest=digest or seen
    )
    return _of_contact(contact, "answer", body, wait_s=wait_s, key=key)


def reassign(
    contact: ContactInfo | str, *, to: str, instead_of: str, comment: str | None, key: str | None
) -> Call[ContactInfo]:
    body = {"to": to} | _given(instead_of=instead_of or None, comment=comment)
    return _of_contact(contact, "reassign", body, key=key)


def escalate(
    contact: ContactInfo | str, *, comment: str | None, key: str | None
) -> Call[ContactInfo]:
    return _of_contact(contact, "escalate", _given(comment=comment), key=key)


def remind(contact: ContactInfo | str, *, key: str | None) -> Call[ContactInfo]:
    return _of_contact(contact, "remind", {}, key=key)


# Agents


def agents() -> Call[Page[AgentInfo]]:
    return _list("/v1/agents", AgentInfo)


def agent(name: str) -> Call[AgentInfo]:
    return Call(
        "GET", f"/v1/agents/{quote(name, safe='')}", _reader(AgentInfo), missing=UnknownAgent
    )


def next_page(call: Call[Page[T]], cursor: str) -> Call[Page[T]]:
    kept = {name: value for name, value in call.params.items() if name != "after"}
    params = {**kept, "cursor": cursor}
    return Call(call.method, call.path, call.read, params, missing=call.missing)


def new_key() -> str:
    return os.urandom(KEY_BYTES).hex()


def _said(decision: str, value: Json) -> dict[str, Json]:
    match decision:
        case "answer":
            return {"answer": value}
        case "choose":
            return {"choice": value}
        case _:
            return {"decision": decision} | _given(answer=value)


def _verb(
    thread_id: str, what: str, body: Json, *, key: str | None, wait_s: float = 0
) -> Call[ThreadInfo]:
    path = _at(thread_id, what)
    return _post(path, body, ThreadInfo, UnknownThread, wait_s=wait_s, key=key)


def _of_contact(
    contact: ContactInfo | str, what: str, body: Json, *, key: str | None, wait_s: float = 0
) -> Call[ContactInfo]:
    id = contact if isinstance(contact, str) else contact.id
    path = f"/v1/contacts/{quote(id, safe='')}/{what}"
    return _post(path, body, ContactInfo, UnknownContact, wait_s=wait_s, key=key)


def _post(
    path: str,
    body: Json,
    cls: type[T],
    missing: type[TwelvefoldError],
    *,
    wait_s: float,
    key: str | None,
) -> Call[T]:
    params = _params(wait_s=wait_s or None)
    key = new_key() if key is None else key
    return Call("POST", path, _reader(cls), params, body, key, missing, wait_s)


def _list(path: str, cls: type[T], **params: object) -> Call[Page[T]]:
    return Call("GET", path, _pages(_reader(cls)), _params(**params))


def _at(thread_id: str, what: str = "") -> str:
    path = f"/v1/threads/{quote(thread_id, safe='')}"
    return f"{path}/{what}" if what else path


def _params(**params: object) -> dict[str, str]:
    return {name: str(value) for name, value in params.items() if value is not None}


def _given(**fields: Json) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value is not None}


def _reader(cls: type[T]) -> Callable[[Json], T]:
    return lambda data: record(cls, data)


def _pages(read: Callable[[Json], T]) -> Callable[[Json], Page[T]]:
    def page(data: Json) -> Page[T]:
        found = record(Page[Any], data)
        return Page([read(one) for one in found.data], found.next_cursor)

    return page
