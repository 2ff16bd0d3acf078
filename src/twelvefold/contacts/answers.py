"""What a person says to a contact, and what is to be appended for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from twelvefold.exceptions import TwelvefoldError
from twelvefold.state import ContactKind
from twelvefold.store import Timer
from twelvefold.thread import Draft, Json

Decision = Literal["approve", "deny", "edit", "answer", "choose", "it_ran", "run_again", "give_up"]

ACCEPTED: Mapping[ContactKind, tuple[Decision, ...]] = {
    "approval": ("approve", "deny", "edit"),
    "question": ("answer",),
    "outcome": ("it_ran", "run_again", "give_up"),
    "repair": ("edit", "give_up"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one person says to one contact. `contact` is its id within the thread.

    `digest`: of what was on the person's screen, where the channel knows it. `value`: the answer to
    a question, the name of an option (`choose`), or what the tool returned (`it_ran`). `changes`:
    new arguments by name (`edit`). `delivery`: the provider's id of what brought it.
    """

    contact: str
    decision: Decision
    by: str
    comment: str | None = None
    value: Json = None
    changes: Mapping[str, Json] | None = None
    digest: str | None = None
    channel: str = "api"
    assurance: str = "local"
    delivery: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to append for an answer. With `refusal`, the drafts only record that it was refused.
    `cancel` and `timers`: the keys of timers that end, and those to set."""

    drafts: tuple[Draft, ...]
    cancel: tuple[str, ...] = ()
    refusal: TwelvefoldError | None = None
    timers: tuple[Timer, ...] = ()
