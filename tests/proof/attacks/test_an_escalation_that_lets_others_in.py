"""When time is over others are asked: the first no longer decide, and half a quorum is gone."""

from datetime import timedelta
from typing import Any

from victims import Place, Victim

from crew import Pay
from twelvefold.effects import Approve, escalate, run
from twelvefold.exceptions import Conflict, NotAllowed
from twelvefold.policy import at_least, not_an_initiator

HOUR = timedelta(hours=1)
LATE = HOUR + timedelta(seconds=1)


def escalating(victim: Victim, chosen: Any) -> Any:
    if chosen.approved:
        return run(victim.tool, chosen.step)
    others = escalate(to=not_an_initiator(["cleo", "dora"]), within=HOUR)
    return Approve(chosen.step, by=victim.by, within=HOUR, on_expiry=others)


def victim_of(place: Place, by: Any = "anna", sender: str | None = None) -> Victim:
    return Victim(place, Pay(to="ann"), by=by, carry_out=escalating).begin(sender=sender)


def test_a_late_yes_of_the_first_runs_nothing_though_no_timer_fired(place: Place) -> None:
    victim = victim_of(place)
    place.clock.forward(LATE)

    refusal = victim.tried("approve", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, NotAllowed | Conflict)


def test_a_yes_of_the_others_before_it_is_their_turn_runs_nothing(place: Place) -> None:
    victim = victim_of(place)

    refusal = victim.tried("approve", by="cleo")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_the_others_decide_when_it_is_their_turn_also_before_the_timer(place: Place) -> None:
    victim = victim_of(place)
    place.clock.forward(LATE)

    victim.answer("approve", by="cleo", of="t.s1.1")

    victim.expect({"to": "ann"})


def test_half_a_quorum_of_the_first_does_not_help_the_others(place: Place) -> None:
    victim = victim_of(place, by=at_least(2, "anna", "ben"))
    victim.answer("approve", by="anna")
    place.clock.forward(LATE)
    victim.go_on()

    refusal = victim.tried("approve", by="ben", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_silence_of_the_others_is_no_yes_and_nobody_else_is_asked(place: Place) -> None:
    victim = victim_of(place)
    for _ in range(4):
        place.clock.forward(LATE)
        victim.go_on()

    refusal = victim.tried("approve", by="cleo", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, Conflict)
    assert len(victim.events("contact_escalated")) == 1


def test_four_eyes_hold_for_those_to_whom_it_was_escalated(place: Place) -> None:
    victim = victim_of(place, sender="cleo")
    place.clock.forward(LATE)
    victim.go_on()

    refusal = victim.tried("approve", by="cleo", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_four_eyes_hold_though_the_timer_is_late(place: Place) -> None:
    victim = victim_of(place, sender="cleo")
    place.clock.forward(LATE)

    refusal = victim.tried("approve", by="cleo", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, NotAllowed)
