"""A stand-in for the model: reads the rendered thread, as a model would, and replies by rules.

Its first try names a label by its name, as models do; the error makes it look for the id.
"""

from typing import Any

from steps import Comment, MarkDuplicate, UpdateIssue

from twelvefold import Step
from twelvefold.context import parse
from twelvefold.intents import DoneForNow, InputOptions, RequestHumanInput
from twelvefold.messages import ModelRequest

LABEL = "Bug"


def script(request: ModelRequest) -> Step:
    text, _, asked = request.messages[-1].text.rstrip().rpartition("\n")
    views = parse(text.strip() + "\n")
    name = asked.removeprefix("Sort ").removesuffix(".")
    happened, (tag, last) = dict(views), views[-1]
    if "mark_duplicate_result" in happened:
        return DoneForNow(message=happened["mark_duplicate_result"] + ".")
    if "comment_result" in happened:
        return DoneForNow(message=f"{name} is sorted in.")
    if "update_issue_result" in happened:
        return Comment(issue=name, body="It breaks what worked before, so it is a bug.")
    found = fetched(views)
    if tag == "error" and last["intent"] == "update_issue":
        return update(name, found.get(LABEL, LABEL), found)
    if tag == "human_response" and last["decision"] == "answered":
        return update(name, last["answer"], found)
    if "Export to CSV" in text and "human_response" not in happened and name == "ENG-7":
        return MarkDuplicate(issue=name, duplicate_of="ENG-3", why="Both stop after 1000 rows.")
    if LABEL not in found:
        options = InputOptions(urgency="low")
        return RequestHumanInput(
            question="Which id has the label for bugs?",
            context="The labels could not be read.",
            options=options,
        )
    return update(name, LABEL.lower(), found)


def fetched(views: list[tuple[str, Any]]) -> dict[str, str]:
    """Names of labels and projects to their ids."""
    results = [body for tag, body in views if tag == "fetch_result"]
    return {one["name"]: one["id"] for nodes in results for one in nodes if "name" in one}


def update(name: str, label: str, found: dict[str, str]) -> UpdateIssue:
    project = found.get("Sign-in" if name == "ENG-8" else "Exports")
    return UpdateIssue(issue=name, label_ids=[label], priority=2, project_id=project)
