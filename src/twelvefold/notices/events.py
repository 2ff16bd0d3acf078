"""Events as lines for people: the seq, what it is about, and what it says."""

import json

from twelvefold.policy import Policy
from twelvefold.summary import short
from twelvefold.thread import EVENT_VERSION, Event, Json


def what(event: Event) -> str:
    """The intent, where the event is about a step; else its type."""
    return str(event.data.get("intent") or event.type)


def said(event: Event, thread_id: str) -> str:
    """What the event says, in one line and in full."""
    if event.v > EVENT_VERSION:  # a newer version wrote it, in a shape of its own
        return f"version {event.v}: {compact(event.data)}"
    try:
        return _said(event, thread_id)
    except (KeyError, TypeError, AttributeError):  # so does what somebody else wrote
        return compact(event.data)


def _said(event: Event, thread_id: str) -> str:
    data = event.data
    match event.type:
        case "message_received":
            sender = f"{data['from']}: " if data.get("from") else ""
            return sender + compact(data.get("text"))
        case "next_step_chosen":
            return compact(data.get("args")) + _by(data)
        case "tool_started":
            return "started" + (f", attempt {data['attempt']}" if data["attempt"] > 1 else "")
        case "step_settled" if data.get("result") is None:
            return "settled"
        case "tool_returned" if "attachment" in data:
            return f"-> {_attachment(data['attachment'])}"
        case "tool_returned" if "unstorable" in data:
            return f"-> no JSON, so its text alone was kept: {compact(data['unstorable'])}"
        case "tool_returned" | "step_settled":
            return f"-> {compact(data.get('result'))}"
        case "tool_failed" | "model_failed" | "advance_failed":
            return f"failed: {data.get('error')}"
        case "tool_outcome_unknown":
            return f"outcome unknown: {data.get('error') or data.get('reason')}"
        case "contact_requested":
            return f"waits for {_who(data)}: {short(thread_id)}.{data['contact']}"
        case "contact_answered":
            return f"{data['decision']} by {data['by']} ({data['channel']})"
        case "contact_closed":
            return _closed(data)
        case _:
            return _other(event)


def _attachment(data: dict[str, Json]) -> str:
    return f"attachment of {data['size']} bytes, {data['media_type']}, {data['sha256']}"


def _by(data: dict[str, Json]) -> str:
    if data.get("by") == "human":
        return f" by {data.get('person')}"
    return " by code" if data.get("by") == "code" else ""


def _who(data: dict[str, Json]) -> str:
    return str(Policy.from_data(data["to"]))


def _closed(data: dict[str, Json]) -> str:
    words = str(data["outcome"]).replace("_", " ")
    who = f" by {data['by']}" if data.get("by") else ""
    comment = f": {data['comment']}" if data.get("comment") else ""
    answer = f": {compact(data['answer'])}" if data.get("answer") is not None else ""
    choice = f": {data['choice']}" if data.get("choice") is not None else ""
    return words + who + choice + comment + answer


def _other(event: Event) -> str:
    data = event.data
    match event.type:
        case "finished":
            return str(data.get("message"))
        case "child_launched":
            return (
                f"launched {short(str(data['child']))} ({data['agent']}): {compact(data['task'])}"
            )
        case "child_finished":
            return f"{short(str(data['child']))} {data['status']} -> {compact(data['result'])}"
        case "timer_set":
            return f"sleeps until {data['due']}"
        case "signal_awaited":
            return f"waits for the signal {data['signal']}"
        case "limit_reached":
            return f"{data['used']} of {data['allowed']} {data['limit']} used"
        case "answer_refused":
            return f"refused {data['by']}: {data['why']}"
        case "erased" if "type" in data:
            return f"{data['type']}, whose data is gone"
        case "erased":
            return f"{data.get('events')} events, by {data.get('by')}: {data.get('reason')}"
        case "forked":
            return f"from {short(str(data['from']))} at {data['at']}"
        case _:
            return compact(data)


def compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
