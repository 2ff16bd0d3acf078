"""What a model is shown of an event: a tag and a body.

A core event is shown in the form of factor 3 or is hidden on purpose; a type that the core does not
know, and a core event that another version wrote, shows all of its data.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import cast

from twelvefold.exceptions import Unstorable
from twelvefold.thread import EVENT_VERSION, Event, Json, to_text

HIDDEN = frozenset(
    {
        *(
            "tool_started",
            "tool_outcome_unknown",
            "model_superseded",
            "timer_set",
            "timer_fired",
            "signal_awaited",
        ),
        *("contact_requested", "contact_sent", "contact_not_sent", "contact_reminded"),
        *("contact_answered", "contact_reassigned", "contact_escalated", "contact_voided"),
        *("answer_refused", "child_launched", "limit_reached", "advance_failed", "paused"),
        *("resumed", "cancelled", "forked", "imported", "finished", "erased"),
    }
)
"""Core events that tell a model nothing about its task. An unknown type is never hidden.

An unknown outcome is among them: it is settled before the model is asked again, and a thread that
was killed on the way then reads as one that was not.
"""

OUTCOMES_HIDDEN = frozenset({"approved", "voided", "cancelled", "run_again"})
"""How a contact closes without telling the model: what follows from it is an event of its own."""

UNREACHED = frozenset("rate_limited unavailable timeout unreadable bad_request too_long".split())
"""Why a call brought no reply. An outage is for code and people: a model that reads of it later has
nothing to mend, and each line would cost the provider's prompt cache."""

NESTED_MAX = 32
"""Levels of a body that are written as YAML; what lies deeper is shown as its JSON text."""

TAGS_KEPT_MAX = 512

View = tuple[str, Json]


def view(event: Event) -> View | None:
    """The tag and body that the model sees of an event; None when it need not see it.

    An unknown type, and a core event without the keys it should have, shows all of its data.
    """
    if event.type in HIDDEN:
        return None
    try:
        known = event.type in _SHOWN and event.v <= EVENT_VERSION
        shown = _SHOWN[event.type](event.data) if known else _whole(event)
    except (KeyError, TypeError, AttributeError):  # another version wrote it
        shown = _whole(event)
    if shown is not None and _deeper_than(shown[1], NESTED_MAX):
        return shown[0], _cut(shown[1], NESTED_MAX)
    return shown


def _whole(event: Event) -> View:
    tag = tag_of(event.type)
    return tag, event.data if tag == event.type else {"type": event.type, "data": event.data}


@lru_cache(TAGS_KEPT_MAX)  # every event has one, and a log has few
def tag_of(name: str) -> str:
    """`name` folded to `[a-z_][a-z0-9_]*`."""
    folded = re.sub(r"[^a-z0-9_]", "_", name.lower())
    return folded if folded and not folded[0].isdigit() else f"_{folded}"


def _chosen(data: dict[str, Json]) -> View:
    return tag_of(data["intent"]), {k: v for k, v in data["args"].items() if k != "intent"}


def _returned(data: dict[str, Json]) -> View:
    if "unstorable" in data:
        return tag_of(data["intent"]) + "_result", {"unstorable": data["unstorable"]}
    if "attachment" in data:
        return tag_of(data["intent"]) + "_result", _attached(data)
    return _result(data)


def _attached(data: dict[str, Json]) -> Json:
    """What stands for a result that is not in the log: how large it is, and its beginning."""
    body: dict[str, Json] = {"attachment": data["attachment"]}
    preview = data.get("preview")
    if preview is None:
        return body
    shown = f"the first {len(preview)} of {data['chars']} characters"
    return body | {"preview": preview, "shown": shown}


def _result(data: dict[str, Json]) -> View:
    return tag_of(data["intent"]) + "_result", data["result"]


def _answered(data: dict[str, Json]) -> View:
    return tag_of(data["intent"]) + "_result", data["answer"]


def _settled(data: dict[str, Json]) -> View | None:
    return None if data.get("result") is None else _result(data)


def _failed(data: dict[str, Json]) -> View | None:
    # Nothing had happened, and the step goes on; or no model was reached, which is none's business.
    if data.get("run_again") or data.get("reason") in UNREACHED:
        return None
    return "error", _present(data, "intent") | {"error": data["error"]}


_UNSHOWN = frozenset({"channel", "initiators", "metadata", "traceparent"})


def _message(data: dict[str, Json]) -> View:
    body = {k: v for k, v in data.items() if k not in _UNSHOWN and v is not None}
    tag = tag_of(data.get("channel") or "user") + "_message"
    return tag, body["text"] if list(body) == ["text"] else body


def _human_response(data: dict[str, Json]) -> View | None:
    outcome = data["outcome"]
    if outcome in OUTCOMES_HIDDEN:
        return None
    if outcome == "it_ran":  # a person said what the tool could not
        return tag_of(data["intent"]) + "_result", data.get("answer")
    body = _present(data, "intent") | {"decision": outcome}
    body |= _present(data, "by", "choice", "comment", "answer")
    return "human_response", body | ({"changed_to": data["args"]} if outcome == "edited" else {})


def _signal(data: dict[str, Json]) -> View:
    return "signal_received", {"signal": data["signal"]} | _present(data, "data")


def _summary(data: dict[str, Json]) -> View:
    return "summary", data["summary"]


def _present(data: dict[str, Json], *keys: str) -> dict[str, Json]:
    return {key: data[key] for key in keys if data.get(key) is not None}


_SHOWN: dict[str, Callable[[dict[str, Json]], View | None]] = {
    "message_received": _message,
    "next_step_chosen": _chosen,
    "model_answered": _answered,
    "model_failed": _failed,
    "tool_returned": _returned,
    "tool_failed": _failed,
    "step_settled": _settled,
    "contact_closed": _human_response,
    "child_finished": _result,
    "signal_received": _signal,
    "context_compacted": _summary,
}

CORE_SHOWN = frozenset(_SHOWN)
"""The core events that are shown, or hidden by what they hold."""


def _deeper_than(value: Json, levels: int) -> bool:
    if not value or not isinstance(value, (dict, list)):
        return False
    if levels == 0:
        return True
    items = cast("list[Json]", value.values() if isinstance(value, dict) else value)
    for item in items:  # noqa: SIM110 - `any` takes a frame per item, and each event is asked
        if isinstance(item, (dict, list)) and _deeper_than(item, levels - 1):
            return True
    return False


def _cut(value: Json, levels: int) -> Json:
    if not value or not isinstance(value, dict | list):
        return value
    if levels == 0:
        return _json_text(value)
    if isinstance(value, dict):
        items = cast("dict[str, Json]", value)
        return {key: _cut(item, levels - 1) for key, item in items.items()}
    return [_cut(item, levels - 1) for item in cast("list[Json]", value)]


def _json_text(value: Json) -> str:
    try:
        return to_text(value)
    except Unstorable:  # nested deeper than the interpreter recurses
        return "nested too deeply to be shown"
