"""What the steps do, over GitHub's REST API."""

from typing import Any

from actions import REPO, Actions
from steps import Dispatch, FindCommit

from twelvefold import Call, NothingHappened

BRANCH = "main"
"""Whose version of the workflow file runs; which commit it deploys is an input."""


def find_commit(step: FindCommit, call: Call[Actions]) -> object:
    found = asked(call, "GET", f"commits/{step.ref}")
    about = found["commit"]
    return {"sha": found["sha"], "by": about["author"]["name"], "title": about["message"]}


def dispatch(step: Dispatch, call: Call[Actions]) -> str:
    inputs = {"sha": step.sha, "environment": step.environment, "key": call.key}
    asked(call, "POST", f"{workflow(step)}/dispatches", {"ref": BRANCH, "inputs": inputs})
    return f"{step.workflow} runs for {step.sha} in {step.environment}"


def was_dispatched(step: Dispatch, call: Call[Actions]) -> str:
    """Asked after a `dispatch` that was cut off: the title of a run holds our key."""
    runs = asked(call, "GET", f"{workflow(step)}/runs")["workflow_runs"]
    if any(run["display_title"] == f"deploy {call.key}" for run in runs):
        return f"{step.workflow} runs for {step.sha} in {step.environment}"
    raise NothingHappened("no run has this title")


def workflow(step: Dispatch) -> str:
    return f"actions/workflows/{step.workflow}"


def asked(
    call: Call[Actions], method: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    status, answer = call.deps.request(method, f"/repos/{REPO}/{path}", body)
    if status >= 500:  # it may have happened
        raise ConnectionError(f"GitHub answered {status}")
    if status >= 400:
        raise NothingHappened(f"{status} {answer['message']}")
    return answer
