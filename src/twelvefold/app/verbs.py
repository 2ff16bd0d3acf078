"""The verbs as pure functions: from a loaded thread to what is to be appended.

Raises `Conflict` when the verb would change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twelvefold import contacts, files, forks
from twelvefold.agent import Agent
from twelvefold.audit import ERASED
from twelvefold.contacts import (
    REMINDERS_MAX,
    Answer,
    Escalation,
    Reassign,
    Verdict,
    contact_named,
    judge,
    reminded,
)
from twelvefold.directory import Directory
from twelvefold.exceptions import AskedAnew, ConfigurationError, Conflict, TwelvefoldError
from twelvefold.plan import close_all, report_to_parent
from twelvefold.policy import Settles
from twelvefold.reducer import read
from twelvefold.store import Append, Create, ThreadRow
from twelvefold.thread import DEFAULT_TENANT, Draft, Event, Json, Thread


@dataclass(frozen=True, slots=True)
class Change:
    """Appends to commit together. With `refusal` they only record it, and it is raised
    afterwards."""

    appends: tuple[Append, ...]
    refusal: TwelvefoldError | None = None

    def is_outrun(self, stored: Sequence[Sequence[Event]]) -> bool:
        """Whether a judged append was not written, since the log held its keys already: another
        answer, or the same one given elsewhere in the same instant."""
        return any(
            append.expect is not None and not _is_written(append, events)
            for append, events in zip(self.appends, stored, strict=False)
        )


def _is_written(append: Append, stored: Sequence[Event]) -> bool:
    """Whether these events are this very append, and not equal ones of an earlier one."""
    pairs = zip(append.drafts, stored, strict=False)
    return len(append.drafts) == len(stored) and all(d.data is e.data for d, e in pairs)


def message(
    text: str, channel: str | None, sender: str | None, about: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """The data of `message_received`; `about` is what else a channel says of it."""
    given = {**(about or {}), "channel": channel, "from": sender, "text": text}
    return {name: value for name, value in given.items() if value is not None}


def launch(
    agent: str,
    message: Mapping[str, Json],
    *,
    thread_id: str,
    now: datetime,
    tenant: str = DEFAULT_TENANT,
) -> Change:
    """Begin a thread with its first message. The same id and message again change nothing."""
    _check_name(thread_id)
    draft = Draft("message_received", message, now, key="launch")
    create = Create(agent)
    return Change((Append(thread_id, [draft], tenant=tenant, create=create, wake=True),))


def check_again(launch: Change, first: Event, stored: ThreadRow) -> None:
    """Raises `Conflict` when the thread that has this id is not the one to be launched."""
    append = launch.appends[0]
    is_same = _untraced(first.data) == _untraced(append.drafts[0].data)
    if not is_same or append.create != Create(stored.agent):
        name = append.thread_id
        raise Conflict(f"{name} is another thread already ({stored.agent}). Nothing was done.")


def _untraced(message: Mapping[str, Json]) -> dict[str, Json]:
    """Each try of a launch has a trace of its own."""
    return {name: value for name, value in message.items() if name != "traceparent"}


def send(thread: Thread, *, message: Mapping[str, Json], key: str | None, now: datetime) -> Change:
    """A message for the thread. `key` names the delivery: the same key twice is one message."""
    if read(thread).cancelled:
        raise Conflict(f"{thread.id} was {_end_of(thread)}; launch a new thread. Nothing was done.")
    return _woken(thread, Draft("message_received", message, now, key=_delivery(key)))


def signal(thread: Thread, *, name: str, data: Json, key: str | None, now: datetime) -> Change:
    if read(thread).cancelled:
        raise Conflict(f"{thread.id} was {_end_of(thread)}. Nothing was done.")
    received = {"signal": name, "data": data}
    named = None if key is None else f"signal:{key}"  # a message may have the same delivery id
    return _woken(thread, Draft("signal_received", received, now, key=named))


def pause(thread: Thread, *, by: str, now: datetime) -> Change:
    """Decide nothing more until `resume`. What runs may end, and its outcome is kept."""
    state = read(thread)
    if state.cancelled or state.paused:
        word = _end_of(thread) if state.cancelled else "paused"
        raise Conflict(f"{thread.id} is {word} already. Nothing was done.")
    return _control(thread, "paused", {"by": by}, now)


def resume(thread: Thread, *, by: str, now: datetime) -> Change:
    """Lift `pause` or a limit."""
    state = read(thread)
    if state.failed is not None:
        raise Conflict(f"{thread.id} failed: {state.failed} Use retry. Nothing was done.")
    if not (state.paused or state.limited):
        raise Conflict(f"{thread.id} is not paused. Nothing was done.")
    return _control(thread, "resumed", {"by": by}, now)


def retry(thread: Thread, *, by: str, now: datetime) -> Change:
    """Decide again after `advance_failed`."""
    if read(thread).failed is None:
        raise Conflict(f"{thread.id} has not failed. Nothing was done.")
    return _control(thread, "resumed", {"by": by, "retry": True}, now)


def cancel(thread: Thread, *, by: str, reason: str, now: datetime) -> Change:
    """End the thread for good. Open contacts close; a parent learns of it."""
    state = read(thread)
    if state.cancelled:
        raise Conflict(f"{thread.id} is {_end_of(thread)} already. Nothing was done.")
    plan = close_all(state, "cancelled", now=now, comment=f"the thread was cancelled by {by}")
    drafts = [*plan.drafts, Draft("cancelled", {"by": by, "reason": reason}, now)]
    append = Append(
        thread.id,
        drafts,
        tenant=thread.tenant,
        expect=thread.head,
        wake=True,
        cancel=plan.cancel,
    )
    return Change((append, *report_to_parent(thread, state, "cancelled", None, now=now)))


def children(thread: Thread) -> list[str]:
    """Threads that this one launched and that have not reported back."""
    ended = {e.data["child"] for e in thread.events if e.type == "child_finished"}
    launched = [e.data["child"] for e in thread.events if e.type == "child_launched"]
    # A fork's log names the children of the original, which are not its own.
    return [c for c in launched if c.startswith(f"{thread.id}.") and c not in ended]


def fork(
    thread: Thread,
    *,
    at: int,
    new_id: str,
    edits: files.Changes | None = None,
    by: str = "",
    now: datetime,
) -> Change:
    """Copy the log up to `at` into a new thread. The original is untouched."""
    _check_name(new_id)
    changed: files.Changes = edits or {}
    source = files.edited(thread, changed) if changed else thread
    new, drafts = forks.fork(source, at, new_id=new_id, now=now, edited=changed)
    return _begun(new, drafts, by)


def import_thread(
    text: str, *, new_id: str | None, tenant: str, by: str = "", now: datetime
) -> Change:
    """Begin a thread with the log of an exported file."""
    new, drafts = files.import_thread(text, new_id=new_id, tenant=tenant, now=now)
    _check_name(new.id)
    return _begun(new, drafts, by)


def _begun(new: Thread, drafts: list[Draft], by: str) -> Change:
    create, last = Create(new.agent), drafts[-1]
    if by:
        drafts = [*drafts[:-1], Draft(last.type, {**last.data, "by": by}, last.at)]
    return Change((Append(new.id, drafts, tenant=new.tenant, create=create, wake=True),))


def answer(
    thread: Thread,
    *,
    agent: Agent[Any, Any],
    given: Answer,
    settles: Settles,
    directory: Directory,
    now: datetime,
) -> Change:
    """Judge an answer on the log as it is now."""
    verdict = judge(agent.state(thread), given, now=now, settles=settles, directory=directory)
    return _judged(thread, verdict)


def reassign(
    thread: Thread,
    *,
    agent: Agent[Any, Any],
    wish: Reassign,
    settles: Settles,
    directory: Directory,
    now: datetime,
) -> Change:
    """Give the place of one person who is asked to another."""
    verdict = contacts.reassign(
        agent.state(thread),
        wish,
        owner=agent.owner,
        now=now,
        settles=settles,
        directory=directory,
    )
    return _judged(thread, verdict)


def escalate(
    thread: Thread,
    *,
    agent: Agent[Any, Any],
    wish: Escalation,
    settles: Settles,
    directory: Directory,
    now: datetime,
) -> Change:
    """Ask those whom the deadline would ask, now."""
    state, owner = agent.state(thread), agent.owner
    verdict = contacts.escalate(
        state, wish, owner=owner, now=now, settles=settles, directory=directory
    )
    return _judged(thread, verdict)


def remind(thread: Thread, *, contact: str, by: str, now: datetime) -> Change:
    """Ask those who are asked once more."""
    state = read(thread)
    asked = contact_named(state, contact)
    if contact not in state.open_contacts:
        raise Conflict(f"{thread.id}.{contact} is closed: nobody is asked. Nothing was done.")
    if asked.reminders >= REMINDERS_MAX:
        raise Conflict(
            f"{thread.id}.{contact} was reminded of REMINDERS_MAX = {REMINDERS_MAX} times."
            " Nothing was done."
        )
    draft = reminded(asked, now, by=by)
    append = Append(thread.id, [draft], tenant=thread.tenant, expect=thread.head, exact=True)
    return Change((append,))


def _judged(thread: Thread, verdict: Verdict) -> Change:
    asked_anew = isinstance(verdict.refusal, AskedAnew)
    append = Append(
        thread.id,
        verdict.drafts,
        tenant=thread.tenant,
        expect=thread.head,
        wake=verdict.refusal is None or asked_anew,
        timers=verdict.timers,
        cancel=verdict.cancel,
    )
    return Change((append,) if verdict.drafts or asked_anew else (), verdict.refusal)


def _check_name(thread_id: str) -> None:
    if not thread_id or "." in thread_id or thread_id.startswith("@"):
        raise ConfigurationError(
            f"{thread_id!r} cannot name a thread: no dots, no leading @, and not empty."
        )


def _end_of(thread: Thread) -> str:
    """How a thread ended that nothing changes any more."""
    return ERASED if any(event.type == ERASED for event in thread.events) else "cancelled"


def _delivery(key: str | None) -> str | None:
    return None if key is None else f"delivery:{key}"


def _woken(thread: Thread, draft: Draft) -> Change:
    return Change((Append(thread.id, [draft], tenant=thread.tenant, wake=True),))


def _control(thread: Thread, type: str, data: Mapping[str, Json], now: datetime) -> Change:
    draft = Draft(type, data, now)
    append = Append(thread.id, [draft], tenant=thread.tenant, expect=thread.head, wake=True)
    return Change((append,))
