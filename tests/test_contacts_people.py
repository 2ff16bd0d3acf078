"""Who may decide: roles, several people, four eyes, and people who were removed since."""

from collections.abc import Callable
from typing import Any

import pytest

from small import AGENT, Deploy, Hand, Look, Question
from twelvefold.agent import Agent
from twelvefold.contacts import Answer, Verdict, judge
from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.effects import All, Approve, AskModel, Delegate, Wait, run
from twelvefold.exceptions import NotAllowed, WrongDecision
from twelvefold.plan import begin, recover, replay
from twelvefold.policy import (
    By,
    Settles,
    all_of,
    any_of,
    at_least,
    not_an_initiator,
    role,
)
from twelvefold.testing import (
    TICK,
    approved,
    asked,
    chosen,
    denied,
    edited,
    event,
    given,
    killed,
    message,
    said,
    started,
)
from twelvefold.testing.past import Fact
from twelvefold.testing.past import begun as begun_by
from twelvefold.thread import Thread

DIRECTORY = Directory(
    roles={"ops": ["anna", "ben"], "finance": ["cleo"]},
    addresses={"anna": {"email": "anna@example.com"}},
    people=["anna", "ben", "cleo", "dan", "olga"],
    version="v1",
)
DEPLOY = (message("go", sender="dan"), chosen(Deploy(tag="v1")))


def without(*gone: str) -> Directory:
    people = [name for name in ("anna", "ben", "cleo", "dan", "olga") if name not in gone]
    return Directory(DIRECTORY.roles, DIRECTORY.addresses, people, "v2")


def here(*facts: Any, onto: Thread | None = None, directory: Directory = DIRECTORY) -> Thread:
    return given(*facts, agent=AGENT, onto=onto, directory=directory)


def asking(by: By, *facts: Any) -> Thread:
    return here(*DEPLOY, asked(by), *facts)


def verdict(
    thread: Thread,
    by: str,
    decision: Any = "approve",
    *,
    directory: Directory = DIRECTORY,
    **more: Any,
) -> Verdict:
    answer = Answer(**{"contact": "s1.1", "decision": decision, "by": by, **more})
    now, anyone = thread.events[-1].at + TICK, Settles({"local": "high"})
    return judge(AGENT.state(thread), answer, now=now, settles=anyone, directory=directory)


def outcome(thread: Thread, contact: str = "s1.1") -> str | None:
    return AGENT.state(thread).contacts[contact].outcome


def begun(thread: Thread, effect: Callable[..., Any], directory: Directory | None) -> list[Any]:
    state = AGENT.state(thread)
    steps = [c.step for c in state.ready]
    now = thread.events[-1].at + TICK
    return begin(effect(*steps), state, thread, AGENT, now=now, directory=directory).drafts


def deploy(step: Deploy) -> None:
    """Never runs here."""


def test_whoever_has_the_role_may_decide():
    thread = asking(role("ops"))

    assert thread.events[-1].data["to"] == {"people": [{"role": "ops"}], "needed": 1}
    assert verdict(thread, "ben").refusal is None
    assert isinstance(verdict(thread, "cleo").refusal, NotAllowed)
    assert "asked of role ops" in str(verdict(thread, "cleo").refusal)


def test_a_person_answers_under_her_own_name_from_any_address():
    vote, closed = verdict(asking("anna"), "Anna@Example.com").drafts

    assert (vote.data["by"], vote.data["as"]) == ("anna", "Anna@Example.com")
    assert vote.data["directory"] == "v1"
    assert vote.key == "vote:s1.1:anna"
    assert closed.data["by"] == "anna"


def test_a_vote_says_no_more_than_it_knows():
    [vote, _] = verdict(asking("anna"), "anna", directory=NAMES_ALONE).drafts

    assert "as" not in vote.data
    assert "directory" not in vote.data


def test_two_addresses_of_one_person_are_one_vote():
    thread = asking(at_least(2, "anna", "ben"), said("approve", by="anna"))

    assert "already answered" in str(verdict(thread, "anna@example.com").refusal)
    assert outcome(here(said("approve", by="ben"), onto=thread)) == "approved"


def test_all_of_waits_for_each_group():
    thread = asking(all_of(role("ops"), role("finance")), said("approve", by="anna"))

    assert outcome(thread) is None
    assert outcome(here(said("approve", by="ben"), onto=thread)) is None
    assert outcome(here(said("approve", by="cleo"), onto=thread)) == "approved"


def test_who_was_removed_since_may_no_longer_answer():
    thread = asking(any_of("cleo", role("ops")))

    assert isinstance(verdict(thread, "cleo", directory=without("cleo")).refusal, NotAllowed)
    assert isinstance(verdict(thread, "ben", directory=without("ben")).refusal, NotAllowed)


def test_the_vote_of_somebody_removed_since_does_not_count():
    thread = asking(at_least(2, "anna", "ben", "cleo"), said("approve", by="anna"))

    left = verdict(thread, "ben", directory=without("anna"))

    assert [draft.type for draft in left.drafts] == ["contact_answered"]
    assert len(verdict(thread, "ben").drafts) == 2


@pytest.mark.parametrize("decision", ["approve", "deny", "edit"])
def test_under_four_eyes_who_asked_for_it_decides_nothing(decision: Any):
    thread = asking(not_an_initiator(["dan", "anna"]))

    refused = verdict(thread, "dan", decision, comment="x").refusal

    assert isinstance(refused, NotAllowed)
    assert "dan asked for it, and four eyes are needed" in str(refused)
    assert verdict(thread, "anna").refusal is None


def test_only_what_the_choice_had_read_makes_an_initiator():
    thread = here(
        message("go", sender="anna"),
        message("hurry", sender="ben"),
        chosen(Deploy(tag="v1"), saw=1),
        asked(not_an_initiator(["anna", "ben"])),
        message("please", sender="ben"),
    )

    assert AGENT.state(thread).by_id("s1").initiators == ("anna",)  # pyright: ignore
    assert verdict(thread, "ben").refusal is None
    assert isinstance(verdict(thread, "anna").refusal, NotAllowed)


def test_a_message_without_a_sender_makes_nobody_an_initiator():
    thread = here(message("go"), chosen(Deploy(tag="v1")))

    assert AGENT.state(thread).ready[0].initiators == ()


def test_an_initiator_is_known_by_any_of_her_addresses():
    thread = here(
        message("go", sender="ANNA@example.com"),
        chosen(Deploy(tag="v1")),
        asked(not_an_initiator(role("ops"))),
    )

    assert isinstance(verdict(thread, "anna").refusal, NotAllowed)
    assert verdict(thread, "ben").refusal is None


def test_a_delegated_task_names_the_people_behind_it():
    thread = here(message("go", sender="anna"), chosen(Hand(task="x")))
    state = AGENT.state(thread)
    plan = begin(
        Delegate(state.ready[0].step, "child", "x"), state, thread, AGENT, now=thread.events[-1].at
    )
    [task] = plan.others[0].drafts
    child = Thread("t1.s1", "bot", [task.event(1)])

    assert task.data["initiators"] == ["anna"]
    step = here(chosen(Deploy(tag="v1")), onto=child)
    assert AGENT.state(step).ready[0].initiators == ("anna",)


def test_a_task_that_nobody_is_behind_names_nobody():
    thread = here(message("go"), chosen(Hand(task="x")))
    state = AGENT.state(thread)
    effect = Delegate(state.ready[0].step, "child", "x")
    plan = begin(effect, state, thread, AGENT, now=thread.events[-1].at)

    assert "initiators" not in plan.others[0].drafts[0].data


def test_whoever_edited_a_step_is_an_initiator_of_it():
    edit = (edited(by="ben", tag="v2"), asked(at_least(2, "anna", "ben")))
    thread = asking(at_least(2, "anna", "ben"), *edit, edited(by="anna", tag="v3"))

    assert AGENT.state(thread).ready[0].initiators == ("dan", "ben", "anna")


def test_an_edit_is_asked_anew_under_four_eyes_and_is_no_yes():
    four = not_an_initiator(["anna", "ben"])
    thread = asking(four, edited(by="anna", tag="v2"))
    [step] = AGENT.state(thread).ready
    again = here(asked(four), onto=thread)

    assert not step.approved
    assert isinstance(verdict(again, "anna", contact="s2.1").refusal, NotAllowed)
    assert len(verdict(again, "ben", contact="s2.1").drafts) == 2


def test_an_edit_where_two_are_needed_is_one_of_two_yeses():
    two = at_least(2, "anna", "ben", "cleo")
    thread = asking(two, said("approve", by="cleo"), edited(by="anna", tag="v2"), asked(two))

    assert not AGENT.state(thread).by_id("s2").approved  # pyright: ignore
    assert len(verdict(thread, "ben", contact="s2.1").drafts) == 2
    assert len(verdict(thread, "anna", contact="s2.1").drafts) == 1


def test_two_yeses_of_which_one_is_an_edit_let_the_step_run():
    two = at_least(2, "anna", "ben")
    thread = asking(two, edited(by="anna", tag="v2"), asked(two), said("approve", by="ben"))

    assert [d.type for d in begun(thread, lambda s: run(deploy, s), DIRECTORY)] == ["tool_started"]
    [void] = begun(thread, lambda s: run(deploy, s), without("anna"))
    assert void.data["gone"] == ["anna"]


def test_the_yes_of_an_edit_is_to_the_arguments_of_the_edit():
    two = at_least(2, "anna", "ben")
    thread = asking(two, edited(by="anna", tag="v2"))
    thread.events[-1].data["args"]["tag"] = "evil"
    again = here(asked(two), onto=thread)

    assert len(verdict(again, "ben", contact="s2.1").drafts) == 1


def test_a_role_can_edit_and_approve_in_one_where_one_is_enough():
    edit = (edited(by="ben", tag="v2"), asked(role("ops")))

    assert AGENT.state(asking(role("ops"), *edit)).ready[0].approved


def test_an_edit_by_someone_who_is_not_all_of_them_is_not_approved():
    both = all_of("anna", "ben")
    thread = asking(both, edited(by="anna", tag="v2"), asked(both))

    assert not AGENT.state(thread).by_id("s2").approved  # pyright: ignore


def test_a_yes_does_not_run_when_who_gave_it_has_left():
    thread = asking(role("ops"), approved(by="ben"))

    [void] = begun(thread, lambda s: run(deploy, s), without("ben"))

    assert (void.type, void.key) == ("contact_voided", "voided:s1.1")
    assert void.data["reason"] == "ben may no longer decide"
    assert (void.data["gone"], void.data["directory"]) == (["ben"], "v2")
    after = thread.grown([void.event(thread.head + 1)])
    assert not AGENT.state(after).ready[0].approved


def test_a_yes_that_stands_says_which_directory_it_was_checked_with():
    [start] = begun(asking(role("ops"), approved()), lambda s: run(deploy, s), DIRECTORY)

    assert (start.data["approval"], start.data["directory"]) == ("s1.1", "v1")


def test_another_attempt_asks_the_directory_once_more():
    thread = asking(role("ops"), approved(by="ben"), started(), killed())

    [void] = begun(thread, lambda s: run(deploy, s, retry_safe=True), without("ben"))

    assert void.type == "contact_voided"


def test_an_edit_does_not_run_when_who_made_it_has_left():
    either = any_of("anna", "ben")
    thread = asking(either, edited(by="ben", tag="v2"), asked(either))

    assert begun(thread, lambda s: run(deploy, s), without("ben"))[0].type == "contact_voided"
    assert begun(thread, lambda s: run(deploy, s), DIRECTORY)[0].type == "tool_started"


def test_a_contact_that_ended_in_no_yes_lets_nothing_run():
    thread = asking("anna", approved())
    thread.events[-1].data["outcome"] = "it_ran"
    forged = event(
        "next_step_chosen",
        intent="deploy",
        args={"tag": "v1", "flags": {}},
        by="human",
        person="anna",
        edits="s1",
        approval={"contact": "s1.1", "digest": AGENT.state(asking("anna")).open[0].digest("s1.1")},
    )

    [void] = begun(here(forged, onto=asking("anna", denied("no"))), lambda s: run(deploy, s), None)
    assert void.data["reason"] == "s1.1 did not end in a yes to s2"


def test_a_closing_without_enough_votes_lets_nothing_run():
    closed = event("contact_closed", contact="s1.1", outcome="approved", by="anna")
    thread = asking(at_least(2, "anna", "ben"), said("approve", by="anna"), closed)

    [void] = begun(thread, lambda s: run(deploy, s), DIRECTORY)
    assert void.data["reason"] == "s1.1 lacks votes"


def test_a_closing_without_any_vote_lets_nothing_run():
    thread = asking("anna", event("contact_closed", contact="s1.1", outcome="approved", by="anna"))

    assert begun(thread, lambda s: run(deploy, s), DIRECTORY)[0].type == "contact_voided"


@pytest.mark.parametrize("by", [role("opps"), "mallory", not_an_initiator("dan")])
def test_a_question_that_nobody_could_answer_is_a_wrong_decision(by: Any):
    with pytest.raises(WrongDecision):
        asking(by)


def test_a_question_to_the_one_who_asked_is_no_four_eyes_matter():
    thread = here(message("?", sender="anna"), chosen(Question(text="?")), asked("anna", "?"))

    assert verdict(thread, "anna", "answer", value="x").refusal is None


def test_an_owner_that_the_directory_does_not_know_parks_the_thread():
    cut_off = here(*DEPLOY, asked("anna"), approved(), started(), killed())
    gone = here(message("go"), chosen(Look()))
    gone.events[-1].data["args"] = {"what": 5}
    state, now = AGENT.state(gone), gone.events[-1].at

    with pytest.raises(WrongDecision, match="no active 'olga'"):
        begun(cut_off, lambda s: run(deploy, s), without("olga"))
    with pytest.raises(WrongDecision, match="no active 'olga'"):
        recover(state, AGENT, in_flight=(), now=now, directory=without("olga"))


def careful(thread: Thread, state: Any) -> Any:
    each = [
        run(deploy, one.step) if one.approved else Approve(one.step, by=role("ops"))
        for one in state.ready
    ]
    return All(*each) if state.open else AskModel("what next?", Deploy | Look)


def decided() -> Fact:
    return Fact(lambda past: begun_by(past, past.agent.decide(past.thread, past.state)))


def test_a_replay_needs_no_directory():
    agent = Agent("bot", careful, Deploy | Look, owner="olga")
    two = chosen(Deploy(tag="a"), Deploy(tag="b"))
    votes = [said("approve", contact=c, by=by) for c, by in (("s1.1", "anna"), ("s2.1", "ben"))]
    thread = given(message("go"), two, decided(), *votes, agent=agent, directory=DIRECTORY)

    thread = given(decided(), onto=thread, agent=agent, directory=without("ben"))
    thread = given(decided(), onto=thread, agent=agent, directory=without("ben"))

    types = [e.type for e in thread.events[-3:]]
    assert types == ["tool_started", "contact_voided", "contact_requested"]
    assert replay(thread, agent) == []
    other = Agent("bot", lambda thread, state: Wait(), Deploy | Look, owner="olga")
    assert len(replay(thread, other)) == 4
