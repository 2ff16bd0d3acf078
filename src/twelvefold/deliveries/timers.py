"""What wakes whoever sends, in the transaction that asks, tells or ends something."""

from collections.abc import Sequence
from datetime import datetime

from twelvefold.store import Timer
from twelvefold.thread import Draft

_ASK = frozenset(
    {"contact_requested", "contact_escalated", "contact_reassigned", "contact_reminded"}
)
_TIMER = "send:"


def timers_of(drafts: Sequence[Draft], *, now: datetime, updates: bool = False) -> list[Timer]:
    """For what these drafts ask, tell, or, with `updates`, end."""
    types = _ASK | {"contact_closed"} if updates else _ASK
    about = [draft.data["contact"] for draft in drafts if draft.type in types]
    about += [d.data["step"] for d in drafts if d.type == "step_settled" and "told" in d.data]
    return [Timer(_TIMER + one, now) for one in dict.fromkeys(about)]


def timer_of(about: str) -> str:
    return _TIMER + about


def about_of(timer: str) -> str | None:
    """What a timer asks to be sent; None for another kind of timer."""
    return timer.removeprefix(_TIMER) if timer.startswith(_TIMER) else None
