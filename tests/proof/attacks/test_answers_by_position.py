"""Answers that are kept by position: a redeploy that reorders the questions swaps them."""

from typing import Any, Literal

from victims import Place, Victim

from crew import Pay
from twelvefold.effects import All, Approve, Ask, Choose, Wait, run
from twelvefold.steps import Step


class City(Step):
    intent: Literal["city"] = "city"


class Amount(Step):
    intent: Literal["amount"] = "amount"


def reversed_questions(victim: Victim, state: Any) -> Any:
    """As `questions`, with the order of everything turned round."""
    return questions(victim, state, steps=victim.steps[::-1], ready=state.ready[::-1])


def questions(victim: Victim, state: Any, steps: Any = None, ready: Any = None) -> Any:
    found = state.ready if ready is None else ready
    if found:
        return All(*(Ask(c.step, c.intent, to="anna") for c in found))
    if state.by_id("s1") is None:
        return Choose(*(steps or victim.steps))
    return Wait()


def test_an_answer_stays_with_its_question_when_a_redeploy_reorders_them(place: Place) -> None:
    victim = Victim(place, City(), Amount(), decide=questions).begin()

    again = victim.redeployed(Amount(), City(), decide=reversed_questions)
    for row in again.inbox()[::-1]:
        again.tried("answer", of=f"t.{row.id}", value=f"the {row.data['intent']}")

    for cls in (City, Amount):
        chosen = again.state().last(cls)
        again.place.ledger.note(f'"{chosen.intent}: {chosen.answer}"')
    again.expect("city: the city", "amount: the amount")


def reordered(victim: Victim, state: Any) -> Any:
    if state.ready:
        ready = [c for c in state.ready if not c.approved]
        approved = [c for c in state.ready if c.approved]
        runs = (run(victim.tool, c.step) for c in approved)
        return All(*(Approve(c.step, by="anna") for c in reversed(ready)), *runs)
    return Wait() if state.by_id("s1") else Choose(*victim.steps)


def test_a_yes_stays_with_its_step_when_a_redeploy_reorders_them(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), Pay(to="mallory")).begin()

    again = victim.redeployed(Pay(to="mallory"), Pay(to="ann"), decide=reordered)
    [first] = [row for row in again.inbox() if row.data["args"] == {"to": "ann"}]
    again.answer("approve", of=f"t.{first.id}")

    again.expect({"to": "ann"})
