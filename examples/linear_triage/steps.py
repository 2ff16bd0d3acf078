"""What may be done with an issue: code fetches, a model sorts, people close."""

from typing import ClassVar, Literal

from twelvefold import Step
from twelvefold.intents import DoneForNow, RequestHumanInput

Source = Literal["issues", "issueLabels", "projects"]


class Fetch(Step):
    intent: Literal["fetch"] = "fetch"
    source: Source


class UpdateIssue(Step):
    intent: Literal["update_issue"] = "update_issue"
    issue: str
    label_ids: list[str]
    priority: Literal[1, 2, 3, 4]
    project_id: str | None = None


class Comment(Step):
    intent: Literal["comment"] = "comment"
    issue: str
    body: str


class MarkDuplicate(Step):
    risk: ClassVar = "medium"
    intent: Literal["mark_duplicate"] = "mark_duplicate"
    issue: str
    duplicate_of: str
    why: str


BotStep = UpdateIssue | Comment | MarkDuplicate | RequestHumanInput | DoneForNow
AnyStep = BotStep | Fetch  # a model cannot choose to fetch: it is all there when it is asked
