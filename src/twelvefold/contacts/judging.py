"""What an answer may change: it is judged on the log as it is now. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from twelvefold.contacts.answers import Answer, Decision, Verdict
from twelvefold.contacts.asking import close, expiry_timer
from twelvefold.contacts.standing import in_favour
from twelvefold.contacts.values import formed
from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.exceptions import (
    Conflict,
    InvalidAnswer,
    NotAllowed,
    TwelvefoldError,
    UnknownContact,
)
from twelvefold.policy import RISKS, Risk, Settles
from twelvefold.state import Contact, State
from twelvefold.steps import changed_args, digest, risk_of, schema_hash
from twelvefold.thread import Draft, Json, to_iso

REFUSALS_RECORDED_MAX = 20

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

    Whoever answers is known by the name that `directory` has for him. Raises `UnknownContact`, and
    `InvalidAnswer` for an answer of another kind than is awaited: those are not recorded, the
    person may simply answer again.
    """
    contact = state.contacts.get(answer.contact)
    if contact is None:
        raise UnknownContact(f"{state.thread_id} holds no contact {answer.contact}.")
    known_as, answer = answer.by, replace(answer, by=directory.person(answer.by))
    refusal = _refusal(state, contact, answer, now=now, settles=settles, directory=directory)
    if refusal is not None:
        return Verdict(_record_refusal(contact, answer, refusal, state, now), refusal=refusal)
    answer = formed(contact, answer)
    drafts = [_vote(contact, answer, now, known_as, directory)]
    if answer.decision == "edit":
        drafts += _edited(state, contact, answer, now, directory)
    elif answer.decision != "approve" or _completes(state, contact, answer, directory):
        drafts.append(_closed(contact, answer, now))
    cancel = (expiry_timer(contact.id),) if len(drafts) > 1 else ()
    return Verdict(tuple(drafts), cancel)


def _refusal(
    state: State[Any],
    contact: Contact,
    answer: Answer,
    *,
    now: datetime,
    settles: Settles,
    directory: Directory,
) -> TwelvefoldError | None:
    name = f"{state.thread_id}.{contact.id}"
    if contact.outcome is not None:
        return Conflict(f"{name} was already {_how_closed(contact, now)}. Nothing was done.")
    if state.cancelled:
        return Conflict(f"{state.thread_id} was cancelled. Nothing was done.")
    if contact.deadline is not None and now > contact.deadline:
        return Conflict(f"{name} expired at {to_iso(contact.deadline)}. Nothing was done.")
    if not contact.policy.allows(answer.by, directory, initiators=_initiators(state, contact)):
        return _not_allowed(contact, answer.by, directory, name)
    risk = _risk(state, contact)
    if not settles.allows(answer.assurance, risk):
        return NotAllowed(
            f"{answer.channel} ({answer.assurance}) may not settle {risk} risk: {name}."
            " Nothing was done. Use a channel that proves more, or change `App(settles=...)`."
        )
    if any(vote.by == answer.by for vote in contact.votes):
        return Conflict(f"{answer.by} has already answered {name}. Nothing was done.")
    return _changed(state, contact, answer, name)


def _not_allowed(contact: Contact, who: str, directory: Directory, name: str) -> NotAllowed:
    if contact.policy.allows(who, directory):
        why = "asked for it, and four eyes are needed"
    else:
        why = f"may not answer {name}; it was asked of {contact.policy}"
    return NotAllowed(f"{who} {why}. Nothing was done.")


def _initiators(state: State[Any], contact: Contact) -> tuple[str, ...]:
    chosen = state.by_id(contact.step)
    return () if chosen is None else chosen.initiators


def _risk(state: State[Any], contact: Contact) -> Risk:
    """The higher of then and today: what was asked as low may have become high since."""
    cls = state.classes.get(contact.intent)
    today = contact.risk if cls is None else risk_of(cls)
    return RISKS[max(RISKS.index(contact.risk), RISKS.index(today))]


def _changed(
    state: State[Any], contact: Contact, answer: Answer, name: str
) -> TwelvefoldError | None:
    """Whether the answer would be to something else than what it is about now."""
    chosen = state.open_step(contact.step)
    if chosen is None or chosen.waiting != contact.id:
        return Conflict(f"{name}: {contact.step} was settled otherwise. Nothing was done.")
    if contact.digest is None:
        return None
    if chosen.digest(contact.id) != contact.digest:
        return Conflict(f"{name} changed since, so it is asked again. Nothing was done.")
    if answer.digest is not None and answer.digest != contact.digest:
        return Conflict(f"{name} shows other arguments than the ones you saw. Nothing was done.")
    return None


def _how_closed(contact: Contact, now: datetime) -> str:
    words = str(contact.outcome).replace("_", " ")
    who = f" by {contact.closed_by}" if contact.closed_by else ""
    when = "" if contact.closed_at is None else f", {ago(now - contact.closed_at)} ago"
    where = f" ({contact.closed_channel})" if contact.closed_channel else ""
    return words + who + when + where


def ago(age: timedelta) -> str:
    """A duration in its largest unit: `8 s`, `2 min`, `3 h`, `5 d`."""
    seconds = max(int(age.total_seconds()), 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _record_refusal(
    contact: Contact, answer: Answer, refusal: TwelvefoldError, state: State[Any], now: datetime
) -> tuple[Draft, ...]:
    if state.refusals.get(contact.id, 0) >= REFUSALS_RECORDED_MAX:
        return ()
    data: dict[str, Json] = {"contact": contact.id, "by": answer.by, "decision": answer.decision}
    data |= {"channel": answer.channel, "why": str(refusal)}
    return (Draft("answer_refused", data, now),)


def _completes(state: State[Any], contact: Contact, answer: Answer, directory: Directory) -> bool:
    chosen = state.by_id(contact.step)
    before = [] if chosen is None else in_favour(contact, chosen)
    initiators = _initiators(state, contact)
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


def _edited(
    state: State[Any], contact: Contact, answer: Answer, now: datetime, directory: Directory
) -> list[Draft]:
    """Close as edited, and choose the changed step: one append. A repair is not an approval."""
    old = state.open_step(contact.step)
    cls = state.classes.get(contact.intent)
    if old is None or cls is None:
        raise InvalidAnswer(f"{contact.intent} is no step of this agent any more: use give_up.")
    shown = old.args_today() if contact.kind == "approval" else old.args
    args = changed_args(cls, shown, answer.changes or {})
    chosen: dict[str, Json] = {
        "intent": contact.intent,
        "args": args,
        "by": "human",
        "person": answer.by,
        "edits": old.id,
    }
    if contact.kind == "approval":
        bound = digest(
            tenant=state.tenant,
            thread_id=state.thread_id,
            contact=contact.id,
            intent=contact.intent,
            schema=schema_hash(cls),
            args=args,
        )
        initiators = (*old.initiators, answer.by)
        enough = contact.policy.met_by([answer.by], directory, initiators=initiators)
        chosen["approval" if enough else "vote"] = {"contact": contact.id, "digest": bound}
    new = Draft("next_step_chosen", chosen, now, key=f"edited:{contact.id}")
    return [_closed(contact, answer, now, args=args), new]
