"""What a person is told of a contact, before it is written for any medium."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from twelvefold.store import ContactRow
from twelvefold.thread import Event, Json, Thread, from_iso, to_text

WHY = ("thought", "reasoning")
"""Arguments in which a model says why. They are its words, and are shown as such."""
OPTIONS = frozenset({"urgency", "format", "choices"})
"""What `InputOptions` has. It is not imported: completing a command line waits for no pydantic."""


@dataclass(frozen=True, slots=True)
class Notice:
    """All that a person needs to decide. Its texts are raw: a medium makes them safe.

    `wish` is what the agent wants, in words. `why` holds what the model says of its own choice,
    `since` the messages that came after this was asked, as (seq, sender, text).
    """

    contact: str
    agent: str
    kind: str
    wish: str
    question: str
    args: tuple[tuple[str, Json], ...]
    why: tuple[tuple[str, str], ...]
    asked_at: datetime
    deadline: datetime | None
    asked_of: str
    chooser: str
    since: tuple[tuple[int, str, str], ...]
    options: tuple[tuple[str, str], ...] = ()

    def dates(self, now: datetime) -> str:
        asked = f"asked {ago((now - self.asked_at).total_seconds())} ago"
        if self.deadline is None:
            return f"{asked}, no deadline"
        left_s = (self.deadline - now).total_seconds()
        return f"{asked}, " + (f"expires in {left(left_s)}" if left_s > 0 else "expired")


def notice_of(row: ContactRow, thread: Thread) -> Notice:
    """The notice of a contact, from its row and its thread."""
    data = row.data
    args = cast("dict[str, Json]", data["args"])
    deadline = data.get("deadline")
    return Notice(
        contact=f"{thread.id}.{row.id}",
        agent=row.agent,
        kind=data["kind"],
        wish=_wish(data),
        question=str(data.get("question") or ""),
        args=tuple((name, value) for name, value in _told(data) if not _is_why(name, value)),
        why=tuple((name, value) for name, value in args.items() if _is_why(name, value)),
        asked_at=row.asked_at,
        deadline=None if deadline is None else from_iso(deadline),
        asked_of=_people(data["to"]),
        chooser=_chooser(data, thread),
        since=tuple(map(_message, messages_since(row, thread))),
        options=tuple((o["name"], o.get("title") or o["name"]) for o in data.get("options") or ()),
    )


def _told(data: Mapping[str, Json]) -> list[tuple[str, Json]]:
    """All arguments; of a question those alone that it does not say itself."""
    args = list(cast("dict[str, Json]", data["args"]).items())
    if data["kind"] != "question":
        return args
    question = f"\n{data.get('question') or ''}\n"
    asked = [_without_form(name, value) for name, value in args]
    return [(name, value) for name, value in asked if not _is_said(value, question)]


def _is_said(value: Json, question: str) -> bool:
    return value in (None, "", [], {}) or (isinstance(value, str) and f"\n{value}\n" in question)


def _without_form(name: str, value: Json) -> tuple[str, Json]:
    """Of the options of an answer only the urgency: the others are its fields or buttons."""
    if (urgency := _urgency(value)) is None:
        return name, value
    return "urgency", "" if urgency == "medium" else urgency


def _urgency(value: Json) -> Json:
    """That of `InputOptions`; None for any other value."""
    options = cast("dict[str, Json]", value) if isinstance(value, dict) else {}
    return options["urgency"] if options.keys() == OPTIONS else None


def _is_why(name: str, value: Json) -> bool:
    return name in WHY and isinstance(value, str) and value.strip() != ""


def _wish(data: Mapping[str, Json]) -> str:
    intent, risk = data["intent"], f"{data.get('risk', 'low')} risk"
    match data["kind"]:
        case "approval":
            return f"wants   {intent}    {risk}"
        case "question":
            return "asks"
        case "outcome":
            return f"does not know what became of   {intent}    {risk}"
        case _:
            return f"cannot read   {intent}"


def ago(seconds: float) -> str:
    """A duration in its largest unit: `8 s`, `2 min`, `3 h`, `5 d`."""
    whole = max(int(seconds), 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def left(seconds: float) -> str:
    """What is left, to the nearest, in the largest unit of which there are two: a deadline of a day
    is `24 h` when it was just set, where `ago` would say 23."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{max(round(seconds), 0)} s"


def _people(to: Mapping[str, Json]) -> str:
    people = [_member(one) for one in cast("list[Json]", to["people"])]
    if to.get("needed", 1) > 1:
        return f"{to['needed']} of {', '.join(people)}"
    return " or ".join(people)


def _member(member: Json) -> str:
    if not isinstance(member, dict):
        return str(member)
    group = cast("dict[str, Json]", member)
    return f"role {group['role']}" if "role" in group else f"({_people(group)})"


def _chooser(data: Mapping[str, Json], thread: Thread) -> str:
    steps = [e for e in thread.events if e.type == "next_step_chosen"]
    number = int(str(data["step"]).removeprefix("s"))
    if number > len(steps):
        return "nobody known"
    chosen = steps[number - 1].data
    named = str(chosen.get("person") or chosen["by"])
    return {"model": "the model", "code": "code"}.get(str(chosen["by"]), named)


def messages_since(row: ContactRow, thread: Thread) -> list[Event]:
    """The messages that arrived after the contact was asked."""
    asked = [
        e.seq
        for e in thread.events
        if e.type == "contact_requested" and e.data.get("contact") == row.id
    ]
    since = asked[-1] if asked else thread.head
    return [e for e in thread.events if e.type == "message_received" and e.seq > since]


def sender_of(message: Event) -> str:
    """Who it is from; where nobody is named, where it came from."""
    return str(message.data.get("from") or message.data.get("channel") or "user")


def _message(event: Event) -> tuple[int, str, str]:
    return event.seq, sender_of(event), to_text(event.data.get("text"))
