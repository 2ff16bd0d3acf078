"""Who passes a contact on to whom. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from twelvefold.contacts.answers import Verdict
from twelvefold.contacts.judging import contact_named
from twelvefold.contacts.moving import deadline_timers, in_force, reassigned
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
from twelvefold.state import Contact, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassign:
    """`to` takes the place of `instead_of`, or of `by`, who says so."""

    contact: str
    to: str
    by: str
    instead_of: str = ""
    comment: str | None = None
    channel: str = "api"
    assurance: str = "local"


def reassign(
    state: State[Any],
    wish: Reassign,
    *,
    owner: Policy,
    now: datetime,
    settles: Settles,
    directory: Directory = NAMES_ALONE,
) -> Verdict:
    """`contact_reassigned`, or the record of its refusal.

    Everybody may give away the place that is his; who may decide for the `owner`, anybody's. The
    place is one for one: who gives it away no longer counts. Raises `UnknownContact`.
    """
    contact, moved = in_force(contact_named(state, wish.contact), now)
    by, to = directory.person(wish.by), directory.person(wish.to)
    wish = replace(wish, by=by, to=to, instead_of=directory.person(wish.instead_of or by))
    policy = contact.policy.replaced(wish.instead_of, to, directory)
    channel, assurance = wish.channel, wish.assurance
    refusal = (
        over(state, contact, now=now, digest=None)
        or _not_his(state, contact, wish, owner, directory)
        or too_weak(state, contact, settles, channel=channel, assurance=assurance)
        or _no_place(state, contact, wish, policy)
        or _not_to(state, contact, wish, policy, directory)
    )
    if refusal is not None:
        said = {"by": by, "decision": "reassign", "to": to, "channel": channel}
        return Verdict(record_refusal(state, contact, refusal, now, **said), refusal=refusal)
    who = {"instead_of": wish.instead_of, "person": to, "by": by, "comment": wish.comment}
    who |= {"channel": channel, "assurance": assurance, **directory.stamp()}
    timers = deadline_timers(contact) if moved else ()
    return Verdict((*moved, reassigned(contact, policy, now, **who)), timers=tuple(timers))


def _not_his(
    state: State[Any], contact: Contact, wish: Reassign, owner: Policy, directory: Directory
) -> NotAllowed | None:
    """Who asked for the step does not pick who decides it: that would be two of four eyes."""
    if wish.by == wish.instead_of:
        return not_asked(state, contact, wish.by, directory)
    initiators = {directory.person(name).casefold() for name in initiators_of(state, contact)}
    if contact.policy.needs_four_eyes and wish.by.casefold() in initiators:
        return NotAllowed(f"{wish.by} asked for it, and four eyes are needed. Nothing was done.")
    if owner.allows(wish.by, directory):
        return None
    return NotAllowed(
        f"{wish.by} may pass on only what was asked of {wish.by}; the owner may pass on all."
        " Nothing was done."
    )


def _no_place(
    state: State[Any], contact: Contact, wish: Reassign, policy: Policy
) -> TwelvefoldError | None:
    name = name_of(state, contact)
    if policy == contact.policy:
        return Conflict(f"{wish.instead_of} was not asked in {name}. Nothing was done.")
    if any(vote.by == wish.instead_of for vote in contact.votes):
        return Conflict(f"{wish.instead_of} has already answered {name}. Nothing was done.")
    return None


def _not_to(
    state: State[Any], contact: Contact, wish: Reassign, policy: Policy, directory: Directory
) -> TwelvefoldError | None:
    name, initiators = name_of(state, contact), initiators_of(state, contact)
    if not wish.to or not directory.knows(wish.to):
        return NotAllowed(f"The directory knows no active {wish.to!r}. Nothing was done.")
    if any(vote.by == wish.to for vote in contact.votes):
        return Conflict(f"{wish.to} has already answered {name}. Nothing was done.")
    if contact.policy.allows(wish.to, directory, initiators=initiators):
        return Conflict(f"{wish.to} may answer {name} already. Nothing was done.")
    if not policy.allows(wish.to, directory, initiators=initiators):
        return NotAllowed(f"{wish.to} asked for it, and four eyes are needed. Nothing was done.")
    return None
