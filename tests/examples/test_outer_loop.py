"""The outer loop: started by time alone, fetches first, contacts people first, or nobody."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from loading import app_of, approve, deny, example, play, reply

from twelvefold import App
from twelvefold.effects import All, AskModel, Choose
from twelvefold.testing import Clock, chosen, decision, given, message, replays

pytestmark = pytest.mark.anyio

outer = example("outer_loop")
[AGENT] = outer.app.agents.values()
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # nine in Berlin
HOUR = timedelta(hours=1)
SOURCES = ["ci", "diff", "error_rate", "incidents", "on_call"]


class MeetingForge(outer.Forge):
    """Answers no fetch before all five have been asked for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.meeting = asyncio.Barrier(len(SOURCES))

    async def fetch(self, source: str) -> Any:
        async with asyncio.timeout(60):
            await self.meeting.wait()
        return await super().fetch(source)


@pytest.fixture
def clock() -> Clock:
    return Clock(MONDAY - HOUR)


@pytest.fixture
def forge(tmp_path: Path) -> Any:
    return MeetingForge(tmp_path / "deployed.txt")


def built(forge: Any, clock: Clock) -> App:
    return app_of(outer, deps=forge, clock=clock)


async def at_nine(app: App, clock: Clock, *answers: dict[str, Any]) -> list[Any]:
    """What is asked once it was nine, and the answers were given."""
    await app.run(until_idle=True)
    assert app.threads() == []
    clock.now = MONDAY
    return await play(app, *answers)


def log(app: App) -> list[Any]:
    [row] = app.threads()
    return list(app.thread(row.ref.id).events)


def last_words(app: App) -> str:
    return log(app)[-1].data["message"]


async def test_it_contacts_a_person_first(forge: Any, clock: Clock):
    app = built(forge, clock)

    [contact] = await at_nine(app, clock)

    assert contact.data["intent"] == "deploy"
    assert contact.data["args"]["sha"] == "9c01d2e"
    assert contact.data["to"]["people"] == ["anna", "ben"]
    received = [event.data for event in log(app) if event.type == "message_received"]
    assert [data["channel"] for data in received] == ["schedule"]
    assert await play(app, approve()) == []
    assert (forge.undeployed(), last_words(app)) == ([], "The newest commit is live.")
    assert replays(app) == 1


async def test_five_fetches_meet_and_the_one_that_fails_is_read_by_the_model(
    forge: Any, clock: Clock
):
    app = built(forge, clock)

    await at_nine(app, clock)

    events = log(app)
    fetched = [e for e in events if e.data.get("intent") == "fetch"]
    choices = [e.data["args"]["source"] for e in fetched if e.type == "next_step_chosen"]
    assert choices == SOURCES
    assert [e.type for e in fetched].count("tool_returned") == 4
    [failed] = [e for e in fetched if e.type == "tool_failed"]
    assert failed.data["error"] == "Unreachable: error_rate did not answer within 3 s"
    asked = [e.seq for e in events if e.data.get("by") == "model"]
    assert len(asked) == 1
    assert failed.seq < asked[0]
    [proposed] = app.inbox()
    assert "a source did not answer" in proposed.data["args"]["why"]


async def test_with_nothing_to_do_it_contacts_nobody(tmp_path: Path, clock: Clock):
    app = built(outer.Forge(tmp_path / "deployed.txt", commits=()), clock)

    assert await at_nine(app, clock) == []

    assert last_words(app) == "Everything is deployed."
    assert {event.type for event in log(app)} == {
        "message_received",
        "next_step_chosen",
        "tool_started",
        "tool_returned",
        "finished",
    }
    assert app.state(app.thread(app.threads()[0].ref.id)).model_calls == 0


async def test_after_a_deploy_the_next_morning_is_quiet(forge: Any, clock: Clock):
    app = built(forge, clock)
    await at_nine(app, clock, approve())
    clock.forward(24 * HOUR)

    assert await play(app) == []

    assert [row.status for row in app.threads()] == ["finished", "finished"]


async def test_weekends_are_quiet(forge: Any, clock: Clock):
    clock.now = MONDAY - 72 * HOUR  # Friday at nine
    app = built(forge, clock)
    await app.run(until_idle=True)
    while clock.now < MONDAY:
        assert app.threads() == []
        clock.forward(HOUR)
        await app.run(until_idle=True)

    assert len(app.threads()) == 1


async def test_a_no_and_silence_end_it(forge: Any, clock: Clock):
    app = built(forge, clock)
    await at_nine(app, clock, deny("not before the release notes"))
    assert last_words(app) == "It stays as it is."
    clock.forward(24 * HOUR)
    assert len(await play(app)) == 1
    clock.forward(8 * HOUR)
    assert await play(app) == []

    newest = app.thread(app.threads()[0].ref.id)
    assert newest.events[-1].data["message"] == "Nobody answered; tomorrow is another day."
    assert len(forge.undeployed()) == 2


async def test_a_red_ci_is_a_question_to_the_team(tmp_path: Path, clock: Clock):
    red = outer.Forge(
        tmp_path / "deployed.txt", known={source: {"state": "red"} for source in SOURCES}
    )
    app = built(red, clock)

    [contact] = await at_nine(app, clock)

    assert contact.data["question"] == "CI is red. Who looks at it?"
    assert await play(app, reply("I do")) == []
    assert last_words(app) == "The team looks at CI."


async def test_a_forge_that_cannot_be_read_is_a_question_without_a_model(
    tmp_path: Path, clock: Clock
):
    (tmp_path / "deployed.txt").mkdir()
    app = built(outer.Forge(tmp_path / "deployed.txt"), clock)

    [contact] = await at_nine(app, clock)

    assert contact.data["question"].startswith("The commits cannot be read (IsADirectoryError")
    assert await play(app, reply("fixed")) == []
    assert last_words(app) == "The team knows."


async def test_two_mornings_without_a_worker_are_one_run_that_names_them(
    forge: Any, clock: Clock, caplog: pytest.LogCaptureFixture
):
    app = built(forge, clock)
    await app.run(until_idle=True)
    clock.now = MONDAY + 26 * HOUR

    assert len(await play(app)) == 1

    received = log(app)[0].data
    assert received["missed"] == ["2026-11-23T08:00:00.000000Z", "2026-11-24T08:00:00.000000Z"]
    assert "2 slots were missed" in caplog.text


def test_the_model_is_not_offered_what_is_fetched_already():
    commits = [{"sha": "9c01d2e"}]
    facts = [message("look"), chosen(outer.FindUndeployed())]
    found = given(*facts, agent=AGENT)
    assert isinstance(decision(AGENT, found), All)

    state = AGENT.state(found)
    state.by_id("s1").settle("returned", result=commits)
    fetches = outer.decide(found, state)
    assert isinstance(fetches, Choose)
    assert [step.source for step in fetches.steps] == SOURCES
    asks = AskModel("", outer.BotStep)
    assert not {outer.Fetch, outer.FindUndeployed} & set(asks.steps.__args__)
