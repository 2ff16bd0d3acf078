"""The world outside: GitHub's commits and workflows in a SQLite file, with its answers.

A dispatch is 204 and says neither which run it began nor whether it has come before: there are no
keys. What tells two apart is the title of a run, which the workflow's `run-name` makes of an input
(docs.github.com/rest/actions/workflows and /rest/commits).
"""

import json
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOCK_TIMEOUT_S = 5.0
SHA_CHARS_MIN = 7
REPO = "acme/shop"
WORKFLOWS = ("deploy-web.yml", "deploy-api.yml", "drop-database.yml")
COMMITS: Mapping[str, tuple[str, str]] = {
    "4af9ec0b5c1d7e2f8a6b3c4d5e6f708192a3b4c5": ("mia", "Retry the payment webhook"),
    "77d0a1c2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718": ("alex", "Show prices with taxes"),
}
MAIN, OTHER = COMMITS
SCHEMA = "create table if not exists runs (workflow text, ref text, inputs text not null);"

Body = dict[str, Any]


class Actions:
    """`request` is the HTTP of it. `branches`: where each stands; they move."""

    def __init__(self, path: Path, *, branches: Mapping[str, str] | None = None) -> None:
        self.path, self.branches = path, dict(branches or {"main": MAIN})

    def request(self, method: str, path: str, body: Body | None = None) -> tuple[int, Body]:
        match method, path.removeprefix(f"/repos/{REPO}/").split("/"):
            case "GET", ["commits", ref]:
                return self._commit(ref)
            case "GET", ["actions", "workflows", file, "runs"]:
                return self._runs(file)
            case "POST", ["actions", "workflows", file, "dispatches"]:
                return self._dispatch(file, body or {})
            case _:
                return 404, {"message": "Not Found"}

    def dispatched(self) -> list[tuple[str, str, str]]:
        """Workflow, environment and sha of each run, oldest first."""
        found = [(file, json.loads(inputs)) for file, _, inputs in self._rows()]
        return [(file, one["environment"], one["sha"]) for file, one in found]

    def _commit(self, ref: str) -> tuple[int, Body]:
        start = self.branches.get(ref, ref)
        found = [sha for sha in COMMITS if len(start) >= SHA_CHARS_MIN and sha.startswith(start)]
        if not found:
            return 422, {"message": f"No commit found for SHA: {ref}"}
        author, message = COMMITS[found[0]]
        return 200, {"sha": found[0], "commit": {"message": message, "author": {"name": author}}}

    def _runs(self, workflow: str) -> tuple[int, Body]:
        runs = [
            {"id": number, "display_title": f"deploy {json.loads(inputs)['key']}"}
            for number, (file, _, inputs) in enumerate(self._rows(), start=1)
            if file == workflow
        ]
        return 200, {"total_count": len(runs), "workflow_runs": runs}

    def _dispatch(self, workflow: str, body: Body) -> tuple[int, Body]:
        if workflow not in WORKFLOWS:
            return 404, {"message": "Not Found"}
        if body["ref"] not in self.branches:
            return 422, {"message": f"No ref found for: {body['ref']}"}
        with self._open() as db:
            row = (workflow, body["ref"], json.dumps(body["inputs"]))
            db.execute("insert into runs values (?, ?, ?)", row)
        return 204, {}

    def _rows(self) -> list[tuple[str, str, str]]:
        with self._open() as db:
            return db.execute("select * from runs order by rowid").fetchall()

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


actions = Actions(Path(__file__).parent / "actions.db")
