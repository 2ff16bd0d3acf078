"""Whoever is asked again about a step whose run was cut off is told that it may have happened."""

from typing import ClassVar, Literal

from twelvefold.contacts import request
from twelvefold.policy import Policy, Risk
from twelvefold.reducer import reduce
from twelvefold.steps import Step
from twelvefold.testing import START, approved, asked, chosen, given, killed, started


class Pay(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["pay"] = "pay"


def test_an_approval_after_a_cut_off_run_says_that_it_may_have_happened() -> None:
    thread = given(chosen(Pay()), asked("anna"), approved(), started(), killed())
    state = reduce(thread, Pay)
    [pay] = state.ready

    draft = request(state, pay, "approval", Policy(("anna",)), now=START)

    assert "may have happened" in draft.data["question"]
