"""What an answer may change: it is judged on the log as it is now. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from twelvefold.contacts.answers import Answer, Decision, Verdict
from twelvefold.contacts.asking import close, timers_of
from twelvefold.contacts.editing import changed_step
from twelvefold.contacts.moving import deadline_timers, in_force
from twelvefold.contacts.refusing import initiators_of, name_of, not_asked, over, too_weak
from twelvefold.contacts.refusing import record_refusal as record_refusal
from twelvefold.contacts.standing import in_favour
from twelvefold.contacts.values import formed
from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.exceptions import Conflict, TwelvefoldError, UnknownContact
from twelvefold.policy import Settles
from twelvefold.state import Contact, State
from twelvefold.thread import Draft, Json

_OUTCOMES: Mapping[Decision, str] = {
    "approve": "approved",
    "deny": "denied",
    "edit": "edited",
    "answer": "answered",
    "choose": "chosen",
}


def judge(
    state: State[Any],
    answer: Answer,
    *,
    now: datetime,
    settles: Settles,
    directory: Directory = NAMES_ALONE,
) -> Verdict:
    """Turn an answer into facts, or into the record of its refusal.

    Whoever answers is known by the name that `directory` has for him. A deadline counts although
    its timer is late. Raises `UnknownContact`, and `InvalidAnswer` for an answer of another kind
    than is awaited: those are not recorded, the person may simply answer again.
    """
    contact, moved = in_force(contact_named(state, answer.contact), now)
    known_as, answer = answer.by, replace(answer, by=directory.person(answer.by))
    refusal = _refusal(state, contact, answer, now=now, settles=settles, directory=directory)
    if refusal is not None:
        said = {"by": answer.by, "decision": answer.decision, "channel": answer.channel}
        return Verdict(record_refusal(state, contact, refusal, now, **said), refusal=refusal)
    answer = formed(contact, answer)
    vote = _vote(contact, answer, now, known_as, directory)
    ends = _ends(state, contact, answer, now, directory)
    if ends:
        return Verdict((*moved, vote, *ends), tuple(timers_of(contact)))
    return Verdict((*moved, vote), timers=tuple(deadline_timers(contact) if moved else ()))


def contact_named(state: State[Any], id: str) -> Contact:
    """Raises `UnknownContact`."""
    if id not in state.contacts:
        raise UnknownContact(f"{state.thread_id} holds no contact {id}.")
    return state.contacts[id]


def _refusal(
    state: State[Any],
    contact: Contact,
    answer: Answer,
    *,
    now: datetime,
    settles: Settles,
    directory: Directory,
) -> TwelvefoldError | None:
    channel, assurance = answer.channel, answer.assurance
    return (
        over(state, contact, now=now, digest=answer.digest)
        or not_asked(state, contact, answer.by, directory)
        or too_weak(state, contact, settles, channel=channel, assurance=assurance)
        or _second(state, contact, answer.by)
    )


def _second(state: State[Any], contact: Contact, who: str) -> Conflict | None:
    if all(vote.by != who for vote in contact.votes):
        return None
    return Conflict(f"{who} has already answered {name_of(state, contact)}. Nothing was done.")


def _ends(
    state: State[Any], contact: Contact, answer: Answer, now: datetime, directory: Directory
) -> list[Draft]:
    """What ends the contact with this answer; nothing while more of them have to say yes."""
    if answer.decision == "edit":
        step = changed_step(state, contact, answer, now)
        return [_closed(contact, answer, now, args=step.data["args"]), step]
    if answer.decision == "approve" and not _completes(state, contact, answer, directory):
        return []
    return [_closed(contact, answer, now)]


def _completes(state: State[Any], contact: Contact, answer: Answer, directory: Directory) -> bool:
    chosen = state.by_id(contact.step)
    before = [] if chosen is None else in_favour(contact, chosen)
    initiators = initiators_of(state, contact)
    return contact.policy.met_by([*before, answer.by], directory, initiators=initiators)


def _vote(
    contact: Contact, answer: Answer, now: datetime, known_as: str, directory: Directory
) -> Draft:
    data: dict[str, Json] = {
        "contact": contact.id,
        "step": contact.step,
        "intent": contact.intent,
        "decision": answer.decision,
        "by": answer.by,
        "channel": answer.channel,
        "assurance": answer.assurance,
        "digest": contact.digest,
        "comment": answer.comment,
        **directory.stamp(),
    }
    if known_as != answer.by:
        data["as"] = known_as
    if answer.delivery is not None:
        data["delivery"] = answer.delivery
    return Draft("contact_answered", data, now, key=f"vote:{contact.id}:{answer.by}")


def _closed(contact: Contact, answer: Answer, now: datetime, **more: Json) -> Draft:
    return close(
        contact,
        _OUTCOMES.get(answer.decision, answer.decision),
        now=now,
        by=answer.by,
        comment=answer.comment or "",
        channel=answer.channel,
        **{"choice" if answer.decision == "choose" else "answer": answer.value},
        **more,
    )
