"""The world outside, the other half: a mail server, which sends whatever it is given, each time.

It refuses as RFC 5321 (4.2) and RFC 3463 say: a code, an enhanced code, words. It knows no keys;
what tells two mails apart is the `Message-ID` (RFC 5322, 3.6.4) that the sender gives each.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

LOCK_TIMEOUT_S = 5.0
SCHEMA = """
create table if not exists sent
  (message_id text not null, recipient text not null, subject text not null, body text not null);
"""


class Refused(Exception):
    """The server did not take the mail; nothing was sent."""


class Post:
    """`send` sends. `is_sent` looks into the folder of sent mails."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(
        self, message_id: str, *, to: str, subject: str, body: str, references: str = ""
    ) -> None:
        """Raises `Refused`. `references`: the mails before it; for a server that is one."""
        if not to.endswith("@example.com"):
            raise Refused(f"550 5.1.1 <{to}>: Recipient address rejected: User unknown")
        self.keep(message_id, to=to, subject=subject, body=body)

    def keep(self, message_id: str, *, to: str, subject: str, body: str) -> None:
        """In the folder of sent mails."""
        with self._open() as db:
            db.execute("insert into sent values (?, ?, ?, ?)", (message_id, to, subject, body))

    def is_sent(self, message_id: str) -> bool:
        return any(id == message_id for id, *_ in self.sent())

    def sent(self) -> list[tuple[str, str, str, str]]:
        """Message id, recipient, subject, body; oldest first."""
        with self._open() as db:
            return db.execute("select * from sent order by rowid").fetchall()

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """One transaction, durable when it ends."""
        db = sqlite3.connect(self.path, timeout=LOCK_TIMEOUT_S)
        try:
            db.executescript(SCHEMA)
            with db:
                yield db
        finally:
            db.close()
