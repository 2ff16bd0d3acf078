"""The scripted model: offline, and without memory."""

import json
from pathlib import Path
from typing import Any

import pytest

from small import Deploy, Done, Look
from twelvefold.exceptions import ConfigurationError
from twelvefold.messages import ModelRequest, message
from twelvefold.models.scripted import Rule, ScriptedModel

pytestmark = pytest.mark.anyio


def request(text: str = "hi", *, turn: int = 1, agent: str = "bot") -> ModelRequest:
    return ModelRequest((message("user", text),), turn=turn, agent=agent)


async def says(model: ScriptedModel, *args: Any, **kwargs: Any) -> Any:
    return json.loads((await model(request(*args, **kwargs))).text)


async def test_a_plain_list_gives_one_step_per_turn():
    model = ScriptedModel([Look(), Done(message="ok")])

    assert await says(model, turn=2) == {"intent": "done_for_now", "message": "ok"}
    assert await says(model, turn=1) == {"intent": "look", "what": "tags"}


async def test_the_first_rule_that_fits_replies():
    model = ScriptedModel(
        [
            Rule({"intent": "look"}, seen=("a", "b"), unseen=("c",)),
            Rule({"intent": "done_for_now"}, agent="other"),
            Rule({"intent": "deploy"}),
        ]
    )

    assert [(await says(model, text))["intent"] for text in ("ab", "a", "abc")] == [
        "look",
        "deploy",
        "deploy",
    ]
    assert (await says(model, "x", agent="other"))["intent"] == "done_for_now"


async def test_a_function_may_be_the_script():
    model = ScriptedModel(lambda asked: Deploy(tag=f"v{asked.turn}"))

    reply = await model(request(turn=3))
    assert json.loads(reply.text)["tag"] == "v3"
    assert (reply.model, reply.usage.output > 0) == ("scripted", True)


async def test_a_call_that_no_rule_fits_says_what_was_read():
    with pytest.raises(ConfigurationError, match=r"turn 2 of 'bot'.*deploy it"):
        await ScriptedModel([Look()])(request("deploy it", turn=2))


async def test_a_script_may_be_a_file(tmp_path: Path):
    path = tmp_path / "script.yaml"
    path.write_text(
        "- {step: {intent: look}, seen: tags}\n- {step: {intent: x}, unseen: [a], turn: 1}"
    )
    model = ScriptedModel.from_file(path)

    assert (await says(model, "list tags"))["intent"] == "look"
    assert (await says(model, "pods"))["intent"] == "x"
    with pytest.raises(ConfigurationError):
        await model(request("a s g"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("step: {}", "is not a list"),
        ("- nonsense", "rule 1: a rule is a map"),
        ("- {step: {}}\n- {seen: [x]}", "rule 2: a rule is a map"),
        ("- {step: {}, sene: [x], a: 1}", "unknown a, sene"),
        ("- {", "cannot be read"),
    ],
)
def test_a_script_that_is_wrong_is_named(tmp_path: Path, text: str, complaint: str):
    (tmp_path / "s.yaml").write_text(text)

    with pytest.raises(ConfigurationError, match=complaint):
        ScriptedModel.from_file(tmp_path / "s.yaml")


def test_a_missing_script_is_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        ScriptedModel.from_file(tmp_path / "s.yaml")
