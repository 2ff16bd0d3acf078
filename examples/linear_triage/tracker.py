"""The world outside: an issue tracker behind GraphQL in a SQLite file, with the errors of Linear's.

A refusal is a body with `errors`, each with `message`, `path` and `extensions` (`code`, `type`,
`userError`, `userPresentableMessage`), as linear.app/developers/graphql says; too many requests are
HTTP 400 with the code `RATELIMITED` (linear.app/developers/rate-limiting). There are no keys for
idempotency. Known by the name of the operation; every field is returned, whatever is selected.
"""

import json
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOCK_TIMEOUT_S = 5.0
LOG_LINES = 80
SCHEMA = """
create table if not exists changes (what text not null, issue text not null, input text not null);
create table if not exists comments (id text primary key, issue text not null, body text not null);
"""
STACK = "\n".join(f"  at export.writeRow (export.ts:{n}) rows=1000" for n in range(LOG_LINES))
ISSUES: Mapping[str, tuple[str, str, str]] = {
    "ENG-3": ("started", "CSV export stops early", f"Only 1000 rows arrive.\n{STACK}"),
    "ENG-5": ("completed", "Dark mode", "Please."),
    "ENG-7": ("triage", "Export to CSV is cut off", f"After row 1000 nothing comes.\n{STACK}"),
    "ENG-8": ("triage", "Crash on login with SSO", "The page is white after the redirect."),
}
LABELS = {"lab_1": "Bug", "lab_2": "Feature", "lab_3": "Question"}
PROJECTS = {"pro_1": "Sign-in", "pro_2": "Exports"}

Body = dict[str, Any]


class Tracker:
    """`post` is the HTTP of it. `ratelimited`: operations that are told to come back later."""

    def __init__(self, path: Path, *, ratelimited: frozenset[str] = frozenset()) -> None:
        self.path, self.ratelimited = path, ratelimited

    async def post(self, operation: str, variables: Mapping[str, Any]) -> tuple[int, Body]:
        if operation in self.ratelimited:
            said = "Rate limit exceeded. Only 5000 requests are allowed per 1 hour."
            return refused(operation, "RATELIMITED", "ratelimited", said, said)
        with self._open() as db:
            match operation:
                case "issues":
                    data = [issue(db, id) for id in ISSUES]
                case "issueLabels":
                    data = [{"id": id, "name": name} for id, name in LABELS.items()]
                case "projects":
                    data = [{"id": id, "name": name} for id, name in PROJECTS.items()]
                case "comment":
                    return self._comment(db, variables["id"])
                case "issueUpdate":
                    return self._update(db, variables["id"], variables["input"])
                case "commentCreate":
                    return self._create_comment(db, variables["input"])
                case _:
                    said = f'Cannot query field "{operation}" on type "Query".'
                    return refused(operation, "GRAPHQL_VALIDATION_FAILED", "graphql error", said)
        return 200, {"data": {operation: {"nodes": data}}}

    def changes(self) -> list[tuple[str, str, Body]]:
        """What, of which issue, and how; oldest first."""
        with self._open() as db:
            rows = db.execute("select what, issue, input from changes order by rowid").fetchall()
            return [(what, of, json.loads(text)) for what, of, text in rows]

    def _update(self, db: sqlite3.Connection, id: str, given: Body) -> tuple[int, Body]:
        if id not in ISSUES or given.get("duplicateOf", id) not in ISSUES:
            return not_found("issueUpdate", "Issue")
        if not set(given.get("labelIds", ())) <= set(LABELS):
            return not_found("issueUpdate", "IssueLabel")
        if given.get("projectId", "pro_1") not in PROJECTS:
            return not_found("issueUpdate", "Project")
        was = issue(db, id)
        if was | given != was:
            db.execute("insert into changes values ('update', ?, ?)", (id, json.dumps(given)))
        return 200, {"data": {"issueUpdate": {"success": True, "issue": was | given}}}

    def _create_comment(self, db: sqlite3.Connection, given: Body) -> tuple[int, Body]:
        if given["issueId"] not in ISSUES:
            return not_found("commentCreate", "Issue")
        try:
            row = (given["id"], given["issueId"], given["body"])
            db.execute("insert into comments values (?, ?, ?)", row)
        except sqlite3.IntegrityError:
            said = "A comment with this id already exists."
            return refused("commentCreate", "INPUT_ERROR", "invalid input", said, said)
        change = (given["issueId"], json.dumps({"body": given["body"]}))
        db.execute("insert into changes values ('comment', ?, ?)", change)
        return 200, {"data": {"commentCreate": {"success": True, "comment": {"id": given["id"]}}}}

    def _comment(self, db: sqlite3.Connection, id: str) -> tuple[int, Body]:
        row = db.execute("select body from comments where id = ?", (id,)).fetchone()
        if row is None:
            return not_found("comment", "Comment")
        return 200, {"data": {"comment": {"id": id, "body": row[0]}}}

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


def issue(db: sqlite3.Connection, id: str) -> Body:
    """The issue with all that was changed."""
    state, title, description = ISSUES[id]
    made: Body = {"id": id, "title": title, "state": state, "priority": 0, "labelIds": []}
    query = "select input from changes where what = 'update' and issue = ? order by rowid"
    for (text,) in db.execute(query, (id,)):
        made |= json.loads(text)
    return made | {"description": description}


def not_found(operation: str, entity: str) -> tuple[int, Body]:
    shown = f"Could not find referenced {entity}."
    return refused(operation, "INPUT_ERROR", "invalid input", f"Entity not found: {entity}", shown)


def refused(
    operation: str, code: str, type: str, message: str, shown: str | None = None
) -> tuple[int, Body]:
    more: Body = {"code": code, "type": type, "statusCode": 400, "userError": True}
    if shown is not None:
        more["userPresentableMessage"] = shown
    error = {"message": message, "path": [operation], "extensions": more}
    return 400, {"errors": [error], "data": None}
