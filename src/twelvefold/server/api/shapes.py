"""What the API shows of threads and events. Times are RFC 3339 in UTC; nothing here is stored."""

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from twelvefold.store import Ref, ThreadRow
from twelvefold.summary import Status, Summary
from twelvefold.thread import Event, to_iso

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Id = Annotated[str, Field(examples=["01k3f9q2m4x8w0r7t"])]
WaitKind = Literal["contact", "timer", "signal", "child"]


class Origin(TypedDict):
    """The step of another thread that launched this one."""

    thread: str
    step: str
    intent: str


class Wait(TypedDict):
    """What a thread waits for: an answer, a time, a signal, or a thread that it launched."""

    kind: WaitKind
    name: str
    step: str


class ThreadShape(TypedDict):
    """A thread as lists know it. `head` is the number of its events, and its ETag."""

    id: Id
    agent: str
    status: Status
    title: str
    head: int
    created_at: Time
    updated_at: Time
    steps: int
    tokens: int
    cost: float
    waits: list[Wait]
    failed: str | None
    parent: Origin | None


class ThreadPage(TypedDict):
    data: list[ThreadShape]
    next_cursor: str | None


class EventShape(TypedDict):
    """A fact in a log. `after` is the head that a decision saw; `key` makes its append once."""

    seq: int
    type: str
    at: Time
    key: str | None
    after: int | None
    v: int
    data: dict[str, Any]


class EventPage(TypedDict):
    data: list[EventShape]
    next_cursor: str | None


def thread_shape(row: ThreadRow) -> ThreadShape:
    summary, parent = row.summary, row.parent
    return {
        "id": row.ref.id,
        "agent": row.agent,
        "status": row.status,
        "title": summary.title,
        "head": row.head,
        "created_at": summary.created_at,
        "updated_at": summary.updated_at,
        "steps": summary.steps,
        "tokens": summary.tokens,
        "cost": summary.cost,
        "waits": _waits(row.ref, summary),
        "failed": summary.failed,
        "parent": parent
        and {"thread": parent.thread, "step": parent.step, "intent": parent.intent},
    }


def _waits(ref: Ref, summary: Summary) -> list[Wait]:
    return [_wait(ref, name, step) for name, step in summary.waits.items()]


def _wait(ref: Ref, wait: str, step: str) -> Wait:
    kind, colon, name = wait.partition(":")
    if not colon:
        return {"kind": "contact", "name": f"{ref.id}.{wait}", "step": step}
    if kind == "timer":
        return {"kind": "timer", "name": name, "step": step}
    if kind == "child":
        return {"kind": "child", "name": name, "step": step}
    return {"kind": "signal", "name": name.removesuffix(f":{step}"), "step": step}


def event_shape(event: Event) -> EventShape:
    return {
        "seq": event.seq,
        "type": event.type,
        "at": to_iso(event.at),
        "key": event.key,
        "after": event.after,
        "v": event.v,
        "data": event.data,
    }
