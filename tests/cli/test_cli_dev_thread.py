"""What `twelvefold dev AGENT INPUT` says of its thread: its id, what it waits for, where that is
decided, and how it went on."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands import Cli
from test_cli_serving import MAIN, PATIENCE_S, server

BEGIN = ("dev", "--port", "0", "--no-reload", "--as", "anna", "--id", "mine", "bot", "deploy v1")


@contextmanager
def typed(*args: str) -> Iterator[Iterator[str]]:
    """The lines of a command, for people."""
    command = [sys.executable, "-c", MAIN, *args]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield iter(process.stdout)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def until(lines: Iterator[str], word: str) -> list[str]:
    """What is said up to the line that begins so."""
    said: list[str] = []
    for line in lines:
        said.append(line.rstrip("\n"))
        if line.startswith(word):
            return said
    raise AssertionError(said)


def test_its_id_what_it_waits_for_and_the_page_are_said(folder: Path):
    with typed(*BEGIN) as lines:
        serving, _, thread, paused, decide = until(lines, "decide")

    url = serving.split()[1]
    assert thread == f"thread     mine   {url}/threads/mine"
    assert paused.startswith("paused  mine waits for anna")
    assert paused.endswith("approve it: twelvefold approve mine")
    assert decide == f"decide     {url}/contacts/mine.s1.1"


def test_the_page_that_is_named_is_the_one_where_it_is_decided(folder: Path):
    with server(*BEGIN) as develops:
        serving, rest = develops.says(), develops.says()
        [page] = rest["pages"]
        with develops.client(serving["url"]) as browser:
            browser.get(serving["sign_in"], follow_redirects=True)
            shown = browser.get(page)

    assert (serving["thread"], rest["schema"], rest["status"]) == (
        "mine",
        "twelvefold.rest/1",
        "waiting",
    )
    assert rest["waiting_for"] == ["mine.s1.1"]
    assert shown.status_code == 200
    assert "deploy" in shown.text


def test_what_came_of_a_yes_is_said_there_too(cli: Cli, folder: Path):
    with typed(*BEGIN) as lines:
        until(lines, "decide")
        cli("approve", "mine", "--as", "anna", "--yes", "--detach")
        said = until(lines, "finished")

    assert said == ["finished   mine"]


def test_a_server_without_a_first_thread_tells_of_none(folder: Path):
    with server("dev", "--port", "0", "--no-reload") as develops:
        assert "thread" not in develops.says()


def test_one_that_fails_says_why_and_how_to_go_on(folder: Path):
    with typed(*BEGIN[:-1], "spoil") as lines:
        *_, failed, then = until(lines, "next:")

    assert failed.startswith("failed  mine: ")
    assert then == "next:   mend that, then twelvefold retry mine"
