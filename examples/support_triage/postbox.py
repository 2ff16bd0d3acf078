"""The world outside: a mailbox with labels in a SQLite file, with the errors of Gmail's API.

A refusal is `error` with `code`, `message`, `status` and `errors[]` (`domain`, `reason`), as
developers.google.com/workspace/gmail/api/guides/handle-errors says. A label that is there already
is not added twice.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOCK_TIMEOUT_S = 5.0
LABELS = frozenset({"billing", "bug", "feature", "spam"})
SCHEMA = "create table if not exists labels (mail text, label text, primary key (mail, label));"
Body = dict[str, Any]


class Postbox:
    """`modify` is `users.messages.modify`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def modify(self, mail: str, *, add: str) -> tuple[int, Body]:
        if add not in LABELS:
            return refused(400, "INVALID_ARGUMENT", "invalidArgument", f"Invalid label: {add}")
        with self._open() as db:
            db.execute("insert or ignore into labels values (?, ?)", (mail, add))
        return 200, {"id": mail, "labelIds": [label for of, label in self.labels() if of == mail]}

    def labels(self) -> list[tuple[str, str]]:
        """Each mail with each of its labels."""
        with self._open() as db:
            return db.execute("select mail, label from labels order by rowid").fetchall()

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


def refused(code: int, status: str, reason: str, message: str) -> tuple[int, Body]:
    why = {"domain": "global", "reason": reason, "message": message}
    return code, {"error": {"code": code, "message": message, "status": status, "errors": [why]}}
