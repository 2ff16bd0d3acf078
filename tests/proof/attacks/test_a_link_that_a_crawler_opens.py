"""A mail scanner opens the link of an approval, looks at it in every way, and submits every form.

What a page offers as a form is `answer_by_link` with what the page itself holds: its token, any
decision, and an empty field for the code, or the fields that the scanner found filled in.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Literal

import pytest
from victims import Place, Victim, holds, quiet

from twelvefold.exceptions import NotAllowed, UnknownThread
from twelvefold.policy import Risk
from twelvefold.steps import Step

CRAWLS = 50
DECISIONS = ("approve", "deny", "edit", "answer", "it_ran", "run_again", "give_up")
FILLED = (None, "", " ", "approve", "yes", "on", "1", "000000")


class Medium(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["medium"] = "medium"


class High(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["high"] = "high"


class Low(Step):
    risk: ClassVar[Risk] = "low"
    intent: Literal["low"] = "low"


STEPS: Mapping[str, Step] = {"low": Low(), "medium": Medium(), "high": High()}


def sent_to(victim: Victim, person: str = "anna", **more: timedelta) -> str:
    return asyncio.run(victim.app.link("t.s1.1", person, **more))


def untouched(victim: Victim) -> None:
    victim.expect()
    holds([row.id for row in victim.inbox()] == ["s1.1"], "the contact is no longer open")


@pytest.mark.parametrize("risk", STEPS)
def test_looking_fifty_times_in_every_way_decides_nothing(place: Place, risk: str) -> None:
    """GET and HEAD: `opened_link` is all that they may call."""
    victim = Victim(place, STEPS[risk]).begin()
    token = sent_to(victim)
    before = victim.app.thread("t").to_jsonl()

    for _ in range(CRAWLS):
        victim.app.opened_link(token)
    victim.go_on()

    untouched(victim)
    assert victim.app.thread("t").to_jsonl() == before


@pytest.mark.parametrize("risk", ["medium", "high"])
def test_submitting_every_form_fifty_times_decides_nothing(place: Place, risk: str) -> None:
    victim = Victim(place, STEPS[risk]).begin()
    token = sent_to(victim)

    for n in range(CRAWLS):
        decision, typed = DECISIONS[n % len(DECISIONS)], FILLED[n % len(FILLED)]
        edit = {"changes": {"to": "x"}} if decision == "edit" else {}
        quiet(victim.app.answer_by_link(token, decision, typed=typed, comment="x", **edit))
    victim.go_on()

    untouched(victim)


def test_the_log_does_not_grow_without_end_under_a_crawler(place: Place) -> None:
    victim = Victim(place, High()).begin()
    token = sent_to(victim)

    for _ in range(CRAWLS):
        quiet(victim.app.answer_by_link(token, "approve"))

    assert len(victim.events("answer_refused")) < CRAWLS


def test_a_token_that_was_changed_or_guessed_opens_nothing(place: Place) -> None:
    victim = Victim(place, Low()).begin()
    token = sent_to(victim)
    name, _, secret = token.partition("~")
    forged = [f"{name}~{'0' * 32}", f"{name}~{secret.upper()}0", f"t.s1.2~{secret}", token[:-1], ""]

    for guess in forged:
        quiet(victim.app.answer_by_link(guess, "approve"))
    victim.go_on()

    untouched(victim)
    for guess in forged:
        with pytest.raises((NotAllowed, UnknownThread)):
            victim.app.opened_link(guess)


def test_a_link_that_was_passed_on_decides_as_its_owner_and_expires(place: Place) -> None:
    victim = Victim(place, Low()).begin()
    token = sent_to(victim, ttl=timedelta(hours=1))
    place.clock.forward(timedelta(hours=1, seconds=1))

    quiet(victim.app.answer_by_link(token, "approve"))
    victim.go_on()

    untouched(victim)


def test_the_link_of_somebody_who_was_not_asked_decides_nothing(place: Place) -> None:
    victim = Victim(place, Low()).begin()
    token = sent_to(victim, "eve")

    quiet(victim.app.answer_by_link(token, "approve"))
    victim.go_on()

    untouched(victim)


def test_a_link_of_the_original_decides_nothing_in_a_copy(place: Place) -> None:
    victim = Victim(place, Low()).begin()
    token = sent_to(victim)
    text = victim.app.thread("t").to_jsonl()
    asyncio.run(victim.app.import_thread(text, tenant="other"))
    victim.go_on()

    quiet(victim.app.answer_by_link(token, "approve", tenant="other"))
    victim.go_on()

    untouched(victim)
