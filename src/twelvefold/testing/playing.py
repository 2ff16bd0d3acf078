"""Whole runs in a test: launch, answer, and what the thread ends with.

What does not come out as the test says is told with the state of the thread: what it waits for, and
the last that happened.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.failures import clip
from twelvefold.policy import Policy
from twelvefold.store import ContactRow
from twelvefold.summary import Summary
from twelvefold.thread import DEFAULT_TENANT, Event, Thread, to_text

EVENTS_TOLD = 6
DATA_CHARS_MAX = 160


async def play(
    app: App, agent: str, text: str, *answers: Mapping[str, Any], by: str, thread_id: str = "t1"
) -> str:
    """Launch a thread, run it, and again after each answer of `by` to what is open; its id.

    An answer is keyword arguments of `App.answer`. Raises `AssertionError`, which tells where the
    thread stands, when an answer finds not just one open contact.
    """
    __tracebackhide__ = True  # pytest then shows the line of the test
    await app.launch(agent, text, thread_id=thread_id)
    await _run(app)
    for number, answer in enumerate(answers, start=1):
        asked = [row for row in app.inbox() if row.ref.id.partition(".")[0] == thread_id]
        if len(asked) != 1:
            raise AssertionError(
                f"answer {number}, {dict(answer)}, needs one open contact, and there are"
                f" {len(asked)}.\n{told(app, thread_id)}"
            )
        said: dict[str, Any] = {"by": by, **answer}
        await app.answer(name_of(asked[0]), **said)
        await _run(app)
    return thread_id


async def _run(app: App) -> None:
    """Until nothing is left but to wait. Raises what stopped a thread, such as an unknown agent."""
    for error in (await app.run(until_idle=True)).errors.values():
        raise error


def ended(app: App, thread_id: str = "t1", *, tenant: str = DEFAULT_TENANT) -> str:
    """The message with which the thread has finished. Raises `AssertionError`, which tells where it
    stands, for one that has not."""
    __tracebackhide__ = True
    if app.store.thread_row(thread_id, tenant=tenant).status != "finished":
        raise AssertionError(f"{thread_id} has not finished.\n{told(app, thread_id)}")
    thread = app.thread(thread_id, tenant=tenant)
    return next(str(e.data["message"]) for e in reversed(thread.events) if e.type == "finished")


def told(app: App, thread_id: str = "t1", *, tenant: str = DEFAULT_TENANT) -> str:
    """Where a thread stands, in lines for a failing test: `assert ok, told(app)`."""
    row = app.store.thread_row(thread_id, tenant=tenant)
    thread = app.thread(thread_id, tenant=tenant)
    why = f": {row.summary.failed}" if row.summary.failed else ""
    lines = [f"{thread_id} ({row.agent}) is {row.status}{why}"]
    lines += [f"  {wait}" for wait in _waits(app, row.summary, thread_id, tenant)]
    lines.append(f"  the last of {thread.head} events:")
    return "\n".join([*lines, *map(_line, _last(thread))])


def name_of(contact: ContactRow) -> str:
    """As `App.answer` takes it."""
    return f"{contact.ref.id}.{contact.id}"


def asks(contact: ContactRow) -> str:
    """`t1.s2.1 asks anna, an approval: deploy {"tag":"v1"}`: one contact in words."""
    data = contact.data
    kind, what = str(data["kind"]), f"{data['intent']} {to_text(data['args'])}"
    who = Policy.from_data(data["to"])
    said = data.get("question") or what
    return f"{name_of(contact)} asks {who}, kind {kind!r}: {clip(str(said))}"


def who_may(contact: ContactRow, directory: Directory) -> Sequence[str]:
    """Whose answer may count, names before the people of roles."""
    policy = Policy.from_data(contact.data["to"])
    people = policy.everybody(directory)
    named = [name for name in policy.names if directory.person(name) in people]
    return list(dict.fromkeys([*named, *sorted(people)]))


def _waits(app: App, summary: Summary, thread_id: str, tenant: str) -> Iterator[str]:
    """What it waits for; contacts of its children as well."""
    inbox = app.inbox(tenant=tenant)
    kin = [row for row in inbox if f"{row.ref.id}.".startswith(f"{thread_id}.")]
    yield from map(asks, kin)
    for wait in summary.waits:
        if wait.partition(":")[0] in ("timer", "signal", "child"):
            yield f"waits for {wait}"


def _last(thread: Thread) -> list[Event]:
    return list(thread.events[max(0, thread.head - EVENTS_TOLD) :])


def _line(event: Event) -> str:
    data = to_text(event.data)
    cut = data if len(data) <= DATA_CHARS_MAX else f"{data[:DATA_CHARS_MAX]} ..."
    return f"  {event.seq:>4} {event.type} {cut}"
