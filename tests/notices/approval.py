"""One approval that was asked two minutes ago, as every medium is given it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from twelvefold.store import ContactRow, Ref
from twelvefold.thread import Draft, Json, Thread, to_iso

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def approval(
    args: dict[str, Json], later: tuple[str, ...], **more: Json
) -> tuple[ContactRow, Thread]:
    """`later`: messages that came since; `more`: what else its request says."""
    request: dict[str, Any] = {
        "contact": "s1.1",
        "step": "s1",
        "kind": "approval",
        "intent": "deploy",
        "to": {"people": ["anna"], "needed": 1},
        "question": "",
        "deadline": to_iso(NOW + timedelta(hours=5)),
        "args": args,
        "risk": "high",
    } | more
    drafts = [
        Draft("message_received", {"text": "go"}, NOW),
        Draft("next_step_chosen", {"intent": "deploy", "args": args, "by": "model"}, NOW),
        Draft("contact_requested", request, NOW),
        *(Draft("message_received", {"text": text, "from": "zoe"}, NOW) for text in later),
    ]
    thread = Thread("t1", "bot", [draft.event(n) for n, draft in enumerate(drafts, 1)])
    asked_at = NOW - timedelta(minutes=2)
    return ContactRow(Ref("default", "t1"), "bot", "s1.1", asked_at, request), thread
