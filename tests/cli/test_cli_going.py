"""threads show of a thread that goes on: what it does, who does it, and what to type."""

import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from commands import Cli

MAIN = "from twelvefold.cli import main; main()"
PATIENCE_S = 60.0
PATIENT = """
from typing import Literal
from twelvefold import Agent, App, Step, Wait

class Never(Step):
    intent: Literal["never"] = "never"

app = App([Agent("bot", lambda thread, state: Wait(), Never, owner="anna")])
"""


@contextmanager
def hanging(folder: Path) -> Generator["subprocess.Popen[str]"]:
    """Another process, in the middle of a tool of the thread `slow`."""
    command = [sys.executable, "-c", MAIN, "run", "bot", "hang", "--id", "slow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not (folder / "hanging").exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield process
        finally:
            process.kill()


def last_line(cli: Cli, thread: str) -> str:
    ran = cli("threads", "show", thread)
    assert ran.code == 0
    assert "(exit " not in ran.out
    return ran.out.splitlines()[-1]


def test_one_that_nobody_advances_waits_for_a_worker(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one", "--detach")

    assert last_line(cli, "one") == (
        "running  one waits for a worker; none is on this machine"
        "   go on: twelvefold resume one   or: twelvefold worker"
    )
    assert cli("threads", "show", "one", "--json").document["exit"] is None
    assert cli("resume", "one").code == 10


def test_a_tool_under_way_is_named_with_when_it_began_and_who_runs_it(cli: Cli, folder: Path):
    with hanging(folder) as process:
        line = last_line(cli, "slow")
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)

    began = cli("threads", "show", "slow", "--json").document["events"][2]
    assert began["type"] == "tool_started"
    assert line == (
        f"running  slow runs hang (began {began['at']}); process {process.pid} advances threads"
        "   follow it: twelvefold resume slow"
    )


def test_a_tool_whose_process_is_gone_is_said_to_have_no_end(cli: Cli, folder: Path):
    with hanging(folder) as process:
        process.kill()
        process.wait(PATIENCE_S)

    line = last_line(cli, "slow")

    assert line.startswith("running  slow waits for the end of hang (began 2")
    assert "or for a worker; none is on this machine   go on: twelvefold resume slow" in line


def test_one_that_is_next_is_followed(cli: Cli, folder: Path):
    with hanging(folder) as process:
        cli("run", "bot", "hello", "--id", "two", "--detach")

        assert last_line(cli, "two") == (
            f"running  two is advanced, or is next; process {process.pid} advances threads"
            "   follow it: twelvefold resume two"
        )


def test_what_it_waits_for_is_said_beside_what_is_to_be_done(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")
    assert last_line(cli, "one").startswith("paused  one waits for anna or ben: one.s1.1")
    cli("send", "one", "message", "make haste", "--detach")

    *_, going, waits = cli("threads", "show", "one").out.splitlines()

    assert going.startswith("running  one waits for a worker")
    assert waits.startswith("paused  one waits for anna or ben: one.s1.1")


def test_a_child_that_goes_on_is_named(cli: Cli):
    assert cli("run", "bot", "hand deploy v1", "--id", "up").code == 10
    cli("send", "up.s1", "message", "make haste", "--detach")

    *_, going, waits = cli("threads", "show", "up").out.splitlines()

    assert going.startswith("running  up.s1 waits for a worker")
    assert waits.startswith("paused  up.s1 waits for anna or ben")


def test_one_that_waits_for_a_message_still_says_so(cli: Cli, folder: Path):
    (folder / "app.py").write_text(PATIENT)

    ran = cli("run", "bot", "hello", "--id", "one")

    line = "paused  one waits for a message   send it: twelvefold send one message TEXT"
    assert (ran.code, ran.out.splitlines()[-1]) == (11, f"{line}   (exit 11)")
    assert last_line(cli, "one") == line
    assert cli("threads", "show", "one", "--json").document["exit"] == 11
