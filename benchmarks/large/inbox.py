"""What the web inbox costs with 5,000 open contacts: `python -m benchmarks.large.inbox`.

Times are of the processor, client included, so that other work on the machine does not count.
"""

import re
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

from fastapi import Request
from fastapi.testclient import TestClient

from twelvefold import App
from twelvefold.server import Principal, create_app
from twelvefold.store import Append, Create
from twelvefold.thread import Draft, to_iso

CONTACTS, AT_ONCE, ROUNDS = 5_000, 500, 100
PAGES_ON = 50
PEOPLE: list[list[Any]] = [["anna"], ["ben"], ["anna", "ben"], ["cleo"]]
RISKS = ("low", "medium", "high")
ARGS = {"order": 7, "euros": 90.5, "customer": "Zo\u00eb", "note": "lost between two depots " * 4}


class Anna:
    """She is always the one who asks."""

    async def principal(self, request: Request) -> Principal:
        return Principal("anna", "anna")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = App([], store=Path(folder) / "threads.db")
        fill(app)
        served = create_app(app, access=Anna(), requests_per_minute_max=10**9)
        with TestClient(served, base_url="http://localhost") as client:
            paths = ["/inbox", "/inbox?tab=mine", "/inbox?risk=high&to=ben", "/inbox?tab=history"]
            for path in [*paths, far(client), "/contacts/t00042.s1.1", "/livez"]:
                print(f"{path[:44]:44} {measured(client, path)}")
        app.close()


def fill(app: App) -> None:
    now = app.clock()
    for start in range(0, CONTACTS, AT_ONCE):
        app.store.commit_now(*(asking(n, now) for n in range(start, start + AT_ONCE)))


def asking(n: int, now: datetime) -> Append:
    """A thread that waits for a yes; every second one has a deadline."""
    deadline = to_iso(now + timedelta(minutes=n)) if n % 2 else None
    to = {"people": PEOPLE[n % len(PEOPLE)], "needed": 1}
    asked = {"contact": "s1.1", "step": "s1", "kind": "approval", "intent": "refund", "args": ARGS}
    asked |= {"to": to, "risk": RISKS[n % len(RISKS)], "deadline": deadline, "digest": "0" * 64}
    chosen = {"intent": "refund", "args": ARGS, "by": "model"}
    drafts = [Draft("next_step_chosen", chosen, now), Draft("contact_requested", asked, now)]
    return Append(f"t{n:05}", drafts, create=Create("desk"))


def far(client: TestClient) -> str:
    """The address of a page far down the list."""
    path = "/inbox"
    for _ in range(PAGES_ON):
        [path] = re.findall(r'href="([^"]+)">Next', client.get(path.replace("&amp;", "&")).text)
    return path.replace("&amp;", "&")


def measured(client: TestClient, path: str) -> str:
    took: list[float] = []
    size = 0
    for _ in range(ROUNDS):
        before = process_time()
        answer = client.get(path)
        took.append((process_time() - before) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
        size = len(answer.content)
    took.sort()
    p50, p95 = took[ROUNDS // 2], took[ROUNDS * 95 // 100 - 1]
    return f"p50 {p50:5.1f} ms   p95 {p95:5.1f} ms   {size / 1000:5.0f} kB"


if __name__ == "__main__":
    main()
