"""What the page of a contact shows, from the log as it is now. Pure; texts are raw.

Whether somebody may decide is asked of `contacts.judge`, which judges the answer, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twelvefold.contacts import Answer, Decision, accepted, judge, risk_now
from twelvefold.directory import Directory
from twelvefold.exceptions import InvalidAnswer, TwelvefoldError
from twelvefold.forms import Form, Option
from twelvefold.inbox import ContactRow, Ref
from twelvefold.notices import notice_of, troubles
from twelvefold.policy import Policy, Risk, Settles
from twelvefold.server.pages.steps_view import (
    StepLine,
    message_before,
    requesters,
    steps_before,
    what_became_of,
)
from twelvefold.server.pages.values import Shown, shown
from twelvefold.state import Contact, State
from twelvefold.thread import Json, Thread, to_text

CHANNEL = "web"
VERBS: Mapping[str, str] = {
    "approval": "wants to run",
    "question": "asks",
    "outcome": "does not know what became of",
    "repair": "cannot read an old call of",
}
TRIED: Mapping[str, Decision] = {
    "approval": "approve",
    "question": "answer",
    "outcome": "run_again",
    "repair": "give_up",
}
"""What is put to the judge, to learn whether this person is listened to at all."""
OUTCOMES: Mapping[str, str] = {
    "edited": "changed and approved",
    "chosen": "ended by an option",
    "it_ran": "settled: it ran",
    "run_again": "settled: run it again",
    "give_up": "given up",
}
WHERE: Mapping[str, str] = {
    CHANNEL: "in the web inbox",
    "link": "by a link",
    "cli": "in a terminal",
    "slack": "in Slack",
    "email": "by mail",
    "sms": "by SMS",
    "api": "over the API",
}


PROOFS: Mapping[str, str] = {
    "signed_in": "signed in to this inbox",
    "key": "with a key of one's own",
    "local": "at a terminal of the machine that runs it",
    "slack": "in Slack",
    "email": "by mail",
    "webhook": "by a system that signs",
    "link": "by a link from a message",
    "link_typed": "by a link, with the code that its page shows",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One person's word."""

    by: str
    decision: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """How a contact ended. `then` is what became of its step."""

    outcome: str
    by: str
    at: datetime | None
    channel: str
    comment: str
    answer: Shown | None
    then: str
    next_contact: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A contact, as a page shows it to one person. `barred`: why this person may not decide;
    `enough`: what other ways to be proven would do; `mine`: what this person has said already;
    `message`: the newest one that came before it was asked, with its sender."""

    id: str
    thread: str
    agent: str
    kind: str
    intent: str
    meant: str
    undo: str
    risk: Risk
    question: str
    args: Sequence[Shown]
    why: Sequence[tuple[str, str]]
    asked_at: datetime
    deadline: datetime | None
    on_expiry: str
    asked_of: str
    requested_by: Sequence[str]
    message: tuple[str, str] | None
    chooser: str
    since: Sequence[tuple[int, str, str]]
    troubles: Sequence[str]
    votes: Sequence[Said]
    before: Sequence[StepLine]
    exact: str
    digest: str | None
    can_edit: bool
    options: Sequence[Option]
    form: Form | None
    barred: str
    enough: Sequence[str]
    mine: Said | None
    ended: Ended | None

    @property
    def verb(self) -> str:
        return VERBS[self.kind]

    @property
    def headline(self) -> str:
        return self.question.partition("\n\n")[0]

    @property
    def context(self) -> str:
        """What stands below the question itself."""
        return self.question.partition("\n\n")[2]

    @property
    def title(self) -> str:
        return self.intent if self.kind != "question" else self.question.split("\n")[0]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, how they were proven, and by what rules they are judged."""

    person: str
    assurance: str
    settles: Settles
    directory: Directory
    channel: str = CHANNEL


def asked_of(
    thread: Thread, state: State[Any], contact: Contact, reader: Reader, *, now: datetime
) -> Asked:
    notice = notice_of(_row(thread, contact), thread)
    cls = state.classes.get(contact.intent)
    risk = risk_now(state, contact)
    votes = [Said(vote.by, vote.decision, vote.at) for vote in contact.votes]
    return Asked(
        id=f"{thread.id}.{contact.id}",
        thread=thread.id,
        agent=thread.agent,
        kind=contact.kind,
        intent=str(contact.intent or ""),
        meant="" if cls is None else _meant(cls),
        undo=str(getattr(cls, "undo", "") or ""),
        risk=risk,
        question=str(contact.question),
        args=[shown(name, value) for name, value in notice.args],
        why=notice.why,
        asked_at=contact.asked_at,
        deadline=contact.deadline,
        on_expiry=_on_expiry(contact),
        asked_of=str(contact.policy),
        requested_by=requesters(state, contact.step),
        message=message_before(thread, contact.seq),
        chooser=notice.chooser,
        since=notice.since,
        troubles=troubles(thread, contact.id),
        votes=votes,
        before=steps_before(state, contact.step),
        exact=to_text(contact.data.get("args")),
        digest=contact.digest,
        can_edit=cls is not None and "edit" in accepted(contact),
        options=contact.options,
        form=contact.form,
        barred="" if contact.outcome else _barred(state, contact, reader, now=now),
        enough=_enough(reader, risk),
        mine=_own(votes, reader),
        ended=None if contact.outcome is None else _ended(thread, state, contact),
    )


def _own(votes: Sequence[Said], reader: Reader) -> Said | None:
    person = reader.directory.person(reader.person)
    return next((vote for vote in votes if vote.by == person), None)


def plain(refused: TwelvefoldError, contact: str) -> str:
    """Why, without what stands on the page already: which contact, and that nothing was done."""
    said = str(refused).replace(" Nothing was done.", "").replace(contact, "this")
    return said[:1].upper() + said[1:] if said.startswith("this") else said


def _enough(reader: Reader, risk: Risk) -> Sequence[str]:
    """What would be proof enough; nothing where this person's is."""
    settles = reader.settles
    if settles.allows(reader.assurance, risk):
        return ()
    return [PROOFS.get(one, one) for one in settles.levels if settles.allows(one, risk)]


def _row(thread: Thread, contact: Contact) -> ContactRow:
    """The request as it stands: asked of others, perhaps, than at first."""
    ref = Ref(thread.tenant, thread.id)
    data, closed = contact.data, contact.closed_at
    return ContactRow(
        ref, thread.agent, contact.id, contact.asked_at, data, contact.outcome, closed
    )


def _meant(cls: type[Any]) -> str:
    """The developer's words for the step, in their first paragraph."""
    return " ".join((cls.__dict__.get("__doc__") or "").split("\n\n")[0].split())


def _on_expiry(contact: Contact) -> str:
    """What silence means."""
    if then := contact.on_expiry.get("escalate"):
        return f"then it is asked of {Policy.from_data(then['to'])}"
    if option := contact.on_expiry.get("option"):
        return f"then it ends as {option}"
    return "silence is no answer" if contact.kind == "question" else "silence is a no"


def _barred(state: State[Any], contact: Contact, reader: Reader, *, now: datetime) -> str:
    try:
        tried = Answer(
            contact=contact.id,
            decision=TRIED[contact.kind],
            by=reader.person,
            digest=contact.digest,
            channel=reader.channel,
            assurance=reader.assurance,
        )
        settles, directory = reader.settles, reader.directory
        verdict = judge(state, tried, now=now, settles=settles, directory=directory)
    except InvalidAnswer:
        return ""  # listened to: only the words are missing
    name = f"{state.thread_id}.{contact.id}"
    return "" if verdict.refusal is None else plain(verdict.refusal, name)


def _ended(thread: Thread, state: State[Any], contact: Contact) -> Ended:
    closing = _closing(thread, contact.id)
    answer = closing.get("choice", closing.get("answer"))
    return Ended(
        outcome=OUTCOMES.get(str(contact.outcome), str(contact.outcome).replace("_", " ")),
        by=contact.closed_by or (f"the rule: {contact.rule}" if contact.rule else ""),
        at=contact.closed_at,
        channel=WHERE.get(contact.closed_channel, contact.closed_channel),
        comment=str(closing.get("comment") or ""),
        answer=None if answer is None else shown("answer", answer),
        then=what_became_of(state, contact.step),
        next_contact=_next(thread, state, contact),
    )


def _closing(thread: Thread, contact: str) -> Mapping[str, Json]:
    key = f"closed:{contact}"
    found = (event.data for event in reversed(thread.events) if event.key == key)
    return next(found, dict[str, Json]())


def _next(thread: Thread, state: State[Any], contact: Contact) -> str:
    """The contact in which the same step, or what an edit made of it, is asked about now."""
    steps = {contact.step} | {c.id for c in state.open if c.edits == contact.step}
    found = [other.id for other in state.open_contacts.values() if other.step in steps]
    return f"{thread.id}.{found[-1]}" if found else ""
