"""A yes that comes after its deadline, whether or not a timer fired by then."""

import asyncio
from datetime import timedelta
from typing import Any

from victims import Place, Victim

from crew import Pay
from twelvefold.effects import Approve, run
from twelvefold.exceptions import Conflict
from twelvefold.policy import at_least

HOUR = timedelta(hours=1)


def within_an_hour(victim: Victim, chosen: Any) -> Any:
    if chosen.approved:
        return run(victim.tool, chosen.step)
    return Approve(chosen.step, by=victim.by, within=HOUR)


def test_a_late_yes_runs_nothing_though_no_timer_fired(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), carry_out=within_an_hour).begin()
    place.clock.forward(HOUR + timedelta(microseconds=1))

    refusal = victim.tried("approve", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, Conflict)


def test_silence_is_no_yes(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), carry_out=within_an_hour).begin()
    place.clock.forward(HOUR + timedelta(microseconds=1))

    victim.go_on()

    victim.expect()
    assert victim.state().by_id("s1").status == "denied"


def test_a_yes_right_before_the_deadline_runs_however_late_its_tool_begins(place: Place) -> None:
    """The deadline bounds the decision, not the run; the timer that fires then closes nothing."""
    victim = Victim(place, Pay(to="ann"), carry_out=within_an_hour).begin()
    place.clock.forward(HOUR)
    asyncio.run(victim.app.answer("t.s1.1", "approve", by="anna"))

    place.clock.forward(HOUR)
    victim.go_on()

    victim.expect({"to": "ann"})


def test_half_a_quorum_is_worth_nothing_after_the_deadline(place: Place) -> None:
    by = at_least(2, "anna", "ben")
    victim = Victim(place, Pay(to="ann"), by=by, carry_out=within_an_hour).begin()
    victim.answer("approve", by="anna")
    place.clock.forward(HOUR + timedelta(seconds=1))

    refusal = victim.tried("approve", by="ben", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, Conflict)


def test_a_second_asking_has_a_deadline_of_its_own(place: Place) -> None:
    """The first timer, late, does not close the second contact, nor the second yes the first."""
    victim = Victim(place, Pay(to="ann"), carry_out=within_an_hour).begin()
    asyncio.run(victim.app.fork("t", new_id="f"))
    place.clock.forward(HOUR - timedelta(seconds=1))
    victim.go_on()

    refusal = victim.tried("approve", of="f.s1.1")
    place.clock.forward(timedelta(seconds=2))
    victim.go_on()
    victim.expect()

    victim.answer("approve", of="f.s1.2")
    victim.expect({"to": "ann"})
    assert isinstance(refusal, Conflict)
