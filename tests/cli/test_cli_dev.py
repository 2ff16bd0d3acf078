"""`twelvefold dev AGENT INPUT`: a thread to begin with, once for however many servers."""

import json
import os
import shutil
from pathlib import Path

import pytest
from commands import APPS, Cli
from test_cli_nowhere import typed
from test_cli_serving import Server, server


@pytest.fixture(autouse=True)
def application(folder: Path) -> None:
    shutil.copy(APPS / "working.py", folder / "app.py")
    os.mkfifo(folder / "gate")


def threads(cli: Cli) -> list[str]:
    return [one["id"] for one in cli("threads", "list", "--json").document["data"]]


def next_state(develops: Server) -> str:
    """Of the server; what it tells of its thread is passed over."""
    while "state" not in (said := develops.says()):
        assert said["schema"] == "twelvefold.rest/1"
    return said["state"]


def test_it_begins_a_thread_and_advances_it(cli: Cli, folder: Path):
    with server("dev", "--port", "0", "--no-reload", "--id", "mine", "bot", "gate") as develops:
        develops.says()
        (folder / "gate").write_text("open")  # returns when the tool reads it

    assert threads(cli) == ["mine"]


def test_who_signs_in_is_who_gave_the_input(cli: Cli):
    with server("dev", "--port", "0", "--no-reload", "--as", "anna", "bot", "x") as develops:
        develops.says()

    [thread] = threads(cli)
    exported = cli("threads", "export", thread).out.splitlines()
    begun = next(line for line in exported if "message_received" in line)
    assert json.loads(begun)["data"]["from"] == "anna"


def test_a_server_that_follows_begins_no_other(cli: Cli, folder: Path):
    with server("dev", "--port", "0", "bot", "x") as develops:
        develops.says()
        before = threads(cli)
        (folder / "app.py").write_text((folder / "app.py").read_text() + "\n")
        said = [next_state(develops) for _ in range(3)]

    assert said == ["stopped", "changed", "serving"]
    assert len(before) == 1
    assert threads(cli) == before


def test_an_agent_without_an_input_is_refused(cli: Cli):
    refused = cli("dev", "bot")

    assert refused.code == 2
    assert "Give INPUT after AGENT" in refused.err


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ("nobody x", 2, "This application has no agent 'nobody'; it has: bot."),
        ("bot x --id one", 4, "one"),
        ("bot x --store mysql://x", 2, "names no store that is known here"),
    ],
)
@pytest.mark.parametrize("watching", [[], ["--no-reload"]])
def test_a_wrong_argument_ends_it_at_once(
    cli: Cli, watching: list[str], wrong: str, code: int, words: str
):
    cli("run", "bot", "another", "--id", "one", "--detach")

    ran = typed(" ".join(["dev", "--port", "0", *watching, wrong]))
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("error: ")
    assert words in ran.err


def test_for_an_agent_that_is_not_there_no_log_is_begun(folder: Path):
    assert typed("dev --port 0 nobody x").code == 2
    assert not (folder / ".twelvefold").exists()


def test_an_agent_that_went_with_a_change_is_waited_for(cli: Cli, folder: Path):
    whole = (folder / "app.py").read_text()
    with server("dev", "--port", "0", "bot", "x") as develops:
        said = [develops.says()["state"]]
        (folder / "app.py").write_text(whole.replace('Agent("bot"', 'Agent("robot"'))
        said += [next_state(develops) for _ in range(3)]

    assert said == ["serving", "stopped", "changed", "failed"]
