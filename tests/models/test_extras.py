"""Before a call: the extra to install, whichever part of it is missing, and the key to set.

Nothing is sent to find out, and no key is shown.
"""

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twelvefold.cli.extras import EXTRAS, remedy
from twelvefold.exceptions import UnusableModel
from twelvefold.models.anthropic import AnthropicModel
from twelvefold.models.gemini import GeminiModel
from twelvefold.models.openai import OpenAIModel

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
VENDORS = [
    ("openai", OpenAIModel, "openai", "OPENAI_API_KEY"),
    ("anthropic", AnthropicModel, "anthropic", "ANTHROPIC_API_KEY"),
    ("gemini", GeminiModel, "google.genai", "GEMINI_API_KEY"),
]
each_vendor = pytest.mark.parametrize(("extra", "make", "package", "key"), VENDORS)


@pytest.fixture(autouse=True)
def nobody_signed_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE"):
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)


@each_vendor
@pytest.mark.parametrize("both", [True, False])
async def test_a_missing_extra_is_named(
    extra: str, make: Make, package: str, key: str, both: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, package, None)
    if both:  # as on a machine that has twelvefold alone
        monkeypatch.setitem(sys.modules, "tenacity", None)

    with pytest.raises(UnusableModel, match=f"'twelvefold\\[{extra}\\]'$") as raised:
        await make("m").ready()
    assert f"needs the extra {extra!r}" in str(raised.value)
    assert package in str(raised.value)
    assert "tenacity" not in str(raised.value)


@each_vendor
async def test_an_extra_that_is_there_in_part_is_named_too(
    extra: str, make: Make, package: str, key: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "tenacity", None)

    with pytest.raises(UnusableModel, match=f"'twelvefold\\[{extra}\\]'$"):
        await make("m").ready()


@each_vendor
async def test_a_missing_key_is_named(extra: str, make: Make, package: str, key: str):
    with pytest.raises(UnusableModel, match=f"'m' needs a key: set {key}"):
        await make("m").ready()


@each_vendor
async def test_with_a_key_it_is_ready(
    extra: str, make: Make, package: str, key: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(key, "sk-of-a-test")
    await make("m").ready()
    monkeypatch.delenv(key)
    await make("m", api_key="sk-of-a-test").ready()
    await make("m", base_url="http://localhost:1/v1").ready()  # which may need none


async def test_a_login_or_a_header_of_ones_own_opens_anthropic(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-of-a-test")
    await AnthropicModel("m").ready()
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Api-Key: sk-of-a-test")
    await AnthropicModel("m").ready()


def test_every_extra_is_named_for_what_it_brings():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    extras = set(project["project"]["optional-dependencies"])

    # What these bring is brought by another one, too.
    assert extras - {"scale", "sms", "webhook"} == set(EXTRAS.values())


def test_what_no_extra_brings_has_no_remedy():
    assert remedy(ModuleNotFoundError("no", name="nothing_of_this_name")) == ""
    assert remedy(ModuleNotFoundError("no")) == ""
    assert remedy(ImportError("no", name="fastapi")) == ""
    assert remedy(ModuleNotFoundError("no", name="fastapi.x")).endswith("'twelvefold[server]'")
