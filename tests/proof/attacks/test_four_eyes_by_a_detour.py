"""Who made a step what it is by another way than a message is no second pair of eyes either."""

import asyncio
from datetime import timedelta
from typing import Any

from victims import Place, Victim, gated

from crew import Errand, Look, Pay, Question
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Ask, Choose, Delegate, Finish, Wait, escalate, run
from twelvefold.exceptions import NotAllowed
from twelvefold.policy import not_an_initiator, role

HOUR = timedelta(hours=1)
DIRECTORY = Directory(
    roles={"ops": ["anna", "ben"]}, people=["anna", "ben", "cleo", "Jos\u00e9"], version="1"
)
FOUR_EYES = not_an_initiator(role("ops"))


def test_a_deadline_that_passes_does_not_end_four_eyes(place: Place) -> None:
    def escalating(victim: Victim, chosen: Any) -> Any:
        if chosen.approved:
            return run(victim.tool, chosen.step)
        then = escalate(to=["cleo", "anna"], within=HOUR)
        return Approve(chosen.step, by=FOUR_EYES, within=HOUR, on_expiry=then)

    victim = Victim(place, Pay(to="anna"), carry_out=escalating, directory=DIRECTORY)
    victim.begin(sender="anna")
    place.clock.forward(HOUR)
    victim.go_on()

    refusal = victim.tried("approve", by="anna")

    victim.expect()
    assert isinstance(refusal, NotAllowed)
    victim.answer("approve", by="cleo")
    victim.expect({"to": "anna"})


def test_who_answered_the_question_behind_a_step_does_not_approve_it(place: Place) -> None:
    def decide(victim: Victim, state: Any) -> Any:
        for chosen in state.ready:
            is_question = isinstance(chosen.step, Question)
            return Ask(chosen.step, "whom?", to="anna") if is_question else gated(victim, chosen)
        question = state.last(Question)
        if question is None:
            return Choose(Question())
        return Wait() if state.waiting or state.last(Pay) else Choose(Pay(to=question.result))

    victim = Victim(place, Pay(to=""), classes=Pay | Question, by=FOUR_EYES, decide=decide,
                    directory=DIRECTORY).begin(sender="cleo")  # fmt: skip
    victim.answer("answer", by="anna", value="anna")

    refusal = victim.tried("approve", by="anna")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_who_wrote_to_the_agent_that_a_task_was_given_to_does_not_approve_what_comes_of_it(
    place: Place,
) -> None:
    def parent(_: Any, state: Any) -> Any:
        for chosen in state.ready:
            is_errand = isinstance(chosen.step, Errand)
            return Delegate(chosen.step, "child", "whom?") if is_errand else gated(victim, chosen)
        errand = state.last(Errand)
        if errand is None:
            return Choose(Errand())
        return Wait() if state.waiting or state.last(Pay) else Choose(Pay(to=errand.result))

    def child(thread: Any, state: Any) -> Any:
        said = [e.data["text"] for e in thread.events if e.type == "message_received"]
        return Wait() if state.finished or len(said) < 2 else Finish(said[-1])

    victim = Victim(place, Pay(to=""), by=FOUR_EYES, directory=DIRECTORY)
    agents = [
        Agent("bot", parent, Pay | Errand, owner="olga"),
        Agent("child", child, Look, owner="olga"),
    ]
    victim.app = App(agents, store=place.store, directory=DIRECTORY, clock=place.clock)
    victim.begin(sender="cleo")
    asyncio.run(victim.app.send("t.s1", "anna", sender="anna"))
    victim.go_on()

    refusal = victim.tried("approve", by="anna")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_a_name_that_is_typed_otherwise_is_the_same_person(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), by=not_an_initiator(["Jos\u00e9", "ben"]))
    victim.begin(sender="Jose\u0301")

    refusals = [
        victim.tried("approve", by=who) for who in ("Jos\u00e9", "JOSE\u0301", "\uff2aos\u00e9 ")
    ]

    victim.expect()
    assert all(isinstance(refusal, NotAllowed) for refusal in refusals)


def test_who_changed_or_brought_a_copy_does_not_approve_what_stands_in_it(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), by=FOUR_EYES, directory=DIRECTORY).begin(sender="cleo")
    log = victim.app.thread("t").to_jsonl().replace('"ann"', '"anna"')
    edits = {1: {"text": "pay anna", "from": "cleo"}}
    asyncio.run(victim.app.fork("t", 2, new_id="fork", edits=edits, by="anna"))
    asyncio.run(victim.app.import_thread(log, new_id="file", by="anna"))
    victim.go_on()

    refusals = [
        victim.tried("approve", of=victim.open_contact(copy), by="anna")
        for copy in ("fork", "file")
    ]

    victim.expect()
    assert all(isinstance(refusal, NotAllowed) for refusal in refusals)
