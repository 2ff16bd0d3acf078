"""A step whose code changed while somebody was asked: an answer leads to what is asked now."""

from pathlib import Path

import pytest
from commands import APPS, Cli

APP = (APPS / "deploys.py").read_text()
TAG = "    tag: str\n"


@pytest.mark.parametrize(
    ("today", "asked"),
    [
        (TAG + "    urgent: bool = False\n", "deploy"),
        ("    label: str\n", "repair"),
    ],
    ids=["a field more", "a field renamed"],
)
def test_a_refused_answer_is_followed_by_what_is_asked_now(cli: Cli, today: str, asked: str):
    cli("run", "bot", "deploy v1")
    assert TAG in APP
    Path("app.py").write_text(APP.replace(TAG, today, 1).replace("step.tag", "step"))

    ran = cli("approve", "@last", "--as", "anna")

    assert ran.code == 10
    assert "changed since, so it is asked again. Nothing was done." in ran.err
    (open_now,) = cli("inbox", "--json").document["data"]
    assert open_now["id"].endswith(".s1.2")
    assert asked in (open_now["kind"], open_now["intent"])
