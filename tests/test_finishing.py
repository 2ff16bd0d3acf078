"""A kept thread goes on under the code of today: on a copy, at its own time, without any tool."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from twelvefold import (
    Agent,
    All,
    App,
    Approve,
    Ask,
    AskModel,
    Choose,
    Delegate,
    Finish,
    ScriptedModel,
    Step,
    Wait,
    run,
)
from twelvefold.directory import Directory
from twelvefold.effects import Sleep
from twelvefold.exceptions import ConfigurationError
from twelvefold.forms import multiple_choice, yes_no
from twelvefold.intents import DoneForNow
from twelvefold.messages import ModelRequest
from twelvefold.policy import Risk, at_least, role
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import MemoryStore, finishes, play

DAY = timedelta(hours=24)
YES = {"decision": "approve"}
PEOPLE = Directory(roles={"ops": ["anna", "ben"]})


class ListTags(Step):
    intent: Literal["list_tags"] = "list_tags"


class Deploy(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["deploy"] = "deploy"
    tag: str


class Which(Step):
    intent: Literal["which"] = "which"


Steps = ListTags | Deploy | Which | DoneForNow


class Bot:
    """An agent at different times. `ran` are the steps whose tools ran."""

    def __init__(self, folder: Path, **today: Any) -> None:
        self.folder, self.ran, self.today = folder, list[str](), today

    @property
    def within(self) -> timedelta | None:
        return self.today.get("within", DAY)

    def list_tags(self, step: ListTags) -> list[str]:
        self.ran.append("list_tags")
        return ["v1", "v2"]

    def deploy(self, step: Deploy) -> str:
        self.ran.append("deploy")
        return f"{step.tag} is live"

    def decide(self, thread: Any, state: Any) -> Any:
        for chosen in state.ready:
            return self.carry_out(chosen)
        if state.waiting or state.finished:
            return Wait()
        tags = state.last(ListTags)
        if tags is None:
            return Choose(ListTags())
        return AskModel(f"next? {tags.result}\n{thread.head}", Steps)

    def carry_out(self, chosen: Any) -> Any:
        match chosen.step:
            case ListTags() as step:
                return run(self.list_tags, step)
            case Deploy() as step if not chosen.approved:
                return Approve(step, by=self.today.get("by", role("ops")), within=self.within)
            case Deploy() as step:
                return All(run(self.deploy, step))
            case Which() as step:
                return Ask(step, "Which?", to="anna", form=self.today.get("form"))
            case DoneForNow() as step:
                return Finish(step.message, step)

    def app(self, *script: Step, **options: Any) -> App:
        agent = Agent("bot", self.today.get("decide", self.decide), Steps, owner="anna")
        model = ScriptedModel(script or [Deploy(tag="v2"), DoneForNow(message="live")])
        given: dict[str, Any] = {"store": MemoryStore(), "model": model, "directory": PEOPLE}
        return App([agent], **(given | options))

    def kept(self, *answers: Any, script: Any = (), **options: Any) -> Path:
        """A thread, exported once these answers were given."""
        app = self.app(*script, **options)
        asyncio.run(play(app, "bot", "deploy", *answers, by="anna"))
        log = self.folder / "kept.jsonl"
        log.write_text(app.thread("t1").to_jsonl(), encoding="utf-8")
        self.ran.clear()
        return log


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return Bot(tmp_path)


def test_a_thread_that_waits_for_an_approval_is_finished_and_no_tool_runs(bot: Bot):
    assert finishes(bot.app(), bot.kept()) == "live"
    assert bot.ran == []


def test_neither_the_log_of_the_app_nor_the_kept_one_is_touched(bot: Bot, tmp_path: Path):
    log = bot.kept()
    before = log.read_text()
    app = bot.app(store=f"sqlite:///{tmp_path}/threads.db")

    assert finishes(app, log) == "live"
    assert log.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["kept.jsonl"]


def test_what_a_tool_returns_is_what_it_returned_before_or_what_is_given(bot: Bot, tmp_path: Path):
    seen: list[str] = []

    def reply(request: ModelRequest) -> Step:
        seen.append(request.text)
        return DoneForNow(message="live") if len(seen) > 1 else ListTags()

    log = bot.kept(script=[Deploy(tag="v2")])
    model = ScriptedModel(reply)
    finishes(bot.app(), log, model=model)
    finishes(bot.app(), log, model=model, returns={"list_tags": ["v3"]})
    finishes(bot.app(), log, model=model, returns={"list_tags": lambda step: [step.intent]})

    assert "['v1', 'v2']" in seen[1]
    assert bot.ran == []


def test_results_that_are_given_are_what_the_model_reads(bot: Bot):
    seen: list[str] = []

    def reply(request: ModelRequest) -> Step:
        seen.append(request.text)
        return ListTags() if len(seen) == 1 else DoneForNow(message="live")

    given = {"list_tags": lambda step: [step.intent]}
    finishes(bot.app(), bot.kept(), model=ScriptedModel(reply), returns=given)

    assert "['list_tags']" in seen[1]


def test_a_deadline_that_passed_since_has_not_passed(bot: Bot):
    log = bot.kept()
    text = log.read_text().replace("2026-", "2001-")
    log.write_text(text)

    assert finishes(bot.app(), log) == "live"


def test_a_decision_that_is_made_otherwise_today_is_told_unless_it_is_meant(bot: Bot):
    log = bot.kept()
    bot.today["by"] = "anna"

    with pytest.raises(AssertionError, match="decides_alike=False") as failed:
        finishes(bot.app(), log)
    assert "t1, event 6 (decision)" in str(failed.value)
    assert finishes(bot.app(), log, decides_alike=False) == "live"


def test_what_does_not_finish_is_told_with_where_it_stands(bot: Bot):
    log = bot.kept()
    app = bot.app(Deploy(tag="v2"), Which())

    with pytest.raises(AssertionError) as failed:
        finishes(app, log, answer=lambda row: None)

    said = str(failed.value)
    assert said.startswith("t1 does not finish.\nt1 (bot) is waiting\n  t1.s3.1 asks anna")
    assert '"outcome":"expired"' in said
    assert "returns=" not in said


def test_a_decide_that_fails_over_a_result_that_was_made_up_is_told_what_to_give(bot: Bot):
    def reads(thread: Any, state: Any) -> Any:
        done = state.last(Deploy)
        if done is not None and done.status == "returned":
            return Choose(DoneForNow(message=done.result.upper()))
        return bot.decide(thread, state)

    log = bot.kept()
    bot.today["decide"] = reads

    with pytest.raises(AssertionError, match="has no attribute 'upper'") as failed:
        finishes(bot.app(), log)
    assert str(failed.value).endswith('returned None: say what, by returns={"deploy": ...}.')


def test_a_step_that_has_no_case_any_more_is_told_with_the_place_of_decide(bot: Bot):
    def forgets(thread: Any, state: Any) -> Any:
        approved = state.ready and state.ready[0].approved
        return None if approved else bot.decide(thread, state)

    log = bot.kept()
    bot.today["decide"] = forgets

    line = forgets.__code__.co_firstlineno
    with pytest.raises(AssertionError, match=rf"test_finishing\.py, line {line}, returned None"):
        finishes(bot.app(), log)


def test_a_model_behind_a_network_is_not_asked(bot: Bot):
    async def live(request: ModelRequest) -> Any:
        raise AssertionError("it was asked")

    log = bot.kept()

    with pytest.raises(ConfigurationError, match="asked over a network"):
        finishes(bot.app(model=live), log)
    offline = ScriptedModel(lambda request: DoneForNow(message="x"))
    assert finishes(bot.app(model=live), log, model=offline) == "x"


# Who says what


@pytest.mark.parametrize(
    ("form", "value"), [(None, "go on"), (yes_no(), "True"), (multiple_choice("a", "b"), "a")]
)
def test_questions_are_answered_with_what_their_form_takes(bot: Bot, form: Any, value: str):
    bot.today["form"] = form
    log = bot.kept(script=[Which()])
    seen: list[str] = []

    def decide(thread: Any, state: Any) -> Any:
        seen.extend(str(chosen.result) for chosen in state.all(Which))
        return bot.decide(thread, state)

    bot.today["decide"] = decide
    finishes(bot.app(), log, model=ScriptedModel(lambda request: DoneForNow(message="ok")))

    assert seen[-1] == value


def test_as_many_say_yes_as_are_needed(bot: Bot):
    bot.today["by"] = at_least(2, "anna", "ben")

    assert finishes(bot.app(), bot.kept()) == "live"


def test_where_nobody_is_left_who_may_the_thread_waits(bot: Bot):
    bot.today["within"] = None
    log = bot.kept()

    with pytest.raises(AssertionError, match="asks role ops"):
        finishes(bot.app(directory=Directory(roles={"ops": []})), log, decides_alike=False)


def test_a_run_that_was_cut_off_took_place(bot: Bot):
    log = bot.kept(YES)
    lines = log.read_text().splitlines(keepends=True)
    [start] = [n for n, line in enumerate(lines) if '"tool_started"' in line and '"s2"' in line]
    log.write_text("".join(lines[: start + 1]))

    assert finishes(bot.app(), log, returns={"deploy": "v2 is live"}) == "live"
    assert bot.ran == []


def test_a_step_that_no_longer_parses_is_given_up(bot: Bot):
    log = bot.kept()
    log.write_text(log.read_text().replace('"tag":"v2"', '"tag":["v2"]'))

    assert finishes(bot.app(), log, decides_alike=False) == "live"


# Time, children, tenants


def test_a_thread_that_sleeps_is_woken_when_its_time_has_come(bot: Bot):
    def sleeps(thread: Any, state: Any) -> Any:
        if state.ready and state.ready[0].intent == "which":
            return Sleep(state.ready[0].step, state.now + timedelta(days=30))
        return bot.decide(thread, state)

    bot.today["decide"] = sleeps
    log = bot.kept(script=[Which()])

    model = ScriptedModel(lambda request: DoneForNow(message="awake"))
    assert finishes(bot.app(), log, model=model) == "awake"


def test_those_it_launched_go_on_with_it(tmp_path: Path):
    child = Bot(tmp_path)

    def parent(thread: Any, state: Any) -> Any:
        if state.finished or state.waiting:
            return Wait()
        if state.ready:
            return Delegate(state.ready[0].step, "child", "deploy")
        done = state.last(Which)
        return Choose(Which()) if done is None else Finish(f"child said {done.result}")

    def app() -> App:
        agents = [
            Agent("bot", parent, Steps, owner="anna"),
            Agent("child", child.decide, Steps, owner="anna"),
        ]
        script = [Deploy(tag="v2"), DoneForNow(message="live")]
        model = ScriptedModel(script)
        return App(agents, store=MemoryStore(), model=model, directory=PEOPLE)

    kept = app()
    asyncio.run(play(kept, "bot", "deploy", by="anna"))
    logs = [tmp_path / f"{name}.jsonl" for name in ("t1", "t1.s1")]
    for log in logs:
        log.write_text(kept.thread(log.stem).to_jsonl())

    assert finishes(app(), *logs) == "child said live"


def test_a_thread_of_a_tenant_goes_on_as_that(bot: Bot, tmp_path: Path):
    app = bot.app(store=SqliteStore(tmp_path / "threads.db"))

    async def asked() -> None:
        await app.launch("bot", "deploy", thread_id="t1", tenant="acme")
        await app.run(until_idle=True)

    asyncio.run(asked())
    log = tmp_path / "acme.jsonl"
    log.write_text(app.thread("t1", tenant="acme").to_jsonl())
    app.close()

    assert finishes(bot.app(), log) == "live"
