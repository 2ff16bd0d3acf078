"""What events about questions and approvals mean for the steps that wait for them. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from twelvefold.state import Approval, Chosen, Contact, State, Vote, contact_of, moved
from twelvefold.thread import Event, Json


def _contact_requested(state: State[Any], event: Event) -> None:
    contact = contact_of(event.data, asked_at=event.at, seq=event.seq)
    state.contacts[contact.id] = state.open_contacts[contact.id] = contact
    if chosen := state.open_step(contact.step):
        chosen.waiting = contact.id


def _contact_moved(state: State[Any], event: Event) -> None:
    """Escalated or reassigned: the event repeats the request, as it stands from now on."""
    if contact := state.open_contacts.get(event.data["contact"]):
        new = moved(contact, event.data)
        state.contacts[contact.id] = state.open_contacts[contact.id] = new


def _contact_reminded(state: State[Any], event: Event) -> None:
    if contact := state.open_contacts.get(event.data["contact"]):
        contact.reminders += 1


def _contact_answered(state: State[Any], event: Event) -> None:
    if contact := state.open_contacts.get(event.data["contact"]):
        data = event.data
        vote = Vote(data["by"], data["decision"], event.at, event.seq, data.get("digest"))
        contact.votes.append(vote)
        state.hear(event.at)


def _answer_refused(state: State[Any], event: Event) -> None:
    contact = event.data["contact"]
    state.refusals[contact] = state.refusals.get(contact, 0) + 1


def _contact_closed(state: State[Any], event: Event) -> None:
    data = event.data
    contact = state.open_contacts.pop(data["contact"], None)
    if contact is None:
        return
    contact.outcome, contact.closed_at = data["outcome"], event.at
    contact.closed_by = data.get("by") or ""
    contact.closed_channel = data.get("channel") or ""
    contact.rule = data.get("rule") or ""
    if contact.kind != "approval" and contact.closed_by:
        state.told.append((event.seq, (contact.closed_by,)))
    chosen = state.open_step(contact.step)
    if chosen is not None and chosen.waiting == contact.id:
        chosen.waiting = None
        _close(state, chosen, contact, data)


def _close(state: State[Any], chosen: Chosen[Any], contact: Contact, data: dict[str, Json]) -> None:
    """What the outcome of a contact means for the step that waited for it."""
    match contact.outcome:
        case "approved" if contact.digest is not None:
            chosen.approval = Approval(contact.id, contact.digest)
        case "answered" | "it_ran":
            chosen.answer = data.get("answer")
            chosen.choice = data.get("choice")
            chosen.settle("returned", result=data.get("answer"))
        case "chosen":
            _choose(chosen, contact, data)
        case "run_again":
            chosen.status, chosen.run_again = "open", True
        case "edited":  # the new step is its own event in the same append
            chosen.settle("edited", error=_because(contact, data))
        case "denied" | "expired":
            chosen.settle("denied", error=_because(contact, data))
        case "give_up":
            chosen.settle("failed", error=_because(contact, data))
        case "withdrawn":
            chosen.settle("withdrawn", error=_because(contact, data))
        case _:  # voided, cancelled: the step is ready and unapproved again
            chosen.approval = None


def _choose(chosen: Chosen[Any], contact: Contact, data: dict[str, Json]) -> None:
    """A question is answered by an option; a step does not run by one."""
    chosen.choice = data["choice"]
    if contact.kind == "question":
        chosen.settle("returned", result=chosen.choice)
    else:
        by = contact.closed_by
        said = f"{by} chose {chosen.choice}" if by else f"{chosen.choice} was chosen"
        comment = data.get("comment")
        chosen.settle("denied", error=f"{said}: {comment}" if comment else said)


def _because(contact: Contact, data: dict[str, Json]) -> str:
    comment = data.get("comment")
    who = f"{contact.outcome} by {contact.closed_by}" if contact.closed_by else str(contact.outcome)
    return f"{who}: {comment}" if comment else who


def _contact_voided(state: State[Any], event: Event) -> None:
    if chosen := state.open_step(event.data["step"]):
        chosen.approval = None


CONTACTS: Mapping[str, Callable[[State[Any], Event], None]] = {
    "contact_requested": _contact_requested,
    "contact_escalated": _contact_moved,
    "contact_reassigned": _contact_moved,
    "contact_reminded": _contact_reminded,
    "contact_answered": _contact_answered,
    "answer_refused": _answer_refused,
    "contact_closed": _contact_closed,
    "contact_voided": _contact_voided,
}
