"""What the steps do, and how a GraphQL refusal becomes the few words that a model needs."""

import uuid
from hashlib import sha256
from typing import Any

from steps import Comment, Fetch, MarkDuplicate, UpdateIssue
from tracker import Tracker

from twelvefold import Call, NothingHappened
from twelvefold.failures import is_transient


class Refused(Exception):
    """`CODE: words for people`, of the first error; how many more there are is said."""

    def __init__(self, body: dict[str, Any]) -> None:
        first, *more = body["errors"]
        about = first.get("extensions", {})
        self.code = about.get("code", "UNKNOWN")
        said = about.get("userPresentableMessage") or first["message"]
        super().__init__(f"{self.code}: {said}{f' ({len(more)} more errors)' if more else ''}")


def passes(error: BaseException) -> bool:
    """Whether the same request may be taken later."""
    return error.code == "RATELIMITED" if isinstance(error, Refused) else is_transient(error)


async def fetch(step: Fetch, call: Call[Tracker]) -> Any:
    return (await asked(call, step.source))["nodes"]


async def update_issue(step: UpdateIssue, call: Call[Tracker]) -> str:
    given = {"labelIds": step.label_ids, "priority": step.priority, "projectId": step.project_id}
    known = {name: value for name, value in given.items() if value is not None}
    await asked(call, "issueUpdate", id=step.issue, input=known)
    return "updated"


async def mark_duplicate(step: MarkDuplicate, call: Call[Tracker]) -> str:
    given = {"duplicateOf": step.duplicate_of, "state": "duplicate"}
    await asked(call, "issueUpdate", id=step.issue, input=given)
    return f"{step.issue} is closed as a duplicate of {step.duplicate_of}"


async def comment(step: Comment, call: Call[Tracker]) -> str:
    given = {"id": comment_id(call), "issueId": step.issue, "body": step.body}
    await asked(call, "commentCreate", input=given)
    return "commented"


async def was_commented(step: Comment, call: Call[Tracker]) -> str:
    """Asked after a `comment` that was cut off: the id was ours, so it can be looked for."""
    try:
        await asked(call, "comment", id=comment_id(call))
    except Refused as error:
        if error.code != "INPUT_ERROR":
            raise
        raise NothingHappened("there is no such comment") from error
    return "commented"


def comment_id(call: Call[Tracker]) -> str:
    """A UUID in version 4, as the API wants it, that is the same for the same key."""
    return str(uuid.UUID(bytes=sha256(call.key.encode()).digest()[:16], version=4))


async def asked(call: Call[Tracker], operation: str, **variables: Any) -> dict[str, Any]:
    _, body = await call.deps.post(operation, variables)
    if body.get("errors"):
        raise Refused(body)
    return body["data"][operation]
