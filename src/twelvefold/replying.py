"""What a written reply means for the thread that asked. Pure.

A question is answered by what is written. An approval is not: only a text that is nothing but yes,
or a no with a reason, decides; all else is a message that the agent reads, while the approval stays
open. What such a yes may settle is for `App(settles=...)` to say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twelvefold.contacts import Decision
from twelvefold.directory import Directory
from twelvefold.state import Contact, State
from twelvefold.thread import Json

YES = frozenset({"yes", "y", "approve", "approved", "ok", "okay"})
NO = frozenset({"no", "n", "deny", "denied", "reject", "rejected"})

# What follows no is set off from it: "no problem, go ahead" denies nothing.
_NO = re.compile(r"(?P<word>\w+)(?:\s*[,:;.!\u2013\u2014-]|\s*\n)\s*(?P<why>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Meant:
    """An answer to one contact, by its id within the thread."""

    contact: str
    decision: Decision
    comment: str | None = None
    value: Json = None


def meant(
    state: State[Any], text: str, *, sender: str, contact: str | None, directory: Directory
) -> Meant | None:
    """What a text answers; None is a message. `contact`: the one whose message it replies to."""
    asked = _asked(state.open_contacts, sender, contact, directory)
    if asked is None:
        return None
    said = text.strip()
    if (option := _option(asked, said)) is not None:
        return Meant(asked.id, "choose", value=option)
    if asked.kind == "question":
        return _answer(asked, said)
    return _vote(asked, said) if asked.kind == "approval" else None


def _asked(
    contacts: Mapping[str, Contact], sender: str, contact: str | None, directory: Directory
) -> Contact | None:
    """The contact that is replied to: the one named, else the only one that asks this person."""
    if contact is not None:
        return contacts.get(contact)
    person = directory.person(sender)
    asking = [one for one in contacts.values() if person in one.policy.everybody(directory)]
    return asking[0] if len(asking) == 1 else None


def _option(asked: Contact, said: str) -> str | None:
    for option in asked.options:
        if said.casefold() in (option.name.casefold(), option.title.casefold()):
            return option.name
    return None


def _answer(asked: Contact, said: str) -> Meant | None:
    """A text for a free question, one of the words of a form, and nothing else."""
    kind = "free_text" if asked.form is None else asked.form.kind
    match kind:
        case "free_text":
            return Meant(asked.id, "answer", value=said) if said else None
        case "yes_no":
            yes, no = _word(said) in YES, _word(said) in NO
            return Meant(asked.id, "answer", value=yes) if yes or no else None
        case "multiple_choice":
            choices = asked.form.choices if asked.form else ()
            named = {part.strip().casefold() for part in re.split(r"[,\n]", said)}
            picked = [choice for choice in choices if choice.casefold() in named]
            if len(picked) != len(named) or not picked:
                return None
            many = asked.form is not None and asked.form.many
            if len(picked) > 1 and not many:
                return None
            return Meant(asked.id, "answer", value=[*picked] if many else picked[0])
        case _:
            return None


def _vote(asked: Contact, said: str) -> Meant | None:
    """Only what can be nothing else: "hmm, what's their address?" approves nothing."""
    if _word(said) in YES:
        return Meant(asked.id, "approve")
    found = _NO.match(said)
    if found is not None and found["word"].casefold() in NO and found["why"].strip():
        return Meant(asked.id, "deny", comment=found["why"].strip())
    return None


def _word(said: str) -> str:
    return said.strip(" \t\r\n.!,;:\"'").casefold()
