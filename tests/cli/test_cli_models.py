"""`twelvefold doctor` on the models of an application: whether they could be asked, asking none."""

import re
import sys
from pathlib import Path

import pytest
from commands import Cli

KEY = "sk-of-a-test"
IMPORTS = """
from twelvefold.models.composed import fallback
from twelvefold.models.openai import OpenAIModel
"""


@pytest.fixture
def models(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """`models('{"default": ...}')`: the models of the application from now on."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    app = folder / "app.py"
    text = app.read_text()
    return lambda models: app.write_text(f"{text}{IMPORTS}\napp.models = {models}\n")


def said(cli: Cli) -> tuple[int, list[str]]:
    ran = cli("doctor")
    assert KEY not in ran.out + ran.err
    return ran.code, [line for line in ran.out.splitlines() if re.search(r"^\w+ +model ", line)]


def test_a_model_that_could_be_asked_is_named(cli: Cli, models, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    models('{"default": OpenAIModel("gpt-5-mini")}')
    code, [line] = said(cli)

    assert code == 0
    assert re.match(r"ok +model default +gpt-5-mini \(OpenAIModel\): its extra is installed", line)
    assert line.endswith("it was not asked")


def test_a_missing_key_is_wrong_and_said(cli: Cli, models):
    models('{"large": OpenAIModel("gpt-5"), "mine": OpenAIModel("m", base_url="http://[::1]:1")}')
    code, [wrong, fine] = said(cli)

    assert code == 6
    assert re.match(r"wrong +model large +'gpt-5' needs a key: set OPENAI_API_KEY", wrong)
    assert re.match(r"ok +model mine +m \(OpenAIModel\)", fine)


def test_a_missing_extra_is_wrong_and_says_how_to_install_it(
    cli: Cli, models, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setitem(sys.modules, "openai", None)
    models('{"default": OpenAIModel("gpt-5")}')
    code, [line] = said(cli)

    assert code == 6
    assert "needs the extra 'openai'" in line
    assert line.endswith("pip install 'twelvefold[openai]'")


def test_each_model_behind_another_one_is_looked_at(cli: Cli, models):
    models('{"default": fallback(OpenAIModel("first"), OpenAIModel("second"))}')
    code, lines = said(cli)

    assert code == 6
    assert [re.findall(r"'(\w+)' needs a key", line) for line in lines] == [["first"], ["second"]]


def test_what_is_offline_or_of_ones_own_needs_nothing_that_is_known(cli: Cli, models):
    (code, [line]) = said(cli)
    assert (code, "ScriptedModel: offline, needs no key" in line) == (0, True)

    models('{"mine": (lambda request: None)}')
    (code, [line]) = said(cli)
    assert (code, "what it needs is not known here" in line) == (0, True)


def test_a_key_that_no_header_takes_is_said_and_not_shown(
    cli: Cli, models, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    models('{"default": OpenAIModel("gpt-5")}')
    code, [line] = said(cli)

    assert code == 6
    assert "Was a file read with its line end?" in line
