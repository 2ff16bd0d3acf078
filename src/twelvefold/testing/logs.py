"""Logs made comparable: what may differ after a crash is dropped, and nothing else.

Dropped: times, delivery and recovery events (an unknown outcome, the question about it, and its
answer), and the number of attempts. A run that a person or `reconcile` settled counts as returned.
The order is kept within each step; steps of one `All` may end in any order.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from twelvefold.thread import DELIVERY_RECORDS, Json

_VOLATILE = frozenset({"attempt", "deadline", "due", "latency_s", "digest", "reconciled", "saw"})


def comparable(events: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """Exported events (lines of `Thread.to_jsonl`) as {step or "": [[type, data], ...]}."""
    asked = {e["data"]["contact"] for e in events if _asks_outcome(e)}
    kept: dict[str, Any] = {}
    for event in events:
        if (fact := _fact(event, asked)) is not None:
            kept.setdefault(str(fact[1].get("step", "")), []).append(list(fact))
    return kept


def _asks_outcome(event: Mapping[str, Json]) -> bool:
    return event["type"] == "contact_requested" and event["data"]["kind"] == "outcome"


def _fact(event: Mapping[str, Json], asked: set[str]) -> tuple[str, dict[str, Json]] | None:
    type, data = event["type"], event["data"]
    if type in DELIVERY_RECORDS or type in {"tool_outcome_unknown", "model_superseded"}:
        return None
    if type == "tool_started" and data["attempt"] > 1:
        return None
    if type == "tool_failed" and data.get("run_again"):
        return None
    if data.get("contact") in asked:
        if type != "contact_closed" or data["outcome"] != "it_ran":
            return None
        type = "tool_returned"
        data = {"step": data["step"], "intent": data["intent"], "result": data.get("answer")}
    return type, {name: value for name, value in data.items() if name not in _VOLATILE}
