"""Workers as real processes that tests kill, freeze and restart, and how their work is judged."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import TracebackType

import psycopg
from reporting import Report, twice
from working import STEPS, Effects, Line, app_on

from twelvefold.app import App
from twelvefold.audit import Verified, verify
from twelvefold.engine.procrastinate import migrate
from twelvefold.thread import Thread

HERE = Path(__file__).parent
MAIN = "import working; working.main()"
PATIENCE_S = 90.0
"""Far more than anything here takes; only a defect reaches it."""
PAUSE_S = 0.02
SAID_LINES_MAX = 30
SEEN = (
    "select * from twelvefold_wakes",
    "select pid, application_name, state, wait_event, now() - state_change, left(query, 90),"
    " pg_blocking_pids(pid) from pg_stat_activity where backend_xid is not null",
    "select *, now() from procrastinate_workers",
    "select id, task_name, lock, status, worker_id, attempts, scheduled_at from procrastinate_jobs",
)


class Crew:
    """Workers on one log. `stall_s`: after how much silence one is taken for dead; `reached_by`:
    the URL that workers have, where it is another one."""

    def __init__(self, url: str, folder: Path, stall_s: float, reached_by: str) -> None:
        self.url, self.folder, self.stall_s, self.reached_by = url, folder, stall_s, reached_by
        self.app: App = app_on(url, folder)
        self.effects = Effects(folder)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.kept_up = 0

    def __enter__(self) -> "Crew":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.app.close()
        if kind is not None:
            sys.stdout.write((self.folder / "said").read_text())

    def start(self, environ: Mapping[str, str] = os.environ) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", MAIN, self.reached_by, str(self.folder), str(self.stall_s)]
        environ = {**environ, "PYTHONPATH": str(HERE)}
        with (self.folder / "said").open("ab") as said:
            worker = subprocess.Popen(command, env=environ, stdout=said, stderr=said)
        self.workers.append(worker)
        return worker

    def launch(self, how: str, *names: str) -> None:
        for name in names:
            self.app.sync.launch("crew", how, thread_id=name)

    def keep_up(self) -> None:
        """Start another worker for each that died, as a supervisor would."""
        for worker in [worker for worker in self.workers if worker.poll() is not None]:
            self.workers.remove(worker)
            self.kept_up += 1
            self.start()

    def until(self, is_so: Callable[[], object], *, keep_up: bool = False) -> float:
        """Wait; how many seconds that took."""
        began = time.monotonic()
        while not is_so():
            assert time.monotonic() < began + PATIENCE_S, self.situation()
            if keep_up:
                self.keep_up()
            time.sleep(PAUSE_S)
        return time.monotonic() - began

    def situation(self) -> str:
        """What there is to see when something does not happen."""
        with psycopg.connect(self.url) as db:
            seen = [list(map(str, db.execute(query).fetchall())) for query in SEEN]
        said = (self.folder / "said").read_text().splitlines()[-SAID_LINES_MAX:]
        threads = [f"{row.ref.id} {row.status}" for row in self.app.threads(limit=SAID_LINES_MAX)]
        return "\n".join(["it did not happen", *threads, *chain(*seen), *said])

    def until_finished(self, *names: str, keep_up: bool = False) -> float:
        left = set(names)

        def are_finished() -> bool:
            left.difference_update([name for name in left if self.status(name) == "finished"])
            return not left

        return self.until(are_finished, keep_up=keep_up)

    def until_begun(self, *names: str) -> int:
        """Until each of these has a tool that began; the process that began the last of them."""
        keys = {f"default/{name}/s1" for name in names}
        self.until(lambda: keys <= {line.key for line in self.effects.having("begin")})
        return self.effects.having("begin")[-1].pid

    def status(self, name: str) -> str:
        return self.app.store.thread_row(name).status

    def worker(self, pid: int) -> "subprocess.Popen[bytes]":
        return next(worker for worker in self.workers if worker.pid == pid)

    def others(self, pid: int) -> "list[subprocess.Popen[bytes]]":
        return [worker for worker in self.workers if worker.pid != pid]

    def stop_all(self) -> list[int]:
        """The exit codes of workers that were asked to stop."""
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(PATIENCE_S) for worker in self.workers]
        self.workers = []
        return codes

    def report(self, proof: Report, *names: str, runs: int = 1, steps: int = STEPS) -> None:
        """What the logs and the book of effects say of these threads."""
        lost = sum(len(self._faults_of(self.app.thread(name), steps)) for name in names)
        doubled = self.duplicates() + sum(self._doubled_in(self.app.thread(n)) for n in names)
        proof.add(runs=runs, lost=lost, duplicated=doubled)

    def duplicates(self) -> int:
        """Runs that began more than once under one attempt."""
        return twice((line.key, line.attempt) for line in self.effects.having("begin"))

    @staticmethod
    def _doubled_in(thread: Thread) -> int:
        """Outcomes that stand in the log twice."""
        return twice(
            (event.type, event.data["step"], event.data["attempt"])
            for event in thread.events
            if event.type in ("tool_started", "tool_returned")
        )

    def faults(self, *names: str, steps: int = STEPS) -> list[str]:
        """What is wrong with these threads, by their logs and by the book of effects."""
        lines = self.effects.lines
        found = [f"{line} twice" for line, times in Counter(lines).items() if times > 1]
        begun = Counter((line.key, line.attempt) for line in lines if line.what == "begin")
        found += [f"{run} was begun {times} times" for run, times in begun.items() if times > 1]
        for name in names:
            found += self._faults_of(self.app.thread(name), steps)
        return found

    def _faults_of(self, thread: Thread, steps: int) -> list[str]:
        state = self.app.state(thread)
        results = [state.by_id(f"s{n}").result for n in range(1, steps + 1)]
        found = [] if results == [*range(steps)] else [f"{thread.id} has {results}"]
        checked = verify(self.app.store.recorded(thread.id))
        found += [] if isinstance(checked, Verified) else [str(checked)]
        return found + [
            f"{line} has no outcome"
            for line in self.effects.having("end")
            if line.key.startswith(f"default/{thread.id}/") and not has_outcome(thread, line)
        ]


def has_outcome(thread: Thread, line: Line) -> bool:
    step, attempt = line.key.rpartition("/")[2], line.attempt
    return any(
        event.type == "tool_returned"
        and (event.data["step"], event.data["attempt"]) == (step, attempt)
        for event in thread.events
    )


@contextmanager
def crew(
    url: str, folder: Path, *, stall_s: float, workers: int, reached_by: str | None = None
) -> Generator[Crew]:
    migrate(url)
    with Crew(url, folder, stall_s, reached_by or url) as found:
        for _ in range(workers):
            found.start()
        found.until(lambda: found.app.new_engine().stats().workers == workers)
        yield found
