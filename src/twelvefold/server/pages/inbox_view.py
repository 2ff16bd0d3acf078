"""What the inbox shows: rows of a store as lines for one person. Pure; texts are raw."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from twelvefold.directory import Directory
from twelvefold.inbox import Backlog, ContactRow
from twelvefold.notices import WHY
from twelvefold.policy import RISKS, Policy
from twelvefold.server.pages.decision_view import OUTCOMES, VERBS, WHERE
from twelvefold.server.pages.values import brief, brief_args
from twelvefold.thread import Json, from_iso, from_text

Tab = Literal["waiting", "mine", "history"]
TABS: Sequence[tuple[Tab, str]] = (("waiting", "Waiting"), ("mine", "Mine"), ("history", "History"))
BRIEF_CHARS_MAX = 160
SOON = timedelta(hours=1)
"""From here on a deadline is near."""


@dataclass(frozen=True, slots=True)
class Line:
    """One contact. `name` is what it is about: the question, or the step with `brief` arguments."""

    id: str
    agent: str
    verb: str
    name: str
    is_question: bool
    brief: str
    risk: str
    asked_of: str
    asked_at: datetime
    deadline: datetime | None
    is_soon: bool
    outcome: str
    by: str
    where: str
    comment: str
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for; empty is everything."""

    agent: str = ""
    risk: str = ""
    to: str = ""

    @property
    def is_all(self) -> bool:
        return not (self.agent or self.risk or self.to)

    def fields(self) -> dict[str, str]:
        given = {"agent": self.agent, "risk": self.risk, "to": self.to}
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Offered:
    """What there is to filter by."""

    agents: Sequence[str]
    risks: Sequence[str]
    people: Sequence[str]


def line(row: ContactRow, now: datetime) -> Line:
    data, ended = row.data, row.ended
    args = {
        n: v for n, v in cast("dict[str, Json]", data.get("args") or {}).items() if n not in WHY
    }
    is_question = data.get("kind") == "question"
    deadline = None if data.get("deadline") is None else from_iso(str(data["deadline"]))
    return Line(
        id=f"{row.ref.id}.{row.id}",
        agent=row.agent,
        verb=VERBS.get(str(data.get("kind")), ""),
        name=brief(data.get("question"), BRIEF_CHARS_MAX) if is_question else str(data["intent"]),
        is_question=is_question,
        brief="" if is_question else brief_args(args, BRIEF_CHARS_MAX),
        risk=str(data.get("risk", "low")),
        asked_of=_people(data.get("to")),
        asked_at=row.asked_at,
        deadline=deadline,
        is_soon=deadline is not None and deadline - now < SOON,
        outcome=OUTCOMES.get(row.outcome or "", (row.outcome or "").replace("_", " ")),
        by=str(ended.get("by") or ended.get("rule") or ""),
        where=WHERE.get(str(ended.get("channel")), str(ended.get("channel") or "")),
        comment=brief(ended.get("comment") or "", BRIEF_CHARS_MAX),
        closed_at=row.closed_at,
    )


def offered(backlog: Iterable[Backlog], directory: Directory) -> Offered:
    """What the open contacts can be told apart by."""
    rows = list(backlog)
    people = {name for row in rows for name in _everybody(row.to, directory)}
    return Offered(
        sorted({row.agent for row in rows}),
        [risk for risk in RISKS if any(row.risk == risk for row in rows)],
        sorted(people, key=str.casefold),
    )


def policies_for(person: str, backlog: Iterable[Backlog], directory: Directory) -> list[str]:
    """Of the policies that open contacts have, those by which this person may say something."""
    texts = {row.to for row in backlog}
    return [text for text in sorted(texts) if _allows(text, person, directory)]


def count(backlog: Iterable[Backlog], wanted: Wanted, policies: Sequence[str] | None) -> int:
    """How many open contacts fit."""
    return sum(
        row.open
        for row in backlog
        if wanted.agent in ("", row.agent)
        and wanted.risk in ("", row.risk)
        and (policies is None or row.to in policies)
    )


def _allows(text: str, person: str, directory: Directory) -> bool:
    policy = _policy(from_text(text))
    return policy is not None and policy.allows(directory.person(person), directory)


def _everybody(text: str, directory: Directory) -> Iterable[str]:
    policy = _policy(from_text(text))
    return () if policy is None else policy.everybody(directory)


def _people(to: Json) -> str:
    policy = _policy(to)
    return "" if policy is None else str(policy)


def _policy(to: Any) -> Policy | None:
    """None for a request that names nobody, which only a foreign writer makes."""
    try:
        return Policy.from_data(to)
    except (KeyError, TypeError):
        return None
