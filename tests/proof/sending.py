"""Work that tells people, by a mail server that keeps each message once, as its key says."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import ClassVar, Literal

from twelvefold import Agent, App, Approve, Choose, Effect, Finish, State, Step, Thread, Wait
from twelvefold.deliveries import Delivery
from twelvefold.directory import Directory
from twelvefold.effects import Tell
from twelvefold.store import EmbeddedStore
from twelvefold.testing import Point
from twelvefold.thread import Json

PEOPLE = Directory(addresses={"anna": {"email": "anna@x.org"}, "ben": {"email": "ben@x.org"}})


class Ship(Step):
    risk: ClassVar = "high"
    intent: Literal["ship"] = "ship"


class Announce(Step):
    intent: Literal["announce"] = "announce"
    text: str = "it is on its way"


AnyStep = Ship | Announce


class Mail:
    """A mail server with a boundary before and after it takes a message."""

    name = "email"

    def __init__(self, path: Path, point: Point) -> None:
        self.path, self.point = path, point
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("create table if not exists mail (key text primary key, recipient text)")

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        self.point(f"before a mail about {delivery.about}")
        row = (delivery.key, f"{delivery.about} to {delivery.recipient.to}")
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("insert or ignore into mail values (?, ?)", row)
        self.point(f"after a mail about {delivery.about}")
        return {}

    def counts(self) -> Mapping[str, int]:
        with closing(sqlite3.connect(self.path)) as db:
            query = "select recipient, count(*) from mail group by recipient"
            return dict(db.execute(query).fetchall())


def sending_app(mail: Mail, *, store: EmbeddedStore) -> App:
    """Somebody is asked, then everybody is told."""

    def decide(_: Thread, state: State[AnyStep]) -> Effect[AnyStep]:
        if not state.ready:
            if state.waiting or state.finished:
                return Wait()
            return Finish("shipped") if state.by_id("s1") else Choose(Ship(), Announce())
        match state.ready[0].step:
            case Ship() as step if not state.ready[0].approved:
                return Approve(step, by=["anna", "ben"])
            case Ship() as step:
                return Tell(step, "shipped", to="ben")
            case Announce(text=text) as step:
                return Tell(step, text, to=["anna", "ben"])

    agent = Agent("sending", decide, AnyStep, owner="anna")
    return App([agent], store=store, channels=[mail], directory=PEOPLE)
