"""A stand-in for the model: reads the rendered thread, as a model would, and replies by rules."""

import re
from typing import Any

from steps import Dispatch, FindCommit

from twelvefold import Step
from twelvefold.context import parse
from twelvefold.intents import DoneForNow, RequestHumanInput
from twelvefold.messages import ModelRequest

FILE = re.compile(r"[\w-]+\.yml")
SHA = re.compile(r"\b[0-9a-f]{7,40}\b")


def script(request: ModelRequest) -> Step:
    views = parse(request.messages[-1].text.strip() + "\n")
    at = max(n for n, (tag, _) in enumerate(views) if tag.endswith("_message"))
    since = views[at + 1 :]
    answers = [
        said["answer"] for tag, said in since if tag == "human_response" and "answer" in said
    ]
    said = re.sub(r"<@\w+>", "", " ".join(map(str, [views[at][1], *answers])))
    return next_of(said, since)


def next_of(said: str, since: list[tuple[str, Any]]) -> Step:
    """`since`: what has happened after the newest message; `said`: it, and what was answered."""
    happened = dict(since)
    nothing: tuple[str, dict[str, Any]] = ("", {})
    tag, last = since[-1] if since else nothing
    if tag == "error":
        return DoneForNow(message=f"I cannot do that. {last['error']}")
    if tag == "dispatch_workflow_result":
        return DoneForNow(message=f"{last}.")
    if tag == "human_response" and last["decision"] != "answered":
        return after(last, happened)
    if "find_commit_result" in happened:
        return dispatch(said, happened["find_commit_result"]["sha"])
    if "deploy" not in said:
        return DoneForNow(message="Say, for example: deploy web to production")
    if not (FILE.search(said) or re.search(r"\b(web|api)\b", said)):
        return RequestHumanInput(question="Which one: web or api?")
    sha = SHA.search(said)
    return FindCommit(ref=sha[0] if sha else "main")


def after(answer: dict[str, Any], happened: dict[str, Any]) -> Step:
    """What people said instead of yes: another commit, or nothing more."""
    sha = SHA.search(str(answer.get("comment", "")))
    if sha and sha[0] not in happened["find_commit_result"]["sha"]:
        return FindCommit(ref=sha[0])
    return DoneForNow(message="It stays as it is.")


def dispatch(said: str, sha: str) -> Dispatch:
    file, api = FILE.search(said), re.search(r"\bapi\b", said)
    workflow = file[0] if file else "deploy-api.yml" if api else "deploy-web.yml"
    where = "staging" if "staging" in said else "production"
    return Dispatch(workflow=workflow, environment=where, sha=sha)
