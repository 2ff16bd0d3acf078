"""The contract with humans: what is asked, and what an answer may change."""

from datetime import timedelta
from typing import Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from small import AGENT, HOUR, Deploy, Look, Question
from twelvefold.agent import Agent
from twelvefold.contacts import (
    ACCEPTED,
    REFUSALS_RECORDED_MAX,
    Answer,
    Verdict,
    ago,
    judge,
    request,
)
from twelvefold.effects import Wait
from twelvefold.exceptions import (
    Conflict,
    InvalidAnswer,
    NotAllowed,
    UnknownContact,
    WrongDecision,
)
from twelvefold.forks import fork
from twelvefold.plan import fire, recover
from twelvefold.policy import Policy, Settles, at_least
from twelvefold.reducer import read
from twelvefold.steps import Step, schema_hash
from twelvefold.testing import (
    START,
    TICK,
    answered,
    approved,
    asked,
    chosen,
    denied,
    edited,
    event,
    finished,
    given,
    killed,
    later,
    message,
    returned,
    said,
    started,
)
from twelvefold.thread import Thread

ASKED = (message("go"), chosen(Deploy(tag="v1")), asked(["anna", "ben"], within=HOUR))
TWO = (message("go"), chosen(Deploy(tag="v1")), asked(Policy(("anna", "ben", "cleo"), needed=2)))


def verdict(
    thread: Thread,
    decision: Any = "approve",
    *,
    agent: Any = AGENT,
    late: timedelta = TICK,
    **more: Any,
) -> Verdict:
    answer = Answer(**{"contact": "s1.1", "decision": decision, "by": "anna"} | more)
    now = thread.events[-1].at + late
    return judge(agent.state(thread), answer, now=now, settles=Settles({"local": "high"}))


def refusal(thread: Thread, decision: Any = "approve", **more: Any) -> Any:
    """The refusal, after checking that nothing but its record is appended."""
    found = verdict(thread, decision, **more)
    assert [draft.type for draft in found.drafts] == ["answer_refused"]
    assert found.drafts[0].data["why"] == str(found.refusal)
    assert "Nothing was done" in str(found.refusal)
    return found.refusal


def kinds(found: Verdict) -> list[str]:
    return [draft.type for draft in found.drafts]


def here(*facts: Any, onto: Thread | None = None) -> Thread:
    return given(*facts, agent=AGENT, onto=onto)


def test_an_approval_records_what_it_binds():
    data = here(*ASKED).events[-1].data

    assert data["args"] == {"tag": "v1", "flags": {}}
    assert data["schema"] == schema_hash(Deploy)
    assert data["risk"] == "high"
    assert data["to"] == {"people": ["anna", "ben"], "needed": 1}
    assert data["deadline"] == "2026-01-01T13:00:02.000000Z"
    assert len(data["digest"]) == 64


def test_the_digest_is_bound_to_tenant_thread_contact_and_arguments():
    def digest(*facts: Any, **more: Any) -> str:
        return (
            given(message("go"), *facts, asked("anna"), agent=AGENT, **more)
            .events[-1]
            .data["digest"]
        )

    step = chosen(Deploy(tag="v1"))
    again = (step, asked("anna"), event("contact_closed", contact="s1.1", outcome="voided"))

    assert digest(step) == digest(step)
    assert (
        len(
            {
                digest(step),
                digest(step, tenant="acme"),
                digest(step, thread_id="t2"),
                digest(*again),
                digest(chosen(Deploy(tag="v2"))),
                digest(chosen(Deploy(tag="v1", flags={"force": True}))),
            }
        )
        == 6
    )


def test_a_question_binds_no_arguments():
    assert (
        "digest"
        not in here(message("go"), chosen(Question(text="?")), asked("anna", "?")).events[-1].data
    )


def test_an_approval_of_a_step_without_a_class_cannot_be_asked():
    state = read(here(message("go"), chosen(Deploy(tag="v1"))))

    with pytest.raises(WrongDecision, match="unknown intent 'deploy'"):
        request(state, state.open[0], "approval", Policy(("anna",)), now=START)


def test_a_yes_is_a_vote_and_a_closing():
    found = verdict(here(*ASKED))

    assert [draft.key for draft in found.drafts] == ["vote:s1.1:anna", "closed:s1.1"]
    assert found.drafts[1].data["outcome"] == "approved"
    assert found.cancel == ("expire:s1.1",)


def test_an_approved_step_is_approved():
    [step] = AGENT.state(here(*ASKED, approved(by="ben"))).ready

    assert step.approved


@pytest.mark.parametrize("first", [approved(), denied("no"), edited(tag="v2")])
def test_the_first_closing_wins_and_the_loser_learns_who_won(first: Any):
    thread = here(*ASKED, first)

    found = refusal(thread, by="ben", late=timedelta(seconds=9))

    assert isinstance(found, Conflict)
    assert "by anna, 9 s ago (api)" in str(found)


def test_a_second_answer_of_the_same_person_is_refused():
    assert "already answered" in str(refusal(here(*TWO, approved(by="ben")), by="ben"))


def test_a_stranger_is_refused():
    found = refusal(here(*ASKED), by="mallory")

    assert isinstance(found, NotAllowed)
    assert "asked of anna or ben" in str(found)


def test_a_weak_channel_may_not_settle_high_risk():
    found = refusal(here(*ASKED), channel="sms", assurance="number")

    assert isinstance(found, NotAllowed)
    assert "sms (number) may not settle high risk" in str(found)


def test_an_answer_is_in_time_up_to_its_deadline():
    thread = here(*ASKED)

    assert verdict(thread, late=HOUR).refusal is None
    assert "expired at" in str(refusal(thread, late=HOUR + timedelta(microseconds=1)))


def test_silence_is_a_no():
    thread = here(*ASKED)
    [closed] = fire(thread, "expire:s1.1", now=START + 2 * HOUR).drafts
    state = AGENT.state(thread.grown([closed.event(thread.head + 1)]))

    assert state.ready == []
    assert state.last(Deploy).status == "denied"  # pyright: ignore
    assert state.last(Deploy).error == "expired: nobody answered in time"  # pyright: ignore


def test_a_digest_of_another_screen_is_refused():
    assert "other arguments than the ones you saw" in str(refusal(here(*ASKED), digest="0" * 64))


def test_the_digest_that_was_shown_is_accepted():
    thread = here(*ASKED)

    assert verdict(thread, digest=thread.events[-1].data["digest"]).refusal is None


def test_nobody_can_approve_arguments_that_were_changed_in_the_log():
    thread = here(*ASKED)
    thread.events[1].data["args"]["tag"] = "evil"

    assert "changed since" in str(refusal(thread))


class Redeployed(Step):
    """A deploy of the next release of the code, with one argument more."""

    risk: ClassVar[Any] = "high"
    intent: Literal["deploy"] = "deploy"
    tag: str
    flags: dict[str, Any] = Field(default_factory=dict[str, Any])
    force: bool = True


def agent_with(steps: Any, **more: Any) -> Agent[Any, Any]:
    return Agent("bot", lambda thread, state: Wait(), steps, owner="olga", **more)


def test_a_redeploy_that_changes_the_step_voids_the_open_approval():
    thread, new = here(*ASKED), agent_with(Redeployed | Look)

    assert "changed since" in str(refusal(thread, agent=new))
    [closed] = recover(new.state(thread), new, in_flight=(), now=START).drafts
    assert (closed.data["outcome"], closed.key) == ("voided", "closed:s1.1")


def test_a_redeploy_that_changes_the_step_voids_the_yes():
    thread = here(*ASKED, approved())

    assert not agent_with(Redeployed).state(thread).ready[0].approved
    assert not agent_with(Look).state(thread).open[0].approved


def test_an_upcaster_that_changes_arguments_voids_the_yes():
    thread = here(*ASKED, approved())
    same = agent_with(Deploy, upcasters={"deploy": lambda args: args})
    other = agent_with(Deploy, upcasters={"deploy": lambda args: args | {"tag": "v9"}})
    broken = agent_with(Deploy, upcasters={"deploy": lambda args: args["gone"]})

    assert same.state(thread).ready[0].approved
    assert not other.state(thread).ready[0].approved
    assert not broken.state(thread).open[0].approved


def test_a_person_sees_the_arguments_as_the_upcaster_leaves_them():
    newer = agent_with(Deploy, upcasters={"deploy": lambda args: args | {"tag": "v9"}})
    thread = given(message("go"), chosen(Deploy(tag="v1")), asked("anna"), agent=newer)

    assert thread.events[-1].data["args"]["tag"] == "v9"
    assert newer.state(given(approved(), onto=thread, agent=newer)).ready[0].approved


def test_an_answer_to_a_cancelled_thread_is_refused():
    assert "was cancelled" in str(refusal(here(*ASKED, event("cancelled", by="olga"))))


def test_a_step_that_a_late_outcome_settled_can_no_longer_be_answered():
    late = event("tool_returned", step="s1", intent="look", result="x", attempt=1)
    thread = here(message("go"), chosen(Look()), started(), killed(), asked_outcome(), late)

    assert "settled otherwise" in str(refusal(thread, "it_ran", by="olga"))
    [closed] = recover(AGENT.state(thread), AGENT, in_flight=(), now=START).drafts
    assert closed.data["outcome"] == "voided"


def asked_outcome() -> Any:
    return event(
        "contact_requested",
        contact="s1.1",
        step="s1",
        kind="outcome",
        intent="look",
        to={"people": ["olga"], "needed": 1},
    )


def test_a_question_to_a_thread_that_finished_is_closed():
    thread = here(message("go"), chosen(Question(text="?")), asked("anna", "?"), finished())

    assert "already cancelled" in str(refusal(thread, "answer", value="x"))


def test_refusals_are_recorded_up_to_a_limit():
    refused = said("approve", by="mallory")
    thread = here(*ASKED, *[refused] * (REFUSALS_RECORDED_MAX + 5))

    assert sum(e.type == "answer_refused" for e in thread.events) == REFUSALS_RECORDED_MAX
    assert verdict(thread, by="mallory").refusal is not None
    assert verdict(thread, by="mallory").drafts == ()
    assert verdict(thread).refusal is None


def test_an_unknown_contact_is_not_found():
    with pytest.raises(UnknownContact, match=r"t1 holds no contact s9\.1"):
        verdict(here(*ASKED), contact="s9.1")


@pytest.mark.parametrize("comment", [None, "", "  \n"])
def test_a_denial_needs_a_comment(comment: Any):
    with pytest.raises(InvalidAnswer, match="needs a comment"):
        verdict(here(*ASKED), "deny", comment=comment)


def test_the_model_can_read_why_it_was_denied():
    state = AGENT.state(here(*ASKED, denied("backend first", by="ben")))
    deploy = state.last(Deploy)

    assert deploy is not None
    assert (deploy.status, deploy.error) == ("denied", "denied by ben: backend first")
    assert state.ready == []


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_answer_is_no_answer(value: Any):
    thread = here(message("go"), chosen(Question(text="?")), asked("anna", "?"))

    with pytest.raises(InvalidAnswer, match="not silence"):
        verdict(thread, "answer", value=value)


@pytest.mark.parametrize("value", ["v1", 0, False, ["a"]])
def test_the_answer_is_the_result_of_the_question(value: Any):
    state = AGENT.state(
        here(message("?"), chosen(Question(text="?")), asked("anna", "?"), answered(value))
    )
    question = state.last(Question)

    assert question is not None
    assert (question.status, question.result, question.answer) == ("returned", value, value)


@pytest.mark.parametrize("kind", list(ACCEPTED))
def test_an_answer_of_the_wrong_kind_changes_nothing(kind: Any):
    every = {decision for some in ACCEPTED.values() for decision in some}
    thread = here(message("go"), chosen(Deploy(tag="v1")))
    state = AGENT.state(thread)
    draft = request(state, state.ready[0], kind, Policy(("anna",)), now=START)
    thread = thread.grown([draft.event(thread.head + 1)])

    for decision in every - set(ACCEPTED[kind]):
        with pytest.raises(InvalidAnswer, match=" or ".join(ACCEPTED[kind])):
            verdict(thread, decision, comment="x", value="x")


def test_two_people_are_needed_where_two_are_asked_for():
    once = here(*TWO, approved(by="anna"))
    twice = here(approved(by="cleo"), onto=once)

    assert kinds(verdict(here(*TWO))) == ["contact_answered"]
    assert verdict(here(*TWO)).cancel == ()
    assert AGENT.state(once).waiting
    assert AGENT.state(twice).ready[0].approved


def test_one_no_outweighs_a_yes():
    state = AGENT.state(here(*TWO, approved(by="anna"), denied("no", by="ben")))

    assert state.ready == []
    assert state.contacts["s1.1"].outcome == "denied"


def test_an_edit_is_a_new_step_with_its_own_digest():
    thread = here(*ASKED, edited(tag="v2"))
    vote, closed, new = thread.events[-3:]
    state = AGENT.state(here(asked("anna"), onto=thread))

    assert (vote.data["decision"], closed.data["outcome"]) == ("edit", "edited")
    assert (new.data["by"], new.data["person"], new.data["edits"]) == ("human", "anna", "s1")
    assert new.data["vote"]["digest"] != thread.events[2].data["digest"]
    assert not AGENT.state(thread).ready[0].approved
    assert [(c.id, c.step, c.approved) for c in state.ready] == [("s2", Deploy(tag="v2"), True)]
    assert state.by_id("s1").status == "edited"  # pyright: ignore


def test_an_edit_alone_is_not_approved_where_two_are_needed():
    [step] = AGENT.state(here(*TWO, edited(tag="v2"))).ready

    assert (step.step, step.approved) == (Deploy(tag="v2"), False)


def test_an_edited_step_that_is_changed_again_in_the_log_is_not_approved():
    thread = here(*ASKED, edited(tag="v2"))
    thread.events[-1].data["args"]["tag"] = "evil"

    assert not AGENT.state(here(asked("anna"), onto=thread)).ready


def test_an_edit_is_a_yes_only_where_the_changed_step_is_asked_of_its_editor_alone():
    thread = here(*ASKED, edited(tag="v2"))

    assert AGENT.state(here(asked(["anna", "ben"]), onto=thread)).ready[0].approved
    for others in ("ben", at_least(2, "anna", "ben")):
        assert not AGENT.state(here(asked(others), onto=thread)).ready


@pytest.mark.parametrize(
    "changes",
    [{"tga": "v2"}, {"intent": "look"}, {"tag": 5}, {"tag": None}, {"flags": float("inf")}],
)
def test_an_edit_that_cannot_be_made_is_refused(changes: Any):
    with pytest.raises(InvalidAnswer, match="Nothing was done"):
        verdict(here(*ASKED), "edit", changes=changes)


class Loose(BaseModel):
    """A step model that ignores what it does not know, and stores one argument by its alias."""

    model_config = ConfigDict(frozen=True)
    risk: ClassVar[Any] = "high"
    intent: Literal["loose"] = "loose"
    tag: str = "v0"
    region: str = Field("eu", alias="regionName")


LOOSE = agent_with(Loose)


def test_a_typing_error_in_an_edit_does_not_run_the_old_step():
    thread = given(message("go"), chosen(Loose()), asked("anna"), agent=LOOSE)

    with pytest.raises(InvalidAnswer, match="no argument tga"):
        verdict(thread, "edit", changes={"tga": "v2"}, agent=LOOSE)


def test_an_edit_keeps_the_arguments_that_it_does_not_name():
    step = Loose(regionName="us")
    thread = given(message("go"), chosen(step), asked("anna"), edited(tag="v2"), agent=LOOSE)

    assert LOOSE.state(thread).ready[0].step == Loose(tag="v2", regionName="us")


@pytest.mark.parametrize("changes", [None, {}])
def test_an_edit_without_changes_is_no_yes(changes: Any):
    with pytest.raises(InvalidAnswer, match="An edit changes something"):
        verdict(here(*ASKED), "edit", changes=changes)


def test_changes_beside_another_decision_are_refused():
    with pytest.raises(InvalidAnswer, match="Only an edit changes"):
        verdict(here(*ASKED), "approve", changes={"tag": "v2"})


def test_an_approval_after_a_cut_off_says_that_it_may_have_run():
    thread = here(*ASKED, approved(), started(), killed(), voided("s1.1"), asked("anna"))

    assert thread.events[-1].data["question"].startswith("Its last run was cut off")


def voided(contact: str) -> Any:
    return event("contact_voided", contact=contact, step="s1", reason="x")


def test_an_edit_to_the_same_arguments_is_the_same_step_approved():
    [step] = AGENT.state(here(*ASKED, edited(tag="v1"), asked("anna"))).ready

    assert (step.id, step.step, step.approved) == ("s2", Deploy(tag="v1"), True)


def test_a_repair_is_not_an_approval():
    thread, new = here(message("go"), chosen(Deploy(tag="v1"))), agent_with(Strict)
    [asking] = recover(new.state(thread), new, in_flight=(), now=START).drafts
    thread = thread.grown([asking.event(thread.head + 1)])

    fixed = given(edited(by="olga", cluster="eu"), onto=thread, agent=new)

    [step] = new.state(fixed).ready
    assert (asking.data["kind"], asking.data["to"]["people"]) == ("repair", ["olga"])
    assert "cluster: Field required" in asking.data["question"]
    assert (step.step, step.approved) == (Strict(tag="v1", cluster="eu"), False)


class Strict(Step):
    """The next release: `flags` went, `cluster` came."""

    risk: ClassVar[Any] = "high"
    intent: Literal["deploy"] = "deploy"
    tag: str
    cluster: str


def test_a_step_that_no_agent_knows_can_only_be_given_up():
    thread, new = here(message("go"), chosen(Deploy(tag="v1"))), agent_with(Look)
    [asking] = recover(new.state(thread), new, in_flight=(), now=START).drafts
    thread = thread.grown([asking.event(thread.head + 1)])

    with pytest.raises(InvalidAnswer, match="use give_up"):
        verdict(thread, "edit", by="olga", changes={}, agent=new)
    assert new.state(given(said("give_up"), onto=thread, agent=new)).open == []


def test_the_yes_of_one_thread_is_none_in_its_fork():
    thread = here(*ASKED, approved())
    _, drafts = fork(thread, thread.head, new_id="t2", now=START)
    copied = Thread("t2", "bot", [draft.event(n) for n, draft in enumerate(drafts, 1)])

    assert not AGENT.state(copied).ready[0].approved
    assert AGENT.state(thread).ready[0].approved


@pytest.mark.parametrize("copy", [{"thread_id": "t2"}, {"tenant": "acme"}])
def test_a_log_copied_under_another_name_carries_no_yes(copy: dict[str, str]):
    original = here(*ASKED, approved())
    name, tenant = copy.get("thread_id", "t1"), copy.get("tenant", "default")
    forged = Thread(name, "bot", original.events, tenant=tenant)

    assert not AGENT.state(forged).ready[0].approved


def test_a_run_keeps_the_yes_for_its_next_attempt():
    thread = here(*ASKED, approved(), started(), killed())

    [step] = AGENT.state(thread).ready
    assert (step.status, step.approved) == ("unknown", True)


def test_a_run_that_returned_cannot_be_approved_again():
    thread = here(*ASKED, approved(), started(), returned("ok"))

    assert "already approved by anna" in str(refusal(thread, by="ben"))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7_200, "2 h"), (200_000, "2 d")],
)
def test_ages_are_told_in_their_largest_unit(seconds: int, words: str):
    assert ago(timedelta(seconds=seconds)) == words


def test_a_contact_closed_by_nobody_says_only_how():
    thread = here(*ASKED, event("contact_closed", contact="s1.1", step="s1", outcome="give_up"))

    assert "already give up, 1 s ago. " in str(refusal(thread))


def test_time_passes_between_facts():
    assert here(later(HOUR), message("hi")).events[0].at == START + HOUR
