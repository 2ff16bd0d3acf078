"""Deadlines with what comes after them, reminders, and contacts that are passed on."""

from datetime import timedelta
from typing import Any

import pytest

from crew import START as MORNING
from crew import (
    STORES,
    Clock,
    Pay,
    app_of,
    events,
    pipeline,
    ran_by,
    settle,
    state,
    store_of,
)
from small import AGENT, HOUR, Deploy, Question
from twelvefold.app import App
from twelvefold.contacts import (
    EXPIRED,
    REMINDERS_MAX,
    Answer,
    Escalation,
    Reassign,
    Verdict,
    judge,
    reassign,
)
from twelvefold.contacts import escalate as push
from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.effects import Approve, Ask, escalate
from twelvefold.exceptions import Conflict, NotAllowed, UnknownContact, WrongDecision
from twelvefold.forms import Option
from twelvefold.plan import fire, replay
from twelvefold.policy import (
    Policy,
    Settles,
    all_of,
    any_of,
    at_least,
    not_an_initiator,
    policy_of,
    role,
)
from twelvefold.state import Contact
from twelvefold.testing import (
    TICK,
    approved,
    began,
    chosen,
    denied,
    event,
    given,
    message,
    said,
)
from twelvefold.thread import Thread, to_iso

ANYTHING = Settles({"local": "high"})
OPS = Directory(roles={"ops": ["anna", "ben", "cleo"]}, people=["anna", "ben", "cleo", "dan"])
CHIEF = escalate(to=["chief", "anna"], within=2 * HOUR)
SPAM = Option("spam")


def here(*facts: Any, onto: Thread | None = None, directory: Directory = NAMES_ALONE) -> Thread:
    return given(*facts, agent=AGENT, onto=onto, directory=directory)


def approving(by: Any = "anna", *, directory: Directory = NAMES_ALONE, **more: Any) -> Thread:
    ask = began(lambda step: Approve(step, by=by, **more))
    return here(message("go", sender="dan"), chosen(Deploy(tag="v1")), ask, directory=directory)


def contact(thread: Thread) -> Contact:
    return AGENT.state(thread).contacts["s1.1"]


def fired(thread: Thread, key: str, late: timedelta) -> Thread:
    append = fire(thread, key, now=thread.events[-1].at + late)
    return thread.then(*append.drafts)


def verdict(
    thread: Thread, by: str, decision: Any = "approve", *, late: timedelta = TICK, **more: Any
) -> Verdict:
    answer = Answer(**{"contact": "s1.1", "decision": decision, "by": by} | more)
    now = thread.events[-1].at + late
    return judge(AGENT.state(thread), answer, now=now, settles=ANYTHING)


def passed_on(
    thread: Thread,
    *,
    late: timedelta = TICK,
    owner: Any = "olga",
    settles: Settles = ANYTHING,
    directory: Directory = NAMES_ALONE,
    **wish: Any,
) -> Verdict:
    given = Reassign(**{"contact": "s1.1", "to": "dora", "by": "anna"} | wish)
    now = thread.events[-1].at + late
    return reassign(
        AGENT.state(thread),
        given,
        owner=policy_of(owner),
        now=now,
        settles=settles,
        directory=directory,
    )


def refused(thread: Thread, **more: Any) -> str:
    found = passed_on(thread, **more)
    assert [(d.type, d.data["decision"]) for d in found.drafts] == [("answer_refused", "reassign")]
    assert "Nothing was done" in str(found.refusal)
    return str(found.refusal)


# Deadlines


def test_a_plain_deadline_adds_nothing_to_the_request():
    data = approving(within=HOUR).events[-1].data

    assert not {"on_expiry", "remind_s", "asked_at"} & data.keys()


def test_after_the_deadline_others_are_asked_once():
    thread = approving(within=HOUR, on_expiry=CHIEF)
    append = fire(thread, "expire:s1.1", now=contact(thread).deadline or MORNING)
    [moved] = append.drafts
    later = thread.then(moved)

    assert (moved.type, moved.key) == ("contact_escalated", "escalated:s1.1")
    assert moved.data["to"] == {"people": ["chief", "anna"], "needed": 1}
    assert moved.data["deadline"] == to_iso(moved.at + 2 * HOUR)
    assert [(t.key, t.due) for t in append.timers] == [("expire:s1.1", moved.at + 2 * HOUR)]
    assert contact(later).policy == any_of("chief", "anna")
    assert verdict(later, "chief").refusal is None


def test_the_request_is_repeated_where_it_moves():
    thread = approving(within=HOUR, on_expiry=CHIEF)
    asking, moved = thread.events[-1].data, fired(thread, "expire:s1.1", HOUR).events[-1].data

    same = asking.keys() - {"to", "deadline", "on_expiry"}
    assert {name: moved[name] for name in same} == {name: asking[name] for name in same}
    assert moved["asked_at"] == to_iso(thread.events[-1].at)
    assert "on_expiry" not in moved


def test_silence_after_an_escalation_is_a_no():
    thread = fired(approving(within=HOUR, on_expiry=CHIEF), "expire:s1.1", HOUR)
    over = fired(thread, "expire:s1.1", 2 * HOUR)

    assert over.events[-1].data["outcome"] == "expired"
    assert AGENT.state(over).last(Deploy).status == "denied"  # pyright: ignore


def test_a_timer_that_fires_before_the_new_deadline_waits_for_it():
    thread = fired(approving(within=HOUR, on_expiry=CHIEF), "expire:s1.1", HOUR)
    append = fire(thread, "expire:s1.1", now=thread.events[-1].at + HOUR)

    assert list(append.drafts) == []
    assert [t.due for t in append.timers] == [contact(thread).deadline]
    assert not append.wake


def test_an_answer_after_the_first_deadline_is_judged_by_the_second_policy():
    thread = approving(["anna", "ben"], within=HOUR, on_expiry=CHIEF)

    late = verdict(thread, "chief", late=2 * HOUR)
    assert [d.type for d in late.drafts] == [
        "contact_escalated",
        "contact_answered",
        "contact_closed",
    ]
    assert "expire:s1.1" in late.cancel
    assert isinstance(verdict(thread, "ben", late=2 * HOUR).refusal, NotAllowed)
    assert isinstance(verdict(thread, "chief").refusal, NotAllowed)
    assert AGENT.state(thread.then(*late.drafts)).ready[0].approved


def test_a_refused_answer_after_the_deadline_escalates_nothing_by_itself():
    thread = approving(within=HOUR, on_expiry=CHIEF)

    assert [d.type for d in verdict(thread, "ben", late=2 * HOUR).drafts] == ["answer_refused"]


def test_one_of_two_yeses_after_the_deadline_sets_the_next_one():
    chiefs = escalate(to=at_least(2, "chief", "anna"), within=2 * HOUR)
    thread = approving(within=HOUR, on_expiry=chiefs)
    found = verdict(thread, "chief", late=2 * HOUR)

    assert [d.type for d in found.drafts] == ["contact_escalated", "contact_answered"]
    assert [(t.key, t.due) for t in found.timers] == [
        ("expire:s1.1", found.drafts[0].at + 2 * HOUR)
    ]
    assert found.cancel == ()
    assert verdict(thread, "anna").timers == ()


def test_a_yes_of_the_first_round_counts_where_its_giver_is_asked_again():
    both = escalate(to=at_least(2, "anna", "chief"), within=HOUR)
    thread = approving(at_least(2, "anna", "ben"), within=HOUR, on_expiry=both)
    moved = fired(here(said("approve", by="anna"), onto=thread), "expire:s1.1", HOUR)

    assert len(verdict(moved, "chief").drafts) == 2


def test_silence_may_mean_an_option():
    thread = approving(within=HOUR, options=[SPAM], on_expiry="spam", remind=HOUR)
    append = fire(thread, "expire:s1.1", now=thread.events[-1].at + HOUR)
    over = thread.then(*append.drafts)
    deploy = AGENT.state(over).last(Deploy)

    assert over.events[-1].data["outcome"] == "chosen"
    assert over.events[-1].data["comment"] == EXPIRED
    assert append.cancel == ("expire:s1.1", "remind:s1.1")
    assert deploy is not None
    assert (deploy.status, deploy.choice) == ("denied", "spam")
    assert deploy.error == f"spam was chosen: {EXPIRED}"
    assert "expired at" in str(verdict(thread, "anna", late=2 * HOUR).refusal)


def test_a_question_that_nobody_answers_may_answer_itself():
    ask = began(lambda s: Ask(s, "?", to="anna", within=HOUR, options=[SPAM], on_expiry="spam"))
    thread = here(message("?"), chosen(Question(text="?")), ask)

    assert AGENT.state(fired(thread, "expire:s1.1", HOUR)).last(Question).result == "spam"  # pyright: ignore


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"on_expiry": CHIEF}, "needs within="),
        ({"on_expiry": "spam"}, "needs within="),
        ({"within": HOUR, "on_expiry": "spam"}, "is no option of this contact"),
        ({"within": HOUR, "on_expiry": "approve"}, "is no option of this contact"),
        ({"within": timedelta()}, "within is 0:00:00"),
        ({"remind": -HOUR}, "remind is"),
        (
            {"within": HOUR, "on_expiry": escalate(to="x", within=timedelta())},
            r"escalate\(within=\) is",
        ),
        ({"within": HOUR, "on_expiry": escalate(to=[], within=HOUR)}, "needs somebody"),
        (
            {"within": HOUR, "on_expiry": escalate(to=not_an_initiator("dan"), within=HOUR)},
            "cannot be met",
        ),
    ],
)
def test_what_silence_means_must_make_sense(more: Any, complaint: str):
    with pytest.raises(WrongDecision, match=complaint):
        approving(**more)


# Reminders


def test_reminders_come_at_equal_times_and_have_an_end():
    thread = approving(remind=HOUR)
    due = thread.events[-1].at + HOUR
    for number in range(1, REMINDERS_MAX + 1):
        append = fire(thread, "remind:s1.1", now=due)
        [reminder] = append.drafts
        assert (reminder.type, reminder.data["reminder"]) == ("contact_reminded", number)
        assert not append.wake
        thread = thread.then(reminder)
        if number < REMINDERS_MAX:
            [timer] = append.timers
            assert (timer.key, timer.due) == ("remind:s1.1", due + HOUR)
            due = timer.due
        else:
            assert list(append.timers) == []


def test_nobody_is_reminded_of_what_was_decided():
    thread = here(approved(), onto=approving(remind=HOUR))

    assert list(fire(thread, "remind:s1.1", now=thread.events[-1].at + HOUR).drafts) == []


def test_a_decision_ends_the_reminders():
    assert verdict(approving(remind=HOUR), "anna").cancel == ("expire:s1.1", "remind:s1.1")


def test_reminders_of_strangers_and_of_closed_contacts_change_nothing():
    reminder = event("contact_reminded", contact="s1.1", step="s1", reminder=1)
    moved = event("contact_reassigned", contact="s1.1", to={"people": ["eve"], "needed": 1})
    thread = here(denied("no"), reminder, moved, onto=approving())

    assert contact(thread).reminders == 0
    assert contact(thread).policy == any_of("anna")


# Reassigning


def test_another_person_takes_a_place():
    thread = approving(["anna", "ben"], within=HOUR, remind=HOUR)
    [draft] = passed_on(thread, comment="I am away").drafts
    after = thread.then(draft)

    assert draft.type == "contact_reassigned"
    assert {k: draft.data[k] for k in ("instead_of", "person", "by", "comment", "assurance")} == {
        "instead_of": "anna",
        "person": "dora",
        "by": "anna",
        "comment": "I am away",
        "assurance": "local",
    }
    assert contact(after).policy == any_of("dora", "ben")
    assert contact(after).deadline == contact(thread).deadline
    assert isinstance(verdict(after, "anna").refusal, NotAllowed)
    assert verdict(after, "dora").refusal is None
    assert contact(after).asked_at == contact(thread).asked_at


def test_a_place_is_passed_on_through_several_hands():
    thread = approving()
    for by, to in (("anna", "ben"), ("ben", "cleo"), ("cleo", "anna")):
        thread = thread.then(*passed_on(thread, by=by, to=to).drafts)

    assert contact(thread).policy == any_of("anna")
    assert thread.events[-1].data["by"] == "cleo"
    assert "comment" not in thread.events[-1].data


def test_a_role_is_kept_and_who_left_his_place_does_not_count_through_it():
    thread = approving(at_least(2, role("ops")), directory=OPS)
    after = thread.then(*passed_on(thread, to="dan", directory=OPS).drafts)
    policy = contact(after).policy

    assert policy == Policy((*policy_of(role("ops")).people, "dan"), 2, without=("anna",))
    assert not policy.met_by(["anna", "dan"], OPS)
    assert policy.met_by(["ben", "dan"], OPS)


def test_who_gets_his_place_back_counts_again():
    thread = approving(role("ops"), directory=OPS)
    away = thread.then(*passed_on(thread, to="dan", directory=OPS).drafts)
    back = away.then(*passed_on(away, by="dan", to="anna", directory=OPS).drafts)

    assert contact(back).policy.allows("anna", OPS)
    assert not contact(back).policy.allows("dan", OPS)


def test_a_place_inside_a_policy_is_passed_on_there():
    thread = approving(all_of("cleo", any_of("anna", "ben")))
    after = thread.then(*passed_on(thread).drafts)

    assert contact(after).policy == all_of("cleo", any_of("dora", "ben"))


def test_the_owner_may_pass_on_what_was_asked_of_somebody_who_left():
    left = Directory(people=["ben", "dora", "olga"])
    thread = approving(["anna", "ben"])
    found = passed_on(thread, by="olga", instead_of="anna", directory=left)

    assert contact(thread.then(*found.drafts)).policy == any_of("dora", "ben")


def test_nobody_else_may_pass_on_what_was_asked_of_another():
    thread = approving(["anna", "ben"])

    assert "only what was asked of ben" in refused(thread, by="ben", instead_of="anna")
    assert "may not answer" in refused(thread, by="mallory")
    assert "was not asked" in refused(thread, by="olga", instead_of="zoe")


def test_a_place_that_was_used_is_not_passed_on():
    thread = here(said("approve", by="anna"), onto=approving(at_least(2, "anna", "ben")))

    assert "anna has already answered" in refused(thread)


def test_who_has_spoken_gets_no_place():
    both = escalate(to=at_least(2, "chief", "ben"), within=HOUR)
    thread = approving(at_least(2, "anna", "cleo"), within=HOUR, on_expiry=both)
    moved = fired(here(said("approve", by="anna"), onto=thread), "expire:s1.1", HOUR)

    assert "anna has already answered" in refused(moved, by="ben", to="anna")


def test_a_timer_of_a_contact_without_a_deadline_ends_nothing():
    append = fire(approving(), "expire:s1.1", now=MORNING + timedelta(days=900))

    assert (list(append.drafts), list(append.timers)) == ([], [])


def test_who_may_answer_already_gets_no_second_place():
    assert "ben may answer t1.s1.1 already" in refused(approving(["anna", "ben"]), to="ben")


@pytest.mark.parametrize("to", ["", "mallory"])
def test_a_place_goes_to_somebody_who_is_known(to: str):
    thread = approving(role("ops"), directory=OPS)

    assert "knows no active" in refused(thread, to=to, directory=OPS)
    assert "knows no active ''" in refused(approving(), to="")


def test_under_four_eyes_no_place_goes_to_who_asked_for_it():
    thread = approving(not_an_initiator(["anna", "ben"]))

    assert "dan asked for it" in refused(thread, to="dan")


def test_under_four_eyes_who_asked_for_it_picks_nobody_to_decide():
    thread = approving(all_of("ben", not_an_initiator(["dan", "anna"])))

    assert "dan asked for it" in refused(thread, by="dan")
    assert "dan asked for it" in refused(thread, by="dan", instead_of="anna", owner="dan")
    assert passed_on(thread, by="olga", instead_of="anna").refusal is None


def test_a_weak_channel_passes_no_high_risk_on():
    weak = Settles({"sms": "low"})

    assert "sms (sms) may not settle high risk" in refused(
        approving(), channel="sms", assurance="sms", settles=weak
    )


def test_what_is_over_is_not_passed_on():
    thread = approving(within=HOUR)

    assert "already approved by anna" in refused(here(approved(), onto=thread))
    assert "expired at" in refused(thread, late=2 * HOUR)
    with pytest.raises(UnknownContact):
        passed_on(thread, contact="s9.1")


def test_what_is_passed_on_after_the_deadline_is_escalated_first():
    thread = approving("ben", within=HOUR, on_expiry=CHIEF)
    found = passed_on(thread, late=2 * HOUR)

    assert [d.type for d in found.drafts] == ["contact_escalated", "contact_reassigned"]
    assert [t.key for t in found.timers] == ["expire:s1.1"]
    assert contact(thread.then(*found.drafts)).policy == any_of("chief", "dora")
    assert "on_expiry" not in found.drafts[1].data


def test_a_replay_is_not_disturbed_by_what_moved():
    thread = approving(within=HOUR, on_expiry=CHIEF)
    moved = thread.then(*passed_on(thread).drafts)

    assert [str(d) for d in replay(moved, AGENT)] == [str(d) for d in replay(thread, AGENT)]


# Escalating by hand


def pushed(thread: Thread, *, late: timedelta = TICK, owner: Any = "olga", **wish: Any) -> Verdict:
    given = Escalation(**{"contact": "s1.1", "by": "anna"} | wish)
    now, people = thread.events[-1].at + late, policy_of(owner)
    return push(AGENT.state(thread), given, owner=people, now=now, settles=ANYTHING)


def test_who_decides_alone_has_the_others_asked_with_their_own_deadline():
    thread = approving(["anna", "ben"], within=HOUR, remind=HOUR, on_expiry=CHIEF)
    found = pushed(thread, comment="beyond me")
    [draft] = found.drafts
    after = thread.then(draft)

    assert (draft.type, draft.key) == ("contact_escalated", "escalated:s1.1")
    assert {k: draft.data[k] for k in ("by", "comment", "channel", "assurance")} == {
        "by": "anna",
        "comment": "beyond me",
        "channel": "api",
        "assurance": "local",
    }
    assert contact(after).policy == any_of("chief", "anna")
    assert contact(after).deadline == draft.at + 2 * HOUR
    assert contact(after).digest == contact(thread).digest
    assert contact(after).asked_at == contact(thread).asked_at
    assert [(t.key, t.due) for t in found.timers] == [("expire:s1.1", draft.at + 2 * HOUR)]


def test_the_owner_escalates_what_several_decide():
    thread = approving(at_least(2, "anna", "ben"), within=HOUR, on_expiry=CHIEF)

    assert "does not decide" in str(pushed(thread).refusal)
    assert "may not answer" in str(pushed(thread, by="eve").refusal)
    assert pushed(thread, by="olga").refusal is None


def test_a_vote_before_it_counts_where_its_giver_is_asked_again():
    quorum = escalate(to=at_least(2, "anna", "chief"), within=HOUR)
    thread = approving(at_least(2, "anna", "ben"), within=HOUR, on_expiry=quorum)
    thread = thread.then(*verdict(thread, "anna").drafts)
    thread = thread.then(*pushed(thread, by="olga").drafts)
    closed = verdict(thread, "chief").drafts[-1]

    assert (closed.type, closed.data["outcome"]) == ("contact_closed", "approved")


def test_an_escalation_forgets_who_passed_it_on():
    thread = approving("anna", within=HOUR, on_expiry=CHIEF)
    thread = thread.then(*passed_on(thread, comment="I am away").drafts)
    [draft] = pushed(thread, by="dora").drafts

    assert not {"instead_of", "person", "comment"} & draft.data.keys()
    assert draft.data["by"] == "dora"


def test_a_refused_escalation_is_recorded():
    [draft] = pushed(approving()).drafts

    assert draft.type == "answer_refused"
    assert (draft.data["decision"], draft.data["by"]) == ("escalate", "anna")
    with pytest.raises(UnknownContact):
        pushed(approving(), contact="s9.1")


def test_a_replay_is_not_disturbed_by_an_escalation():
    thread = approving(within=HOUR, on_expiry=CHIEF)
    moved = thread.then(*pushed(thread).drafts)

    assert [str(d) for d in replay(moved, AGENT)] == [str(d) for d in replay(thread, AGENT)]


# With an engine, a store and a clock


@pytest.fixture(params=STORES)
def store(request: Any, tmp_path: Any):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def waiting(store: Any, clock: Clock, **approve: Any) -> App:
    def carry_out(chosen: Any) -> Any:
        if chosen.approved:
            return ran_by(lambda step: "paid")(chosen)
        return Approve(chosen.step, **{"by": "anna"} | approve)

    app = app_of(pipeline(Pay(to="ben"), carry_out=carry_out), store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    return app


pytestmark = pytest.mark.anyio


async def test_the_engine_escalates_and_then_gives_up(store: Any, clock: Clock):
    app = await waiting(store, clock, within=HOUR, on_expiry=CHIEF)
    clock.forward(HOUR)
    await settle(app)
    [row] = app.inbox()

    assert row.data["to"]["people"] == ["chief", "anna"]
    assert row.data["deadline"] == to_iso(clock.now + 2 * HOUR)
    assert (row.asked_at, row.data["args"]) == (MORNING, {"to": "ben"})
    clock.forward(HOUR)
    await settle(app)
    assert events(app, "contact_closed") == []
    clock.forward(HOUR)
    await settle(app)
    assert [e.data["outcome"] for e in events(app, "contact_closed")] == ["expired"]
    assert app.inbox() == []


async def test_a_late_answer_sets_the_timer_of_the_second_deadline(store: Any, clock: Clock):
    chiefs = escalate(to=at_least(2, "chief", "anna"), within=HOUR)
    app = await waiting(store, clock, within=HOUR, on_expiry=chiefs)
    clock.forward(HOUR + TICK)
    await app.answer("t.s1.1", "approve", by="chief")
    await settle(app)
    assert [row.data["deadline"] for row in app.inbox()] == [to_iso(clock.now + HOUR)]
    clock.forward(HOUR)
    await settle(app)

    assert [e.data["outcome"] for e in events(app, "contact_closed")] == ["expired"]


async def test_the_engine_reminds_until_somebody_answers(store: Any, clock: Clock):
    app = await waiting(store, clock, remind=HOUR)
    for _ in range(3):
        clock.forward(HOUR)
        await settle(app)
    await app.remind("t.s1.1", by="olga")
    await app.answer("t.s1.1", "approve", by="anna")
    clock.forward(HOUR)
    await settle(app)

    reminders = [(e.data["reminder"], e.data.get("by")) for e in events(app, "contact_reminded")]
    assert reminders == [(1, None), (2, None), (3, None), (4, "olga")]
    assert state(app).finished
    assert store.next_due() is None


async def test_reminding_by_hand_has_an_end_too(store: Any, clock: Clock):
    app = await waiting(store, clock)
    for _ in range(REMINDERS_MAX):
        await app.remind("t.s1.1")

    with pytest.raises(Conflict, match="REMINDERS_MAX"):
        await app.remind("t.s1.1")
    await app.answer("t.s1.1", "approve", by="anna")
    with pytest.raises(Conflict, match="is closed"):
        await app.remind("t.s1.1")
    with pytest.raises(UnknownContact):
        await app.remind("t.s1.2")


async def test_what_was_escalated_by_hand_ends_at_its_new_deadline(store: Any, clock: Clock):
    app = await waiting(store, clock, within=HOUR, on_expiry=CHIEF)
    clock.forward(HOUR / 2)
    await app.escalate("t.s1.1", by="anna")
    [row] = app.inbox()
    told = events(app, "contact_escalated")[0].data
    again = app.thread("t")  # read anew

    assert row.data == told == app.state(again).open_contacts["s1.1"].data
    assert row.data["to"]["people"] == ["chief", "anna"]
    clock.forward(HOUR)
    await settle(app)
    assert len(app.inbox()) == 1
    clock.forward(HOUR)
    await settle(app)
    assert [e.data["outcome"] for e in events(app, "contact_closed")] == ["expired"]
    assert store.next_due() is None


async def test_a_contact_that_was_passed_on_is_listed_for_who_has_it(store: Any, clock: Clock):
    app = await waiting(store, clock, within=HOUR)
    await app.reassign("t.s1.1", to="cleo", by="anna")
    [row] = app.inbox()

    assert row.data["to"]["people"] == ["cleo"]
    assert row.asked_at == MORNING
    with pytest.raises(NotAllowed, match="may not answer"):
        await app.answer("t.s1.1", "approve", by="anna")
    await app.answer("t.s1.1", "approve", by="cleo")
    await settle(app)
    assert state(app).last(Pay).result == "paid"  # pyright: ignore


async def test_a_refused_wish_is_recorded_and_raised(store: Any, clock: Clock):
    app = await waiting(store, clock)

    with pytest.raises(NotAllowed, match="may not answer"):
        await app.reassign("t.s1.1", to="mallory", by="mallory")
    assert events(app, "answer_refused")[0].data["to"] == "mallory"


async def test_the_verbs_of_people_are_there_without_an_event_loop(store: Any, clock: Clock):
    app = await waiting(store, clock)
    app.sync.remind("t.s1.1")
    app.sync.reassign("t.s1.1", to="cleo", by="anna")

    assert app.inbox()[0].data["to"]["people"] == ["cleo"]
    with pytest.raises(Conflict, match="names nobody"):
        app.sync.escalate("t.s1.1", by="cleo")
