"""Replies of a model, kept by the hash of the whole request: what was asked before costs nothing.

This file is yours: `twelvefold add cache` wrote it once. A changed byte of the prompt, the thread
or the schema is another request. Only replies that ended well are kept. The file holds what the
model said, so keep it where your threads may be kept; deleting it is safe. Not for evals: their
runs would all be the first one.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from twelvefold.messages import Model, ModelReply, ModelRequest

KEPT_S = 7 * 24 * 3600.0
TABLE = (
    "create table if not exists replies (asked text primary key, at real, text text, model text)"
)


def cached(model: Model, path: str | Path = ".twelvefold/replies.db") -> "Cached":
    """`model`, asked once for each request within `KEPT_S`."""
    return Cached(model, Path(path))


class Cached:
    """See `cached`."""

    def __init__(self, model: Model, path: Path) -> None:
        self.model, self.path = model, path
        self.offline: bool = getattr(model, "offline", False)
        if (body := getattr(model, "body", None)) is not None:
            self.body = body  # so that `context show --wire` still shows what would be sent

    async def __call__(self, request: ModelRequest) -> ModelReply:
        """Raises what the model raises, and keeps nothing of it."""
        asked = f"{request.tenant}/{request.hash()}"  # no tenant reads what another one was told
        if (kept := self._kept(asked)) is not None:
            return kept
        reply = await self.model(request)
        if reply.finish == "end" and reply.text:
            self._keep(asked, reply)
        return reply

    def _kept(self, asked: str) -> ModelReply | None:
        """Without usage: it was paid for when it was asked."""
        with self._open() as db:
            found = db.execute(
                "select text, model from replies where asked = ? and at > ?",
                (asked, time.time() - KEPT_S),
            ).fetchone()
        return None if found is None else ModelReply(found[0], model=found[1])

    def _keep(self, asked: str, reply: ModelReply) -> None:
        now = time.time()
        with self._open() as db, db:
            db.execute("delete from replies where at <= ?", (now - KEPT_S,))
            db.execute(
                "insert or replace into replies values (?, ?, ?, ?)",
                (asked, now, reply.text, reply.model),
            )

    def _open(self) -> "closing[sqlite3.Connection]":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path)
        db.execute(TABLE)
        return closing(db)
