"""run, send, resume, retry, cancel: a thread is launched, followed, and goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from commands import Cli

MAIN = "from twelvefold.cli import main; main()"


def spawn(*args: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", MAIN, *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_that_ends_exits_0_and_shows_each_event(cli: Cli):
    ran = cli("run", "bot", "hello")

    assert ran.code == 0
    assert '1 message_received       "hello"' in ran.out
    assert '2 done_for_now           "hello?"' in ran.out
    assert "finished" in ran.out


def test_a_run_that_needs_a_person_exits_10_with_the_exact_command(cli: Cli):
    ran = cli("run", "bot", "deploy v1")

    assert ran.code == 10
    (command,) = [line for line in ran.out.splitlines() if "approve it:" in line]
    assert "waits for anna or ben" in command
    name = command.split("twelvefold approve ")[1].split()[0]
    assert cli("approve", name, "--as", "anna").code == 0


def test_an_approval_shows_what_followed(cli: Cli):
    cli("run", "bot", "deploy v1")

    ran = cli("approve", "@last", "--as", "anna")

    assert "approved by anna" in ran.out
    assert '-> "v1 is live"' in ran.out
    assert "all done" in ran.out


def test_what_a_tool_prints_is_talk_not_data(cli: Cli):
    cli("run", "bot", "deploy v1")

    ran = cli("approve", "@last", "--as", "anna", "--json")

    assert "deploying v1" in ran.err
    assert ran.documents[-1]["schema"] == "twelvefold.rest/1"


def test_a_follower_emits_json_lines_and_how_it_rested(cli: Cli):
    ran = cli("run", "bot", "deploy v1", "--json")

    events, rest = ran.documents[:-1], ran.documents[-1]
    assert [event["seq"] for event in events] == [1, 2, 3]
    assert {event["schema"] for event in events} == {"twelvefold.event/1"}
    assert (rest["status"], rest["exit"]) == ("waiting", 10)
    assert rest["waiting_for"] == [f"{rest['thread']}.s1.1"]


def test_sleeping_exits_11(cli: Cli):
    ran = cli("run", "bot", "sleep")

    assert ran.code == 11
    assert "waits for a timer" in ran.out


def test_waiting_for_a_signal_exits_11_and_the_signal_ends_it(cli: Cli):
    waiting = cli("run", "bot", "wait")
    assert waiting.code == 11
    assert "signal merged" in waiting.out

    ran = cli("send", "@last", "signal", "merged", "--data", '{"sha": "4af9ec0"}')

    assert ran.code == 0
    assert "4af9ec0" in cli("threads", "show", "@last").out


def test_a_decide_that_raises_exits_1_and_retry_goes_on(cli: Cli, monkeypatch):
    ran = cli("run", "bot", "spoil")
    assert ran.code == 1
    assert "spoiled on purpose" in ran.out
    assert "twelvefold retry" in ran.out
    assert "Traceback" not in ran.out + ran.err

    monkeypatch.setenv("DEPLOYS_FIXED", "1")

    assert cli("retry", "@last").code == 0


def test_a_message_continues_a_finished_thread(cli: Cli):
    cli("run", "bot", "hello")

    ran = cli("send", "@last", "message", "and now?")

    assert ran.code == 0
    assert "and now?" in ran.out


def test_a_delivery_that_comes_twice_is_one_message(cli: Cli):
    cli("run", "bot", "hello")

    cli("send", "@last", "message", "once", "--key", "d1")
    cli("send", "@last", "message", "once", "--key", "d1")

    events = cli("threads", "show", "@last", "--json").document["events"]
    assert sum(event["data"].get("text") == "once" for event in events) == 1


def test_a_detached_run_waits_for_somebody_to_go_on(cli: Cli):
    assert cli("run", "bot", "hello", "--detach").code == 0
    assert cli("threads", "list", "--json").document["data"][0]["status"] == "running"

    assert cli("resume", "@last").code == 0


def test_a_paused_thread_decides_nothing_until_resume(cli: Cli):
    cli("run", "bot", "hello", "--detach")
    assert cli("pause", "@last").code == 0
    assert cli("send", "@last", "message", "still there?").code == 10

    assert cli("resume", "@last").code == 0


def test_a_cancelled_thread_closes_its_contacts(cli: Cli):
    cli("run", "bot", "deploy v1")

    assert cli("cancel", "@last", "--reason", "no longer needed").code == 0

    assert cli("inbox", "--json").document["data"] == []
    assert cli("cancel", "@last").code == 4


def test_a_parent_rests_for_what_its_child_waits_for(cli: Cli):
    ran = cli("run", "bot", "hand deploy v1")
    assert ran.code == 10
    assert ".s1 waits for anna or ben" in ran.out

    done = cli("approve", "@last", "--as", "anna")

    assert done.code == 0
    assert "all done" in done.out
    assert "hand deploy v1" in cli("threads", "show", "@last").out


def test_the_same_id_twice_is_one_launch(cli: Cli):
    cli("run", "bot", "hello", "--id", "mine")
    cli("run", "bot", "hello", "--id", "mine")

    assert len(cli("threads", "list", "--json").document["data"]) == 1
    assert cli("run", "bot", "other words", "--id", "mine").code == 4


def test_a_timeout_exits_124_and_says_how_to_go_on(cli: Cli):
    ran = cli("run", "bot", "hang", "--timeout", "0.3")

    assert ran.code == 124
    assert "twelvefold resume" in ran.err


def test_ctrl_c_exits_130_and_keeps_what_was_recorded(cli: Cli, folder: Path):
    with spawn("run", "bot", "hang") as process:
        until(folder / "hanging")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "twelvefold resume" in err
    assert "Traceback" not in err
    assert "hang" in cli("threads", "show", "@last").out


def test_while_another_process_advances_this_one_only_follows(cli: Cli, folder: Path):
    with spawn("run", "bot", "hang") as process:
        until(folder / "hanging")
        try:
            ran = cli("run", "bot", "hello", "--timeout", "0.3")
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)

    assert ran.code == 124
    assert cli("resume", "@last").code == 0


def test_nobody_reading_ends_nothing(cli: Cli, folder: Path):
    with spawn("run", "bot", "hello") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()

    assert err == ""
    assert cli("threads", "list", "--json").document["data"][0]["status"] == "finished"


def test_a_list_that_nobody_reads_exits_141_without_a_word(cli: Cli, folder: Path):
    with spawn("threads", "list", "--json") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()

    assert (process.returncode, err) == (141, "")


def test_input_can_come_from_a_pipe(folder: Path):
    command = [sys.executable, "-c", MAIN, "run", "bot", "-"]
    done = subprocess.run(
        command, input="hello", capture_output=True, text=True, env={**os.environ}, check=False
    )

    assert done.returncode == 0
    assert '"hello"' in done.stdout
