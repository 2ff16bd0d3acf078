"""What the bot may do: look a commit up, have a workflow run for it, ask, and be done."""

from typing import ClassVar, Literal

from twelvefold import Step
from twelvefold.intents import DoneForNow, RequestHumanInput


class FindCommit(Step):
    intent: Literal["find_commit"] = "find_commit"
    ref: str


class Dispatch(Step):
    """Run a workflow for one commit: a whole sha, for a branch may move while people think."""

    risk: ClassVar = "high"
    intent: Literal["dispatch_workflow"] = "dispatch_workflow"
    workflow: str
    environment: Literal["staging", "production"]
    sha: str


AnyStep = FindCommit | Dispatch | RequestHumanInput | DoneForNow
