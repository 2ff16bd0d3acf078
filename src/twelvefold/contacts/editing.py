"""An edit: the changed step is chosen anew, and the edit is its editor's vote for it. Pure."""

from datetime import datetime
from typing import Any

from twelvefold.contacts.answers import Answer
from twelvefold.exceptions import InvalidAnswer
from twelvefold.state import Contact, State
from twelvefold.steps import changed_args, digest, schema_hash
from twelvefold.thread import Draft, Json


def changed_step(state: State[Any], contact: Contact, answer: Answer, now: datetime) -> Draft:
    """`next_step_chosen` by a person. A repair is not an approval.

    The edit is kept as her vote, for when the changed step is asked: other arguments may need other
    people, and only `decide` knows whom.
    """
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
        chosen["vote"] = {"contact": contact.id, "digest": bound}
    return Draft("next_step_chosen", chosen, now, key=f"edited:{contact.id}")
