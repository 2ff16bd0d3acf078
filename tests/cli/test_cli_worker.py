"""`twelvefold worker` as real processes: they say what they do, and the tests read that."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pytest
from commands import APPS, Cli

from twelvefold.app import App
from twelvefold.schedules import Schedule
from twelvefold.store import Timer
from twelvefold.stores.sqlite import SqliteStore

MAIN = "from twelvefold.cli import main; main()"
PATIENCE_S = 120
STORE = ".twelvefold/threads.db"


@pytest.fixture(autouse=True)
def application(folder: Path) -> None:
    """`app.py`, and the pipe at which its tool waits."""
    shutil.copy(APPS / "working.py", folder / "app.py")
    os.mkfifo(folder / "gate")


class Worker:
    """A worker that can be read line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def says(self) -> dict[str, Any]:
        return json.loads(self._line(self.process.stdout))

    def works(self) -> str:
        """The next thing its tool says on stderr."""
        while True:
            line = self._line(self.process.stderr)
            if line.startswith("working"):
                return line.strip()

    def ends(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self.process.wait(PATIENCE_S)

    def _line(self, stream: IO[str] | None) -> str:
        assert stream is not None
        line = stream.readline()
        assert line, "the worker ended"
        return line


@contextmanager
def worker(*args: str) -> Generator[Worker]:
    command = [sys.executable, "-c", MAIN, "worker", "--json", *args]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Worker(process)
    finally:
        process.kill()
        process.communicate()


def let_go(folder: Path) -> None:
    (folder / "gate").write_text("through")


def launch(cli: Cli, text: str) -> None:
    assert cli("run", "bot", text, "--id", "t", "--detach").code == 0


def events(folder: Path) -> list[str]:
    store = SqliteStore(folder / STORE)
    try:
        return [event.type for event in store.load("t").events]
    finally:
        store.close()


def rests(folder: Path) -> str:
    """How the thread rests, once it does."""
    app = App([], store=SqliteStore(folder / STORE))
    try:
        return asyncio.run(app.wait("t", timeout_s=PATIENCE_S))
    finally:
        app.close()


def test_a_worker_advances_until_it_is_asked_to_stop(cli: Cli, folder: Path):
    with worker() as one:
        said = one.says()
        assert (said["schema"], said["state"], said["pid"]) == (
            "twelvefold.worker/1",
            "advancing",
            one.process.pid,
        )
        assert said["schedules"]["yearly"].endswith("-12-31T15:00:00.000000Z")
        launch(cli, "this")
        assert one.works() == "working on this"
        assert rests(folder) == "finished"
        one.process.send_signal(signal.SIGTERM)

        assert one.says()["state"] == "stopping"
        assert (one.says()["state"], one.ends()) == ("stopped", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_stops_lets_a_tool_end_and_starts_nothing(
    cli: Cli, folder: Path, number: signal.Signals
):
    with worker() as one:
        one.says()
        launch(cli, "gate")
        one.works()
        one.process.send_signal(number)
        stopping = one.says()
        assert (stopping["state"], stopping["under_way"]) == ("stopping", 1)
        let_go(folder)

        assert (one.says()["state"], one.ends()) == ("stopped", 0)

    assert events(folder)[-1] == "tool_returned"
    assert cli("resume", "t").code == 0
    assert events(folder)[-1] == "finished"


def test_a_tool_that_outlasts_the_grace_is_left_to_the_next_worker(cli: Cli, folder: Path):
    with worker("--grace", "0") as one:
        one.says()
        launch(cli, "gate")
        one.works()
        one.process.send_signal(signal.SIGTERM)
        assert [one.says()["state"] for _ in range(2)] == ["stopping", "cut_off"]
        assert one.ends() == 130
    assert events(folder)[-1] == "tool_started"

    with worker() as next_one:
        assert next_one.works() == "working on gate"
        let_go(folder)
        assert rests(folder) == "finished"
    assert events(folder).count("finished") == 1


def test_a_second_signal_ends_the_grace(cli: Cli, folder: Path):
    with worker("--grace", "3600") as one:
        one.says()
        launch(cli, "gate")
        one.works()
        one.process.send_signal(signal.SIGTERM)
        assert one.says()["state"] == "stopping"
        one.process.send_signal(signal.SIGINT)

        assert (one.says()["state"], one.ends()) == ("cut_off", 130)


def test_a_standby_takes_over_from_a_worker_that_was_killed(cli: Cli, folder: Path):
    with worker() as first:
        assert first.says()["state"] == "advancing"
        launch(cli, "gate")
        assert first.works() == "working on gate"
        with worker() as second:
            assert second.says()["state"] == "standby"

            first.process.kill()

            assert second.says()["state"] == "advancing"
            assert second.works() == "working on gate"
            let_go(folder)
            assert rests(folder) == "finished"
    assert events(folder).count("tool_started") == 2
    assert events(folder).count("tool_returned") == 1


def test_a_standby_names_who_works_and_stops_at_once(cli: Cli, folder: Path):
    with worker() as one:
        one.says()
        with worker() as other:
            said = other.says()
            assert (said["state"], said["runner"]) == ("standby", one.process.pid)
            other.process.send_signal(signal.SIGTERM)
            assert [other.says()["state"] for _ in range(2)] == ["stopping", "stopped"]
            assert other.ends() == 0


def arm_years_ago() -> None:
    store = SqliteStore(STORE)
    yearly = Schedule("yearly", "bot", "0 0 1 1 *", "the new year", zone="Asia/Tokyo")
    store.arm(Timer(yearly.timer, datetime(2022, 12, 31, 15, tzinfo=UTC)))
    store.close()


def test_a_worker_says_which_slots_nobody_met_and_catches_up(cli: Cli, folder: Path):
    Path(STORE).parent.mkdir()
    arm_years_ago()
    assert "was due 2022-12-31T15:00:00.000000Z   launch it: twelvefold worker" in cli("doctor").out

    with worker() as one:
        one.says()
        assert one.process.stderr is not None
        warning = one.process.stderr.readline()
        assert "WARNING twelvefold: schedule yearly: " in warning
        assert "slots were missed (2022-12-31T15:00Z, 2023-12-31T15:00Z" in warning
        assert one.works() == "working on the new year"

    [row] = cli("threads", "list", "--json").document["data"]
    assert row["id"].startswith("yearly-")


def test_doctor_lists_schedules_with_their_next_slot(cli: Cli):
    said = cli("doctor").out

    assert "schedule yearly" in said
    assert "bot at '0 0 1 1 *' in Asia/Tokyo; next 20" in said


def test_a_worker_says_it_in_lines_for_people(cli: Cli, folder: Path):
    command = [sys.executable, "-c", MAIN, "worker"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(
            "advancing  threads as they wake, yearly is due"
        )
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == (
            "stopping   0 threads are under way and have 30 s to end\n"
        )
        assert process.stdout.readline() == "stopped    all that was under way is recorded\n"
    assert process.returncode == 0


def test_a_worker_whose_output_nobody_reads_goes_on(cli: Cli, folder: Path):
    with worker() as one:
        assert one.process.stdout is not None
        one.process.stdout.close()
        launch(cli, "this")
        one.works()
        one.process.send_signal(signal.SIGTERM)
        assert one.ends() == 0


def test_a_worker_without_an_application_exits_6(cli: Cli, folder: Path):
    (folder / "app.py").unlink()

    assert cli("worker").code == 6


LISTENING = """
from twelvefold.testing import Letterbox

class Fetching(Letterbox):
    async def listen(self, receive):
        letter = {"text": "from the mailbox", "sender": "anna", "conversation": "c1"}
        await receive("mail", self.letter("written", key="m1", **letter))
        raise ConnectionError("the mailbox is away")

app = App(app.agents.values(), models=app.models, channels=[Fetching("mail", agent="bot")])
"""


def test_a_worker_listens_to_channels_that_fetch_and_ends_with_them(cli: Cli, folder: Path):
    app = folder / "app.py"
    app.write_text(app.read_text() + LISTENING)
    with worker() as one:
        assert one.says()["state"] == "advancing"
        assert one.works() == "working on from the mailbox"
        one.process.terminate()
        assert one.says()["state"] == "stopping"
        assert one.says()["state"] == "stopped"
        assert one.ends() == 0
