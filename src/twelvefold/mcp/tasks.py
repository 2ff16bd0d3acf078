"""A thread as a task of the protocol (SEP-2663), read from its log. Pure; nothing is stored.

A task is a thread up to its first end: finished, cancelled, or failed. What comes after that, a
message or a retry, is the thread's and not the task's, for a task that has ended never changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from twelvefold.reducer import read
from twelvefold.summary import Summary, summarize
from twelvefold.thread import Event, Json, Thread, to_iso

EXTENSION = "io.modelcontextprotocol/tasks"
CHANNEL = "mcp"
TOOL = "tool"
INTERNAL_ERROR = -32603

TaskStatus = Literal["working", "input_required", "completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Task:
    """What a log says of a task. `ended` is the event that ended it; `waits` what it waits for."""

    thread: Thread
    ended: Event | None
    summary: Summary

    @property
    def waits(self) -> Mapping[str, str]:
        return self.summary.waits


def task_of(thread: Thread) -> Task:
    """The task of a thread, as it is now."""
    summary = Summary()
    for event in thread.events:
        summarize([event], summary)
        if summary.cancelled or summary.finished or summary.failed is not None:
            return Task(thread, event, summary)
    return Task(thread, None, summary)


def begun_by(thread: Thread) -> tuple[str, str] | None:
    """Who called which tool, of a thread that a task began; None for any other, and where that is
    erased."""
    data = thread.events[0].data if thread.head else {}
    if data.get("channel") != CHANNEL or TOOL not in data:
        return None
    return str(data.get("from")), str(data[TOOL])


def created(task: Task, *, poll_ms: int) -> dict[str, Json]:
    """What a call is answered that began it."""
    return {"resultType": "task", **_known(task, "working", poll_ms)}


def detailed(
    task: Task, asked: Mapping[str, Json], *, waits_for: Sequence[str] = (), poll_ms: int
) -> dict[str, Json]:
    """What `tasks/get` answers. `asked`: what whoever asks may answer, as requests by their keys;
    `waits_for`: what else it waits for, in words."""
    status = status_of(task, asked)
    found = {"resultType": "complete", **_known(task, status, poll_ms)}
    match status:
        case "input_required":
            found["inputRequests"] = dict(asked)
        case "completed":
            found["result"] = result_of(task)
        case "failed":
            found["error"] = {"code": INTERNAL_ERROR, "message": _failure(task)}
            found["statusMessage"] = _failure(task)
        case "working":
            told = [*(["paused, until somebody resumes it"] if _rests(task) else []), *waits_for]
            found |= {"statusMessage": "; ".join(told)} if told else {}
        case "cancelled":
            pass
    return found


def status_of(task: Task, asked: Mapping[str, Json]) -> TaskStatus:
    if task.ended is None:
        return "input_required" if asked and not _rests(task) else "working"
    if task.ended.type == "finished":
        return "completed"
    return "cancelled" if task.ended.type == "cancelled" else "failed"


def result_of(task: Task) -> dict[str, Json]:
    """What the tool returns. An agent that ends on a failure returns an error."""
    assert task.ended is not None
    failures = read(task.thread.upto(task.ended.seq)).failures_in_a_row
    return text_result(str(task.ended.data["message"]), is_error=failures > 0)


def text_result(text: str, *, is_error: bool = False) -> dict[str, Json]:
    return {"content": [{"type": "text", "text": text}], "isError": is_error}


def sendable(data: Json) -> Json:
    """The same without lone surrogates, which a log holds and this wire cannot."""
    if isinstance(data, str):
        return data.encode(errors="backslashreplace").decode()
    if isinstance(data, dict):
        held = cast("dict[str, Json]", data)
        return {str(sendable(name)): sendable(value) for name, value in held.items()}
    if isinstance(data, list):
        return [sendable(one) for one in cast("list[Json]", data)]
    return data


def _known(task: Task, status: TaskStatus, poll_ms: int) -> dict[str, Json]:
    events = task.thread.events
    newest = events[-1] if task.ended is None else task.ended
    return {
        "taskId": task.thread.id,
        "status": status,
        "createdAt": to_iso(events[0].at),
        "lastUpdatedAt": to_iso(newest.at),
        "ttlMs": None,  # the log is kept
        "pollIntervalMs": poll_ms,
    }


def _rests(task: Task) -> bool:
    return task.summary.paused or task.summary.limited


def _failure(task: Task) -> str:
    return task.summary.failed or "It failed."
