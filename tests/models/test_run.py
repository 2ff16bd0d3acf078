"""`twelvefold run` with a vendor's model: one line of the first agent is changed."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from models import anthropic_replies, openai_replies
from models.server import Vendor, failed, silent

FIRST_AGENT = Path(__file__).parents[2] / "examples" / "first_agent" / "app.py"
COMMAND = Path(sys.executable).parent / "twelvefold"
OPENAI = "OpenAIModel('gpt-test')"
DEPLOY = '{"next_step":{"intent":"deploy","tag":"v1"}}'
PARKED, WAITS = 1, 10


class Ran(NamedTuple):
    code: int
    said: str


class Folder:
    """The first agent with a model of a vendor, and its command line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TWELVEFOLD_", "OPENAI_", "ANTHROPIC_", "GEMINI_", "GOOGLE_"))
        }
        self.env |= {"HOME": str(path), "PYTHONDONTWRITEBYTECODE": "1"}

    def with_model(self, model: str, **env: str) -> None:
        """The whole change to the user's file is the `model=`, and its import."""
        module = {"O": "openai", "A": "anthropic"}[model[0]]
        source = FIRST_AGENT.read_text()
        changed = source.replace("model=ScriptedModel(reply)", f"model={model}")
        assert changed != source
        name = model.partition("(")[0]
        added = f"from twelvefold.models.{module} import {name}\n"
        (self.path / "app.py").write_text(changed.replace("\n\n\n", f"\n{added}\n\n", 1))
        self.env |= env

    def run(self, *args: str) -> Ran:
        done = subprocess.run(
            [str(COMMAND), *args],
            cwd=self.path,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_one_changed_line_asks_openai(folder: Folder, vendor: Vendor):
    folder.with_model(OPENAI, OPENAI_API_KEY="sk-1", OPENAI_BASE_URL=vendor.url)
    vendor.will(openai_replies.says(DEPLOY))
    ran = folder.run("run", "bot", "deploy v1", "--id", "t1")

    assert (ran.code, "waits for approval" in ran.said) == (WAITS, True), ran.said
    assert vendor.requests[0].headers["authorization"] == "Bearer sk-1"
    assert "deploy v1" in vendor.bodies[0]["messages"][0]["content"]


def test_one_changed_line_asks_anthropic(folder: Folder, vendor: Vendor):
    folder.with_model(
        "AnthropicModel('claude-test')", ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=vendor.url
    )
    vendor.will(anthropic_replies.says(DEPLOY))
    ran = folder.run("run", "bot", "deploy v1", "--id", "t1")

    assert (ran.code, "waits for approval" in ran.said) == (WAITS, True), ran.said


def test_what_context_show_prints_is_what_was_sent(folder: Folder, vendor: Vendor):
    folder.with_model(OPENAI, OPENAI_API_KEY="sk-1", OPENAI_BASE_URL=vendor.url)
    vendor.will(openai_replies.says(DEPLOY))
    folder.run("run", "bot", "deploy v1", "--id", "t1")
    shown = folder.run("context", "show", "t1", "--wire", "--at", "2")

    assert vendor.requests[0].body.decode() in shown.said


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (failed(401, "Incorrect API key provided"), "Set OPENAI_API_KEY to a key"),
        (failed(404, "no such model"), "Is 'gpt-test' a model of this vendor"),
        (failed(400, "Invalid schema for response_format"), "SchemaRefused"),
    ],
)
def test_what_must_be_mended_parks_the_thread(
    folder: Folder, vendor: Vendor, reply: Any, said: str
):
    folder.with_model(OPENAI, OPENAI_API_KEY="sk-1", OPENAI_BASE_URL=vendor.url)
    vendor.will(reply)
    ran = folder.run("run", "bot", "deploy v1", "--id", "t1")

    assert (ran.code, said in ran.said, "twelvefold retry" in ran.said) == (PARKED, True, True)

    vendor.will(openai_replies.says(DEPLOY))
    assert folder.run("retry", "t1").code == WAITS


def test_a_missing_key_parks_the_thread(folder: Folder):
    folder.with_model(OPENAI)
    ran = folder.run("run", "bot", "deploy v1", "--id", "t1")

    assert (ran.code, "set OPENAI_API_KEY" in ran.said) == (PARKED, True), ran.said


def test_a_missing_extra_parks_the_thread(folder: Folder):
    folder.with_model(OPENAI, OPENAI_API_KEY="sk-1", PYTHONPATH=str(folder.path / "hidden"))
    (folder.path / "hidden").mkdir()
    (folder.path / "hidden" / "openai.py").write_text("raise ModuleNotFoundError('no openai')")
    ran = folder.run("run", "bot", "deploy v1", "--id", "t1")

    assert ran.code == PARKED
    assert "pip install 'twelvefold[openai]'" in ran.said


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ([failed(429, "slow", retry_after="0")] * 3, "rate_limited"),
        ([failed(500, retry_after="0")] * 3, "unavailable"),
        ([silent()], "timeout"),
        ([openai_replies.refuses("I will not")], "refused"),
        ([openai_replies.says(DEPLOY, finish="length")], "truncated"),
    ],
)
def test_a_failed_call_is_counted_and_the_model_goes_on(
    folder: Folder, vendor: Vendor, replies: list[Any], reason: str
):
    model = OPENAI.replace(")", ", timeout_s=4)") if reason == "timeout" else OPENAI
    folder.with_model(model, OPENAI_API_KEY="sk-1", OPENAI_BASE_URL=vendor.url)
    vendor.will(*replies, openai_replies.says(DEPLOY))
    ran = folder.run("run", "bot", "deploy v1", "--id", "t1")

    exported = folder.run("threads", "export", "t1").said
    assert (ran.code, f'"reason":"{reason}"' in exported) == (WAITS, True), ran.said + exported


def test_a_429_is_waited_for_within_the_call(folder: Folder, vendor: Vendor):
    folder.with_model(OPENAI, OPENAI_API_KEY="sk-1", OPENAI_BASE_URL=vendor.url)
    vendor.will(failed(429, "slow", retry_after="0.1"), openai_replies.says(DEPLOY))
    ran = folder.run("run", "bot", "deploy v1", "--id", "t1")

    exported = folder.run("threads", "export", "t1").said
    assert (ran.code, '"waited_s":0.1' in exported, "model_failed" in exported) == (
        WAITS,
        True,
        False,
    )
