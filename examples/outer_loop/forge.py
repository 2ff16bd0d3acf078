"""The world outside: commits, what is known of them, and what is deployed, which a file keeps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COMMITS = (
    {"sha": "9c01d2e", "by": "alex", "title": "Show prices with taxes"},
    {"sha": "4af9ec0", "by": "mia", "title": "Retry the payment webhook"},
)
KNOWN: Mapping[str, Any] = {
    "ci": {"state": "green", "tests": 412},
    "diff": {"files": 7, "migrations": 0},
    "incidents": [],
    "on_call": "ben",
}


class Unreachable(ConnectionError):
    """A source of facts did not answer."""


class Forge:
    """`undeployed`, `fetch` and `deploy`. Deploying the same key again changes nothing."""

    def __init__(
        self,
        path: Path,
        commits: Sequence[Mapping[str, str]] = COMMITS,
        known: Mapping[str, Any] = KNOWN,
    ) -> None:
        self.path, self.commits, self.known = path, commits, known

    def undeployed(self) -> list[Mapping[str, str]]:
        """Newest first."""
        live = [line.split()[1] for line in self._lines()]
        return [commit for commit in self.commits if commit["sha"] not in live]

    async def fetch(self, source: str) -> Any:
        if source not in self.known:
            raise Unreachable(f"{source} did not answer within 3 s")
        return self.known[source]

    def deploy(self, sha: str, *, key: str) -> str:
        """Everything up to `sha` goes live."""
        if not any(line.split()[0] == key for line in self._lines()):
            shas = [commit["sha"] for commit in self.commits]
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(f"{key} {older}\n" for older in shas[shas.index(sha) :])
        return f"{sha} is live"

    def _lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []


forge = Forge(Path(__file__).parent / "deployed.txt")
