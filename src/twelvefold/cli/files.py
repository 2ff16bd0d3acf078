"""The files of a project as they are now, and the first of them that is another one later."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

POLL_S = 0.3
FILES_MAX = 5_000
"""Of a project; what lies behind them is not watched."""
SUFFIXES = frozenset({".py", ".md", ".yaml", ".yml", ".json", ".toml", ".html", ".css", ".js"})
_ELSEWHERE = frozenset({"__pycache__", "node_modules"})

Seen = dict[str, tuple[int, int]]
"""When each file changed, and its size."""


class Files:
    """Those below `root`, without hidden folders and virtual environments."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seen = self.now()

    async def change(self) -> str:
        """Wait for one; its name, below the root. What changed since the last one counts."""
        while True:
            now = await asyncio.to_thread(self.now)
            if different := sorted(set(self._seen.items()) ^ set(now.items())):
                self._seen = await self._settled(now)
                return different[0][0]
            await asyncio.sleep(POLL_S)

    async def _settled(self, now: Seen) -> Seen:
        """An editor or a checkout may be in the middle of several files."""
        while True:
            await asyncio.sleep(POLL_S)
            before, now = now, await asyncio.to_thread(self.now)
            if now == before:
                return now

    def now(self) -> Seen:
        found: Seen = {}
        for path in self._paths():
            try:
                stat = os.stat(path)
            except OSError:  # it went while we looked
                continue
            found[os.path.relpath(path, self.root)] = (stat.st_mtime_ns, stat.st_size)
            if len(found) == FILES_MAX:
                break
        return found

    def _paths(self) -> Iterator[str]:
        for folder, inside, names in os.walk(self.root):
            if "pyvenv.cfg" in names:
                inside.clear()
                continue
            inside[:] = [one for one in inside if one[0] != "." and one not in _ELSEWHERE]
            for name in names:
                if os.path.splitext(name)[1] in SUFFIXES:
                    yield os.path.join(folder, name)
