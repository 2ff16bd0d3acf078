"""What the crash matrix runs of the examples in which people answer customers."""

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
MAIL = "To: billing@crew.example.com\nSubject: Invoice\n\nPlease charge my card for in_1002."


def mailcrew(folder: Path, point: Point) -> Scenario:
    """A charge that two people approve and the bank declines, then a link, then a mail."""

    class PointedBilling(CREW.Billing):
        """The API with a boundary before and after each write."""

        def request(self, method: str, path: str, params: Any, *, key: str = "") -> Any:
            if method == "GET":
                return super().request(method, path, params, key=key)
            point(f"before {path}")
            answer = super().request(method, path, params, key=key)
            point(f"after {path}")
            return answer

    class PointedPost(CREW.Post):
        """The mail server with a boundary before and after each mail."""

        def send(self, message_id: str, **mail: str) -> None:
            point("before a mail")
            super().send(message_id, **mail)
            point("after a mail")

    world = CREW.World(PointedBilling(folder / "billing.db"), PointedPost(folder / "post.db"))
    app = app_of(CREW, deps=world, store=store_in(folder))

    async def launch(app: App) -> None:
        await app.launch(
            "mailcrew", MAIL, thread_id="m1", channel="email", sender="bob@example.com"
        )

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        point("while a person thinks")
        voted = {
            event.data["by"]
            for event in app.thread(contact.ref.id).events
            if event.type == "contact_answered" and event.data["contact"] == contact.id
        }
        return {"decision": "approve", "by": "ben" if "anna" in voted else "anna"}

    def effects() -> Mapping[str, int]:
        mails = Counter(f"mail to {to}" for _, to, *_ in world.post.sent())
        return world.billing.effects() | mails

    return Scenario(app, launch, answer, effects)
