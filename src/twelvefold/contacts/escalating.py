"""Who has a contact escalated before its time is over. Pure.

It does what its deadline would do: those whom `on_expiry` names are asked instead, once. So nobody
picks who decides; but who stops asking the others takes their no away, too. Only whoever decides it
alone may do that, and who may decide for the owner.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twelvefold.contacts.answers import Verdict
from twelvefold.contacts.judging import contact_named
from twelvefold.contacts.moving import deadline_timers, escalated, in_force
from twelvefold.contacts.refusing import (
    initiators_of,
    name_of,
    not_asked,
    over,
    record_refusal,
    too_weak,
)
from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.exceptions import Conflict, NotAllowed, TwelvefoldError
from twelvefold.policy import Policy, Settles
from twelvefold.state import Contact, State, moved
from twelvefold.thread import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """`by` wants the others to be asked now."""

    contact: str
    by: str
    comment: str | None = None
    channel: str = "api"
    assurance: str = "local"


def escalate(
    state: State[Any],
    wish: Escalation,
    *,
    owner: Policy,
    now: datetime,
    settles: Settles,
    directory: Directory = NAMES_ALONE,
) -> Verdict:
    """`contact_escalated`, or the record of its refusal. Raises `UnknownContact`."""
    contact, _ = in_force(contact_named(state, wish.contact), now)
    by, channel, assurance = directory.person(wish.by), wish.channel, wish.assurance
    who = {"by": by, "comment": wish.comment, "channel": channel, "assurance": assurance}
    draft = escalated(contact, now, **who, **directory.stamp())
    refusal = (
        over(state, contact, now=now, digest=None)
        or _not_his(state, contact, by, owner, directory)
        or too_weak(state, contact, settles, channel=channel, assurance=assurance)
        or _nobody(state, contact, draft, directory)
    )
    if refusal is None and draft is not None:
        return Verdict((draft,), timers=tuple(deadline_timers(moved(contact, draft.data))))
    said = {"by": by, "decision": "escalate", "channel": channel}
    assert refusal is not None
    return Verdict(record_refusal(state, contact, refusal, now, **said), refusal=refusal)


def _not_his(
    state: State[Any], contact: Contact, by: str, owner: Policy, directory: Directory
) -> NotAllowed | None:
    """Who asked for the step changes nothing about who decides it under four eyes."""
    initiators = initiators_of(state, contact)
    asked_for_it = by.casefold() in {directory.person(name).casefold() for name in initiators}
    if contact.policy.needs_four_eyes and asked_for_it:
        return NotAllowed(f"{by} asked for it, and four eyes are needed. Nothing was done.")
    if owner.allows(by, directory):
        return None
    if contact.policy.met_by([by], directory, initiators=initiators):
        return None
    return not_asked(state, contact, by, directory) or NotAllowed(
        f"{by} does not decide {name_of(state, contact)} alone, so the owner has it escalated, or"
        " its deadline. Nothing was done."
    )


def _nobody(
    state: State[Any], contact: Contact, draft: Draft | None, directory: Directory
) -> TwelvefoldError | None:
    name = name_of(state, contact)
    if draft is None:
        return Conflict(
            f"{name} names nobody who is asked next, or they are asked already. Reassign it, or ask"
            " with `on_expiry=escalate(...)`. Nothing was done."
        )
    others = Policy.from_data(draft.data["to"])
    initiators = initiators_of(state, contact)
    if others.met_by(others.everybody(directory), directory, initiators=initiators):
        return None
    return Conflict(
        f"{name} would ask {others}, and not enough of them may decide it now. Name more people in"
        " the directory, or reassign it. Nothing was done."
    )
