"""Others are asked too early: by a stranger, a half of a quorum, or whoever asked for it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from victims import Place, Victim, holds, quiet

from crew import Pay
from twelvefold.directory import Directory
from twelvefold.effects import Approve, escalate, run
from twelvefold.exceptions import Conflict, NotAllowed
from twelvefold.policy import By, at_least, not_an_initiator, role

HOUR = timedelta(hours=1)
LATE = HOUR + timedelta(seconds=1)
DIRECTORY = Directory(
    roles={"ops": ["anna", "ben"]},
    people=["anna", "ben", "cleo", "dora", "olga", "eve"],
    version="1",
)


def victim_of(place: Place, by: By = "anna", *, then: By = "cleo", sender: str = "dora") -> Victim:
    def carry_out(victim: Victim, chosen: Any) -> Any:
        if chosen.approved:
            return run(victim.tool, chosen.step)
        others = escalate(to=then, within=HOUR)
        return Approve(chosen.step, by=victim.by, within=HOUR, on_expiry=others)

    made = Victim(place, Pay(to="ann"), by=by, carry_out=carry_out, directory=DIRECTORY)
    return made.begin(sender=sender)


def pushed(victim: Victim, by: str, **more: Any) -> None:
    quiet(victim.app.escalate("t.s1.1", by=by, **more))
    victim.go_on()


@pytest.mark.parametrize("by", ["eve", "cleo", "dora"])
def test_a_stranger_does_not_have_his_friends_asked(place: Place, by: str) -> None:
    victim = victim_of(place)

    pushed(victim, by=by)
    refusal = victim.tried("approve", by="cleo")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_half_a_quorum_does_not_get_round_the_other_half(place: Place) -> None:
    """A no of ben would end it, and anna alone comes next."""
    victim = victim_of(place, at_least(2, role("ops")), then="anna")

    pushed(victim, by="anna")
    victim.tried("approve", by="anna")

    victim.expect()


def test_half_a_quorum_that_has_voted_does_not_either(place: Place) -> None:
    victim = victim_of(place, at_least(2, role("ops")), then=["anna", "cleo"])
    victim.answer("approve", by="anna")

    pushed(victim, by="anna")
    victim.tried("approve", by="cleo")

    victim.expect()


@pytest.mark.parametrize("who", ["anna", "olga"])
def test_who_asked_for_it_changes_nothing_about_who_decides(place: Place, who: str) -> None:
    victim = victim_of(place, not_an_initiator(role("ops")), sender=who)

    pushed(victim, by=who)
    victim.tried("approve", by="cleo")

    victim.expect()


def test_four_eyes_hold_for_those_who_are_asked_then(place: Place) -> None:
    victim = victim_of(place, not_an_initiator(role("ops")), then=["cleo", "dora"])
    pushed(victim, by="ben")

    refusal = victim.tried("approve", by="dora")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_a_channel_that_proves_too_little_escalates_nothing(place: Place) -> None:
    victim = victim_of(place)

    pushed(victim, by="anna", channel="sms", assurance="sms")
    victim.tried("approve", by="cleo")

    victim.expect()


def test_a_yes_of_those_who_were_asked_before_runs_nothing(place: Place) -> None:
    victim = victim_of(place)
    pushed(victim, by="anna")

    refusal = victim.tried("approve", by="anna")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_an_old_link_shows_and_decides_nothing(place: Place) -> None:
    victim = victim_of(place)
    token = asyncio.run(victim.app.link("t.s1.1", "anna"))
    typed = victim.app.opened_link(token).code
    pushed(victim, by="anna")

    quiet(victim.app.answer_by_link(token, "approve", typed=typed))
    victim.go_on()

    victim.expect()
    assert victim.app.opened_link(token).person == "anna"
    assert "may not answer" in victim.events("answer_refused")[-1].data["why"]


def test_those_who_come_next_approve_the_bytes_that_were_shown_before(place: Place) -> None:
    victim = victim_of(place)
    seen = victim.asked()
    pushed(victim, by="anna")

    now = victim.asked()
    assert (now["digest"], now["args"], now["schema"]) == (
        seen["digest"],
        seen["args"],
        seen["schema"],
    )
    victim.answer("approve", by="cleo", digest=seen["digest"])

    victim.expect({"to": "ann"})


def test_it_is_escalated_once_and_then_silence_is_a_no(place: Place) -> None:
    victim = victim_of(place)
    pushed(victim, by="anna")
    with pytest.raises(Conflict, match="asked already"):
        asyncio.run(victim.app.escalate("t.s1.1", by="cleo"))
    for _ in range(3):
        place.clock.forward(LATE)
        victim.go_on()

    refusal = victim.tried("approve", by="cleo", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, Conflict)
    assert len(victim.events("contact_escalated")) == 1


def test_by_hand_and_by_a_late_timer_it_is_escalated_once(place: Place) -> None:
    victim = victim_of(place)
    place.clock.forward(LATE)

    pushed(victim, by="anna")

    victim.expect()
    assert len(victim.events("contact_escalated")) == 1


def test_a_yes_and_an_escalation_in_one_instant_are_one_of_both(place: Place) -> None:
    victim = victim_of(place, role("ops"))

    async def at_once() -> None:
        vote = victim.app.answer("t.s1.1", "approve", by="anna")
        wish = victim.app.escalate("t.s1.1", by="ben")
        await asyncio.gather(vote, wish, return_exceptions=True)

    asyncio.run(at_once())
    victim.go_on()

    votes, moves = victim.events("contact_answered"), victim.events("contact_escalated")
    holds(len(votes) + len(moves) == 1, "a yes of the first counted after the escalation")
    victim.expect(*[{"to": "ann"} for _ in votes])


def test_two_who_escalate_in_one_instant_do_it_once(place: Place) -> None:
    victim = victim_of(place, role("ops"))

    async def at_once() -> None:
        both = [victim.app.escalate("t.s1.1", by=by) for by in ("anna", "ben")]
        await asyncio.gather(*both, return_exceptions=True)

    asyncio.run(at_once())

    assert len(victim.events("contact_escalated")) == 1


def test_nobody_who_comes_next_decides_in_a_copy(place: Place) -> None:
    victim = victim_of(place)
    pushed(victim, by="anna")
    asyncio.run(victim.app.fork("t", new_id="f"))
    text = victim.app.thread("t").to_jsonl()
    asyncio.run(victim.app.import_thread(text, new_id="i"))
    victim.go_on()

    for copied in ("f.s1.1", "i.s1.1"):
        assert isinstance(victim.tried("approve", by="cleo", of=copied), Conflict)
        quiet(victim.app.escalate(copied, by="anna"))

    victim.expect()
    assert [row.id for row in victim.inbox("f") + victim.inbox("i")] == ["s1.2", "s1.2"]
    assert all(row.data["to"]["people"] == ["anna"] for row in victim.inbox("f"))


def test_a_contact_that_asks_nobody_next_stays_where_it_is(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), directory=DIRECTORY).begin(sender="dora")

    with pytest.raises(Conflict, match="names nobody"):
        asyncio.run(victim.app.escalate("t.s1.1", by="anna"))

    victim.answer("approve", by="anna")
    victim.expect({"to": "ann"})


def test_nothing_moves_to_people_who_are_all_gone(place: Place) -> None:
    victim = victim_of(place)
    left = Directory(people=["anna", "ben", "dora", "olga"], version="2")
    later = victim.again(directory=left)

    with pytest.raises(Conflict, match="may decide it now"):
        asyncio.run(later.app.escalate("t.s1.1", by="anna"))
    later.answer("approve", by="anna")

    victim.expect({"to": "ann"})
