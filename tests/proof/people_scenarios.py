"""What the crash matrix runs of the examples in which people and agents share the work."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loading import app_of, example
from places import store_in

from twelvefold import App
from twelvefold.store import ContactRow
from twelvefold.testing import Point, Scenario

CREW = example("mailcrew")
Post: Any = type(CREW.world.post)
TRIAGE = example("linear_triage")
SUPPORT = example("support_triage")
DEPLOYBOT = example("deploybot")
MAIL = "To: billing@crew.example.com\nSubject: Invoice\n\nPlease charge my card for in_1001."


class PointedBilling(CREW.Billing):
    """The API with a boundary before and after each write."""

    def __init__(self, path: Path, point: Point) -> None:
        super().__init__(path)
        self.point = point

    def request(self, method: str, path: str, params: Any, *, key: str = "") -> Any:
        if method == "GET":
            return super().request(method, path, params, key=key)
        self.point(f"before {path}")
        answer = super().request(method, path, params, key=key)
        self.point(f"after {path}")
        return answer


class PointedPost(Post):
    """The mail server with a boundary before and after each mail."""

    def __init__(self, path: Path, point: Point) -> None:
        super().__init__(path)
        self.point = point

    def send(self, message_id: str, **mail: str) -> None:
        self.point("before a mail")
        super().send(message_id, **mail)
        self.point("after a mail")


class PointedActions(DEPLOYBOT.Actions):
    """GitHub with a boundary before and after each dispatch."""

    def __init__(self, path: Path, point: Point) -> None:
        super().__init__(path)
        self.point = point

    def request(self, method: str, path: str, body: Any = None) -> Any:
        if method == "GET":
            return super().request(method, path, body)
        self.point("before a dispatch")
        answer = super().request(method, path, body)
        self.point("after a dispatch")
        return answer


class PointedTracker(TRIAGE.Tracker):
    """The tracker with a boundary before and after each write."""

    def __init__(self, path: Path, point: Point) -> None:
        super().__init__(path, ratelimited=frozenset({"issueLabels"}))
        self.point = point

    async def post(self, operation: str, variables: Mapping[str, Any]) -> Any:
        if operation not in {"issueUpdate", "commentCreate"}:
            return await super().post(operation, variables)
        self.point(f"before {operation}")
        answer = await super().post(operation, variables)
        self.point(f"after {operation}")
        return answer


def mailcrew(folder: Path, point: Point) -> Scenario:
    """A charge that two people approve, then a mail that one approves."""
    billing = PointedBilling(folder / "billing.db", point)
    world = CREW.World(billing, PointedPost(folder / "post.db", point))
    app = app_of(CREW, deps=world, store=store_in(folder))

    async def launch(app: App) -> None:
        await app.launch(
            "mailcrew", MAIL, thread_id="m1", channel="email", sender="ada@example.com"
        )

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        point("while a person thinks")
        return {"decision": "approve", "by": "ben" if voted(app, contact) else "anna"}

    def effects() -> Mapping[str, int]:
        mails = Counter(f"mail to {to}" for _, to, *_ in world.post.sent())
        return billing.effects() | mails

    return Scenario(app, launch, answer, effects)


def deploybot(folder: Path, point: Point) -> Scenario:
    """A deploy that is denied for another commit, which is approved and dispatched."""
    actions = PointedActions(folder / "actions.db", point)
    app = app_of(DEPLOYBOT, deps=actions, store=store_in(folder))

    async def launch(app: App) -> None:
        await app.launch("deploybot", "deploy web to production", thread_id="d1")

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        point("while a person thinks")
        if contact.id == "s2.1":
            return {"decision": "deny", "by": "anna", "comment": "take 77d0a1c"}
        return {"decision": "approve", "by": "ben"}

    def effects() -> Mapping[str, int]:
        return Counter(f"{file} for {sha[:7]}" for file, _, sha in actions.dispatched())

    return Scenario(app, launch, answer, effects)


def linear_triage(folder: Path, point: Point) -> Scenario:
    """Three fetches, one of which fails, a question, a change and a comment."""
    tracker = PointedTracker(folder / "tracker.db", point)
    app = app_of(TRIAGE, deps=tracker, store=store_in(folder))

    async def launch(app: App) -> None:
        await app.launch("triage", "triage ENG-8", thread_id="l1")

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        point("while a person thinks")
        return {"decision": "answer", "by": "anna", "value": "lab_1"}

    def effects() -> Mapping[str, int]:
        return Counter(f"{what} of {issue}" for what, issue, _ in tracker.changes())

    return Scenario(app, launch, answer, effects)


def support_triage(folder: Path, point: Point) -> Scenario:
    """A label that a model proposes, and another one that a person picks."""

    class PointedPostbox(SUPPORT.Postbox):
        """The mailbox with a boundary before and after each label."""

        def modify(self, mail: str, *, add: str) -> Any:
            point("before a label")
            answer = super().modify(mail, add=add)
            point("after a label")
            return answer

    postbox = PointedPostbox(folder / "postbox.db")
    app = app_of(SUPPORT, deps=postbox, store=store_in(folder))

    async def launch(app: App) -> None:
        await app.launch("support", "It crashes when I save", thread_id="m1")

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        point("while a person thinks")
        return {"decision": "choose", "by": "anna", "value": "feature"}

    def effects() -> Mapping[str, int]:
        return Counter(f"{mail} is {label}" for mail, label in postbox.labels())

    return Scenario(app, launch, answer, effects)


def voted(app: App, contact: ContactRow) -> bool:
    """Whether anybody has answered it before."""
    events = app.thread(contact.ref.id).events
    return any(e.type == "contact_answered" and e.data["contact"] == contact.id for e in events)
