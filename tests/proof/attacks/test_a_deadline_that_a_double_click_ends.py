"""Silence is a no, also where somebody said two things in one instant."""

import asyncio
from datetime import timedelta
from typing import Any

from victims import Place, Victim, holds

from crew import Pay
from twelvefold.effects import Approve, run
from twelvefold.policy import at_least

HOUR = timedelta(hours=1)


def within_an_hour(victim: Victim, chosen: Any) -> Any:
    if chosen.approved:
        return run(victim.tool, chosen.step)
    return Approve(chosen.step, by=at_least(2, "anna", "ben"), within=HOUR, remind=HOUR / 4)


async def both_at_once(victim: Victim) -> None:
    words = [
        victim.app.answer("t.s1.1", "approve", by="ben"),
        victim.again().app.answer("t.s1.1", "deny", by="ben", comment="no"),
    ]
    await asyncio.gather(*words, return_exceptions=True)


def test_a_double_click_takes_no_deadline_away(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), carry_out=within_an_hour).begin()
    asyncio.run(both_at_once(victim))
    votes = [vote.data["decision"] for vote in victim.events("contact_answered")]
    still_open = bool(victim.inbox())

    place.clock.forward(2 * HOUR)
    victim.go_on()

    victim.expect()
    holds(victim.inbox() == [], f"nobody ever closes it after {votes}")
    assert still_open == (votes == ["approve"])
