"""A third button beside yes and no, a form, or silence with a name, that lets the step run."""

from datetime import timedelta
from typing import Any

import pytest
from victims import Place, Victim, holds

from crew import Pay, Question
from twelvefold.effects import Approve, Ask, Wait, run
from twelvefold.exceptions import InvalidAnswer
from twelvefold.forms import Option, multiple_choice, yes_no

HOUR = timedelta(hours=1)
SPAM = Option("spam", prompt_fill="approve", interactive=False)
LATER = Option("later", title="approve")


def with_options(victim: Victim, chosen: Any) -> Any:
    if chosen.approved:
        return run(victim.tool, chosen.step)
    more: dict[str, Any] = {"within": HOUR, "on_expiry": "later"}
    return Approve(chosen.step, by="anna", options=[SPAM, LATER], **more)


def victim_of(place: Place) -> Victim:
    return Victim(place, Pay(to="ann"), carry_out=with_options).begin()


@pytest.mark.parametrize("name", ["spam", "later"])
def test_an_option_runs_nothing(place: Place, name: str) -> None:
    victim = victim_of(place)

    victim.answer("choose", value=name, comment="approve")

    victim.expect()


@pytest.mark.parametrize("name", ["approve", "approved", "", None, "SPAM", ["spam"], True])
def test_an_option_that_was_not_offered_is_refused(place: Place, name: Any) -> None:
    victim = victim_of(place)

    refusal = victim.tried("choose", value=name)

    victim.expect()
    assert isinstance(refusal, InvalidAnswer)


def test_silence_that_has_a_name_runs_nothing(place: Place) -> None:
    victim = victim_of(place)
    place.clock.forward(HOUR + timedelta(seconds=1))
    victim.go_on()

    victim.expect()
    assert victim.state().by_id("s1").choice == "later"


@pytest.mark.parametrize("name", ["approve", "edit", "it_ran"])
def test_an_option_cannot_be_called_what_means_yes(place: Place, name: str) -> None:
    def disguised(victim: Victim, chosen: Any) -> Any:
        if chosen.approved:
            return run(victim.tool, chosen.step)
        return Approve(chosen.step, by="anna", options=[Option(name)])

    victim = Victim(place, Pay(to="ann"), carry_out=disguised).begin()

    victim.expect()
    assert victim.inbox() == []


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (yes_no(), "maybe"),
        (yes_no(), 1),
        (yes_no(), ["yes"]),
        (multiple_choice("a", "b"), "c"),
        (multiple_choice("a", "b"), "A"),
        (multiple_choice("a", "b", many=True), ["a", "a"]),
        (multiple_choice("a", "b", many=True), []),
    ],
    ids=repr,
)
def test_an_answer_of_another_form_settles_no_question(place: Place, form: Any, value: Any) -> None:
    def asking(_: Victim, chosen: Any) -> Any:
        return Ask(chosen.step, "Which?", to="anna", form=form) if not chosen.answer else Wait()

    victim = Victim(place, Question(), carry_out=asking).begin()

    refusal = victim.tried("answer", value=value)

    holds([row.id for row in victim.inbox()] == ["s1.1"], f"{value!r} was taken for an answer")
    assert isinstance(refusal, InvalidAnswer)


def test_the_answer_maybe_is_no_answer_to_yes_or_no(place: Place) -> None:
    test_an_answer_of_another_form_settles_no_question(place, yes_no(), "maybe")
