"""One contact, as it was found, and what is decided about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from twelvefold.channels.terminal import ask_text
from twelvefold.cli.ancestry import refuse_descendants
from twelvefold.cli.following import act_and_follow
from twelvefold.cli.here import Here, person
from twelvefold.exceptions import AskedAnew, Conflict, InvalidAnswer, NotAllowed, UnknownContact
from twelvefold.store import ContactRow, Ref
from twelvefold.summary import short
from twelvefold.thread import Json, Thread

if TYPE_CHECKING:
    from twelvefold.contacts import Decision

CHANNEL = "cli"
ASSURANCE = "local"


@dataclass(frozen=True, slots=True)
class Asked:
    """A contact with its thread, as both were when it was looked up."""

    thread: Thread
    row: ContactRow

    @property
    def id(self) -> str:
        return f"{self.thread.id}.{self.row.id}"

    @property
    def is_open_approval(self) -> bool:
        return self.row.data["kind"] == "approval" and self.row.outcome is None

    @property
    def shown_id(self) -> str:
        return f"{short(self.thread.id)}.{self.row.id}"


@dataclass(frozen=True, slots=True)
class Given:
    """What a person decided. `value` and `changes` as in `App.answer`."""

    decision: "Decision"
    comment: str | None = None
    value: Json = None
    changes: Mapping[str, Json] | None = None


def find(here: Here, name: str, *, expect: str | None) -> Asked:
    """Raises `UnknownContact`, and `Conflict` when it has another digest than `expect`."""
    from twelvefold.app.names import find_contact

    app = here.app  # whoever decides needs the application: it judges the answer
    here.refuse_unbegun(name)
    refuse_descendants(app.store)
    thread_id, contact = find_contact(app.store, name)
    thread = app.thread(here.remember(thread_id))
    asked = Asked(thread, _row(thread, contact))
    digest = asked.row.data.get("digest")
    if expect is not None and expect != digest:
        raise Conflict(
            f"{asked.id} has the digest {digest or 'of no approval'}, not {expect}."
            " Nothing was done."
        )
    return asked


def _row(thread: Thread, contact: str) -> ContactRow:
    """The contact as the log has it. Raises `UnknownContact`."""
    from twelvefold.reducer import read

    found = read(thread).contacts.get(contact)
    if found is None:
        raise UnknownContact(f"{thread.id} holds no contact {contact}.")
    event = thread.events[found.seq - 1]
    ref = Ref(thread.tenant, thread.id)
    return ContactRow(ref, thread.agent, contact, event.at, event.data, found.outcome)


def who_decides(here: Here, given: str | None) -> str:
    """By their name, or else by their login, which may not be how they are called here."""
    if given is None:
        here.then[NotAllowed] = "the same command with --as NAME, where you have another name here"
    return person(given)


def decide(
    here: Here, asked: Asked, given: Given, *, by: str | None, detach: bool, timeout_s: float | None
) -> int:
    """Answer, then follow the thread. Nothing is followed when the answer is refused, unless it is
    asked anew: then that is shown."""
    decider = who_decides(here, by)

    async def answer() -> None:
        try:
            await _give(here, asked, given, decider)
        except AskedAnew as refusal:
            here.out.say(str(refusal))
            return
        if here.json:
            here.out.document(
                "answer/1",
                contact=asked.id,
                decision=given.decision,
                by=decider,
                digest=asked.row.data.get("digest"),
            )
        elif needs := _still_needs(here, asked):
            here.out.say(f"{asked.shown_id}   {decider}'s yes counts; it needs {needs}")

    return act_and_follow(here, asked.thread.id, answer, detach=detach, timeout_s=timeout_s)


async def _give(here: Here, asked: Asked, given: Given, decider: str) -> None:
    await here.app.answer(
        asked.id,
        given.decision,
        by=decider,
        comment=given.comment,
        value=given.value,
        changes=given.changes,
        digest=asked.row.data.get("digest"),
        channel=CHANNEL,
        assurance=ASSURANCE,
    )


def _still_needs(here: Here, asked: Asked) -> str | None:
    """Whom a contact needs that one answer did not close; None when it is closed."""
    from twelvefold.reducer import read

    contact = read(here.app.thread(asked.thread.id)).open_contacts.get(asked.row.id)
    return None if contact is None else str(contact.policy)


def outcome_or_answer(here: Here, asked: Asked, text: str | None, value: Json) -> Given:
    """What `answer` means for this kind of contact. Raises `InvalidAnswer`."""
    if text is None and here.terminal is not None:
        text = ask_text(here.terminal, str(asked.row.data.get("question") or "Your answer"))
    if text is None:
        raise InvalidAnswer(f"{asked.id} awaits an answer: give it as TEXT. Nothing was done.")
    if asked.row.data["kind"] in {"outcome", "repair"}:
        if text not in {"it_ran", "run_again", "give_up"}:
            raise InvalidAnswer(
                f"{asked.id} awaits it_ran, run_again or give_up, not {text!r}. Nothing was done."
            )
        return Given(cast("Decision", text), value=value)
    if value is not None:
        raise InvalidAnswer(f"{asked.id} awaits TEXT; --result goes with it_ran. Nothing was done.")
    return Given("answer", value=_of_form(asked, text))


def _of_form(asked: Asked, text: str) -> Json:
    """The text as a value of the form that is asked for, where that is no text."""
    form: dict[str, Json] = asked.row.data.get("form") or {}
    if form.get("kind") != "json" and not form.get("many"):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidAnswer(
            f"{asked.id} awaits JSON, and TEXT is none: {error}. Nothing was done."
        ) from error
