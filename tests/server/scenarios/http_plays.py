"""A person who plays a scenario over HTTP alone, and follows every thread of it meanwhile."""

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from http_sites import Site, client_of

from twelvefold.client import ContactInfo
from twelvefold.exceptions import TwelvefoldError
from twelvefold.testing.logs import comparable
from twelvefold.thread import Event

PATIENCE_S = 120.0
ENDS = ("finished", "cancelled")

Reply = Mapping[str, Any]
Answers = Callable[[ContactInfo], Reply]


class Play:
    """Launches a thread, answers whatever it asks, and sees every event of its family once."""

    def __init__(self, site: Site, key: str) -> None:
        self.site, self.client = site, client_of(site, key)
        self._key, self._over = key, False
        self.seen: dict[str, list[Event]] = {}
        self.renamed: dict[str, str] = {}
        self._came: queue.Queue[tuple[str, Event | TwelvefoldError]] = queue.Queue()

    def __enter__(self) -> "Play":
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self.client.close()

    def launch(self, agent: str, text: str, *, id: str) -> None:
        self.client.launch(agent, text, id=id)
        self.site.between()
        self.follow(id)

    def follow(self, thread_id: str) -> None:
        """In a thread of its own, over all kills."""
        self.seen[thread_id] = []
        threading.Thread(target=self._follow, args=(thread_id,), daemon=True).start()

    def send(self, thread_id: str, text: str) -> None:
        self.client.send(thread_id, text)
        self.site.between()

    def until_asked(self, *, of: str = "") -> ContactInfo:
        """The next contact that somebody has to answer."""
        while True:
            thread_id, event = self._next()
            if event.type == "contact_requested" and thread_id.startswith(of):
                contact = self.client.contact(f"{thread_id}.{event.data['contact']}")
                self.site.between()
                if contact.status == "open":
                    return contact

    def answer(self, contact: ContactInfo, reply: Reply) -> ContactInfo:
        answered = self.client.answer(contact, **reply)
        self.site.between()
        return answered

    def until_end(self, thread_id: str, answers: Answers, *, after: int = 0) -> None:
        """Answer whatever is asked until the thread has ended by an event after `after`."""
        while True:
            ref, event = self._next()
            if event.type == "contact_requested":
                contact = self.client.contact(f"{ref}.{event.data['contact']}")
                self.site.between()
                if contact.status == "open":
                    self.answer(contact, answers(contact))
            if ref == thread_id and event.type in ENDS and event.seq > after:
                return

    def log(self, thread_id: str) -> list[Event]:
        """All events, as the API lists them; what was followed is the same."""
        events = list(self.client.events(thread_id, limit=7))
        followed = self.seen[thread_id]
        assert followed == events[: len(followed)], f"{thread_id} was not followed as it is"
        return events

    def comparable(self) -> dict[str, Any]:
        """What happened in each thread, without what a crash may change."""
        return {
            self.renamed.get(thread_id, thread_id): comparable(
                [{"type": e.type, "data": e.data} for e in self.log(thread_id)]
            )
            for thread_id in self.seen
        }

    def _next(self) -> tuple[str, Event]:
        ref, event = self._came.get(timeout=PATIENCE_S)
        if isinstance(event, TwelvefoldError):
            raise event
        if event.type == "child_launched" and event.data["child"] not in self.seen:
            self.follow(event.data["child"])
        return ref, event

    def _follow(self, thread_id: str) -> None:
        http = httpx.Client(event_hooks={"request": [self._expect_on]})
        try:
            with http, client_of(self.site, self._key, http=http) as client:
                for event in client.follow(thread_id):
                    self.seen[thread_id].append(event)
                    self._came.put((thread_id, event))
        except TwelvefoldError as error:
            self._came.put((thread_id, error))

    def _expect_on(self, _: httpx.Request) -> None:
        if self._over:
            raise TwelvefoldError("The play is over.")
