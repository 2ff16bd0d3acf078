"""A step of a kept thread whose class has changed since: the failing test says that first."""

import asyncio
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from twelvefold import Agent, App, Approve, AskModel, Finish, ScriptedModel, Step, Wait, run
from twelvefold.policy import Risk
from twelvefold.testing import MemoryStore, finishes, play, replays

YES = {"decision": "approve"}


class Send(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["send"] = "send"
    to: str


class Renamed(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["send"] = "send"
    address: str


class Aliased(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["send"] = "send"
    address: str = Field(alias="to")


class Grown(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["send"] = "send"
    to: str
    urgent: bool = False


class Done(Step):
    intent: Literal["done"] = "done"
    message: str


def renamed(args: dict[str, Any]) -> dict[str, Any]:
    return {"address": args["to"]} if "to" in args else args


def app(steps: Any, **options: Any) -> App:
    """Whatever is risky is approved and run."""

    def decide(thread: Any, state: Any) -> Any:
        for chosen in state.ready:
            if isinstance(chosen.step, Done):
                return Finish(chosen.step.message, chosen.step)
            return run(str, chosen.step) if chosen.approved else Approve(chosen.step, by="anna")
        return Wait() if state.waiting or state.finished else AskModel("next?", steps)

    model = ScriptedModel([Send(to="ben"), Done(message="sent")])
    agent = Agent("bot", decide, steps, owner="anna", **options)
    return App([agent], store=MemoryStore(), model=model)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A thread that asks anna whether its step `s1`, event 2, may run."""
    return kept(tmp_path)


def kept(folder: Path, *answers: Any) -> Path:
    bot = app(Send | Done)
    asyncio.run(play(bot, "bot", "go", *answers, by="anna"))
    path = folder / "kept.jsonl"
    path.write_text(bot.thread("t1").to_jsonl(), encoding="utf-8")
    return path


def failure(app: App, log: Path) -> list[str]:
    with pytest.raises(AssertionError) as failed:
        finishes(app, log)
    return str(failed.value).splitlines()


def test_a_renamed_field_is_the_first_line_and_what_to_do_the_second(log: Path):
    first, second, *others = failure(app(Renamed | Done), log)

    assert first == (
        "t1, event 2, step s1: send no longer parses:"
        " address: Field required; to: Extra inputs are not permitted"
    )
    assert 'Field(alias="old")' in second
    assert "upcaster" in second
    assert "docs/evolution.md" in second
    assert "t1, event 3 (decision)" in others


def test_a_step_that_left_the_union_is_named_too(log: Path):
    first, second, *_ = failure(app(Done), log)

    assert first == (
        "t1, event 2, step s1: send no longer parses: no step of this agent has the intent 'send'"
    )
    assert "the old class in the union" in second


def test_an_upcaster_that_fails_is_named(log: Path):
    first, *_ = failure(app(Renamed | Done, upcasters={"send": lambda args: args["nowhere"]}), log)

    assert "send no longer parses: its upcaster fails: KeyError: 'nowhere'" in first


def test_it_is_said_once_however_many_decisions_it_changes(tmp_path: Path):
    lines = failure(app(Renamed | Done), kept(tmp_path, YES))

    assert len([line for line in lines if "no longer parses" in line]) == 1
    assert len([line for line in lines if "(decision)" in line]) > 1


def test_with_the_old_name_as_an_alias_it_finishes(log: Path):
    assert finishes(app(Aliased | Done), log) == "sent"


@pytest.mark.parametrize(
    ("steps", "options"),
    [(Renamed | Done, {"upcasters": {"send": renamed}}), (Grown | Done, {})],
    ids=["upcaster", "a field with a default"],
)
def test_where_it_is_read_otherwise_the_approval_that_is_asked_again_is_named(
    steps: Any, options: Any, log: Path
):
    first, second, third, *_ = failure(app(steps, **options), log)

    assert first == (
        "t1, event 3, contact s1.1: the arguments or the shape of send changed since this was asked"
    )
    assert second == "An approval of what has changed is asked again: docs/evolution.md."
    assert "decides_alike=False" in third
    assert finishes(app(steps, **options), log, decides_alike=False) == "sent"


def test_what_decide_does_otherwise_is_blamed_on_no_step(log: Path):
    bot = app(Send | Done)
    [agent] = bot.agents.values()
    other = Agent("bot", lambda *_: Wait(), agent.steps, owner="anna")

    lines = failure(App([other], store=MemoryStore(), models=bot.models), log)

    assert lines[0].startswith("Today's code decides otherwise than the log says.")
    assert not [line for line in lines if "parses" in line or "changed" in line]


def test_a_replay_of_a_store_says_it_too():
    bot = app(Send | Done)
    asyncio.run(play(bot, "bot", "go", by="anna"))
    today = App(app(Renamed | Done).agents.values(), store=bot.store, models=bot.models)

    with pytest.raises(AssertionError, match="does not replay") as failed:
        replays(today)

    first, second, *_ = str(failed.value).splitlines()[1:]
    assert first.startswith("t1, event 2, step s1: send no longer parses: address: Field required")
    assert "docs/evolution.md" in second
