"""The Slack on this machine that the deploybot's README shows: two programs, and what is typed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from loading import EXAMPLES

from crew import PATIENCE_S
from ports import free_port

MAIN = "from twelvefold.cli import main; main()"


class Typed:
    """`local_slack.py`, with what is typed there and what it shows."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def types(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def shows(self, words: str) -> str:
        """The first line with these words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if words in line:
                return line
        raise AssertionError(f"it ended before it said {words!r}")


@contextmanager
def program(*args: str, folder: Path, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    given = os.environ | {"SLACK_SIGNING_SECRET": "local", "PYTHONUNBUFFERED": "1"} | settings
    process = subprocess.Popen(
        [sys.executable, *args],
        cwd=folder,
        env=given,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    left = shutil.ignore_patterns("*.db*", "__pycache__", ".twelvefold")
    return Path(shutil.copytree(EXAMPLES / "deploybot", tmp_path / "deploybot", ignore=left))


@pytest.fixture
def slack(folder: Path) -> Iterator[Typed]:
    port = str(free_port())
    api = f"http://127.0.0.1:{port}/"
    with ExitStack() as stack:
        arguments = ["-c", MAIN, "serve", "--runner", "--port", "0", "--json"]
        settings = {"SLACK_BOT_TOKEN": "xoxb-local", "SLACK_API": api}
        served = stack.enter_context(program(*arguments, folder=folder, **settings))
        assert served.stdout is not None
        said: dict[str, Any] = json.loads(served.stdout.readline())
        url = f"{said['url']}/v1/triggers/slack"
        local = stack.enter_context(program("local_slack.py", url, folder=folder, PORT=port))
        typed = Typed(local)
        typed.shows(api)
        yield typed


def test_what_is_typed_is_asked_refused_approved_and_told(slack: Typed):
    slack.types("mia: deploy web to production")
    slack.shows("deploybot wants")
    slack.shows("4af9ec0b5c1d7e2f8a6b3c4d5e6f708192a3b4c5")
    slack.shows("[Deny]")
    slack.types("mia approve")
    slack.shows("mia may not answer")
    slack.types("anna deny take 77d0a1c instead")
    slack.shows("denied by anna (slack)")
    slack.shows("77d0a1c2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718")
    slack.shows("[Deny]")
    slack.types("ben approve")
    slack.shows("deploy-web.yml runs for 77d0a1c2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718 in production.")
    slack.types("ben approve")
    slack.shows("there is no button 'approve'")


def test_a_reply_goes_on_with_the_conversation(slack: Typed):
    slack.types("mia: please deploy")
    slack.shows("Which one: web or api?")
    slack.types("anna> the api")
    slack.shows("deploy-api.yml")
