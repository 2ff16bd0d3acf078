"""Whether a yes still lets its step run: asked once more right before the run. Pure."""

from datetime import datetime
from typing import Any

from twelvefold.directory import Directory
from twelvefold.state import Chosen, Contact, State
from twelvefold.steps import risk_of
from twelvefold.thread import Draft, Json


def in_favour(contact: Contact, chosen: Chosen[Any]) -> list[str]:
    """Who said yes to what this contact shows: by a vote, or by having edited the step into what it
    is. A vote that was cast elsewhere, and copied into this log, names another digest."""
    votes = [vote for vote in contact.votes if vote.digest == contact.digest]
    yes = [vote.by for vote in votes if vote.decision == "approve"]
    return yes if chosen.person is None or not chosen.edit_counts else [chosen.person, *yes]


def void_approval(
    state: State[Any], chosen: Chosen[Any], directory: Directory | None, *, now: datetime
) -> Draft | None:
    """`contact_voided` for a yes that no longer is one; None where it stands, or there is none.

    Who may decide is asked of `directory` as it is now; None asks nobody (a replay).
    """
    if chosen.approval is None:
        return None
    id = chosen.approval.contact
    if not chosen.approved:
        reason = f"the arguments or the shape of {chosen.intent} are not those that were approved"
        return _voided(chosen, id, reason, now)
    contact = state.contacts.get(id)
    if contact is None or not _ended_in_a_yes(contact, chosen):
        return _voided(chosen, id, f"{id} did not end in a yes to {chosen.id}", now)
    if contact.rule:
        high = _is_high(state, chosen)
        return _voided(chosen, id, "no rule settles high risk", now) if high else None
    yes = [chosen.person or ""] if contact.outcome == "edited" else in_favour(contact, chosen)
    if directory is None or contact.policy.met_by(yes, directory, initiators=chosen.initiators):
        return None
    gone = [who for who in yes if not contact.policy.allows(who, directory)]
    reason = f"{', '.join(gone)} may no longer decide" if gone else f"{id} lacks votes"
    return _voided(chosen, id, reason, now, gone=gone, **directory.stamp())


def _is_high(state: State[Any], chosen: Chosen[Any]) -> bool:
    """What a rule let through may have become risky since."""
    return risk_of(state.classes[chosen.intent]) == "high"


def _ended_in_a_yes(contact: Contact, chosen: Chosen[Any]) -> bool:
    if contact.outcome == "edited":
        return contact.step == chosen.edits
    return contact.outcome == "approved" and contact.step == chosen.id


def _voided(chosen: Chosen[Any], contact: str, reason: str, now: datetime, **more: Json) -> Draft:
    data: dict[str, Json] = {"contact": contact, "step": chosen.id, "reason": reason}
    return Draft("contact_voided", data | more, now, key=f"voided:{contact}")
