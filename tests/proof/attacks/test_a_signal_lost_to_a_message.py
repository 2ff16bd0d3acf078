"""One delivery id for a message and for a signal: both were acknowledged, so both are kept."""

import asyncio
from typing import Literal

from victims import Place, Victim, holds

from twelvefold.steps import Step


class Look(Step):
    intent: Literal["look"] = "look"


def test_a_signal_is_kept_when_a_message_had_its_delivery_id(place: Place) -> None:
    app = Victim(place, Look()).app
    asyncio.run(app.launch("bot", "go", thread_id="t"))

    asyncio.run(app.send("t", "merged?", key="delivery-1"))
    for _ in range(2):
        asyncio.run(app.signal("t", "merged", {"by": "ben"}, key="delivery-1"))

    types = [event.type for event in app.thread("t").events]
    kept = types == ["message_received", "message_received", "signal_received"]
    holds(kept, f"the log holds {types}")
