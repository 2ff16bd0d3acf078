"""The release pipeline: what its file promises, and the scenarios of the factors page."""

import ast
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from loading import EXAMPLES, app_of, approve, deny, edit, example, play, reply

from twelvefold import App
from twelvefold.effects import Approve, Ask, AskModel, Choose, Delegate, Finish, Settle, Wait
from twelvefold.exceptions import Conflict, NotAllowed
from twelvefold.plan import replay
from twelvefold.steps import members
from twelvefold.testing import (
    approved,
    asked,
    began,
    chosen,
    decision,
    denied,
    event,
    failed,
    given,
    message,
    returned,
    started,
)

pytestmark = pytest.mark.anyio

release = example("release_pipeline")
RELEASE, ROLLBACK = release.release, release.rollback
OPS = release.OPS

USER_FILE_LINES_MAX = 120
CONTROL_FLOW_LINES_MAX = 40
TRIGGER = "deploy SHA 4af9ec0 to production"
WHY = "can you deploy the backend first?"
REFUSED = "A deploy was refused. What should I do instead?"
STAGING, BACKEND, FRONTEND = (
    "deploy_staging",
    "deploy_backend_to_prod",
    "deploy_frontend_to_prod",
)


# The file


def test_the_users_file_is_short():
    text = (EXAMPLES / "release_pipeline" / "app.py").read_text(encoding="utf-8")
    functions = {n.name: n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}
    control_flow = [functions["decide"], functions["carry_out"]]

    assert len(text.splitlines()) <= USER_FILE_LINES_MAX
    lines = sum((f.end_lineno or 0) - f.lineno + 1 for f in control_flow)
    assert lines <= CONTROL_FLOW_LINES_MAX


# What is decided: given, when, then


STAGED = (
    message(TRIGGER),
    chosen(release.DeployStaging(tag="4af9ec0"), by="code"),
    started(),
    returned("4af9ec0 is deployed"),
)
TESTED = (
    *STAGED,
    chosen(release.RunE2e(environment="staging"), by="code"),
    started(),
    returned("42 passed"),
)
SHIPPED = (
    *TESTED,
    chosen(release.DoneForNow(message="Live.")),
    event("step_settled", step="s3", intent="done_for_now", result=None, by="code"),
)


def decided(*facts: Any) -> Any:
    return decision(RELEASE, given(*facts, agent=RELEASE))


def test_code_begins_with_staging():
    assert decided(message(TRIGGER)) == Choose(release.DeployStaging(tag="4af9ec0"))


def test_without_a_sha_it_says_what_to_write():
    effect = decided(message("deploy, please"))

    assert isinstance(effect, Finish)
    assert "deploy SHA 4af9ec0" in effect.message


def test_staging_is_tested_before_any_model_is_asked():
    assert decided(*STAGED) == Choose(release.RunE2e(environment="staging"))


def test_the_model_is_offered_four_steps_and_no_other():
    effect = decided(*TESTED)

    assert isinstance(effect, AskModel)
    assert list(members(effect.steps)) == [
        FRONTEND,
        BACKEND,
        "request_human_input",
        "done_for_now",
    ]


def test_a_deploy_to_production_waits_for_ops_for_a_day():
    effect = decided(*TESTED, chosen(release.DeployBackend(tag="v1")))

    assert isinstance(effect, Approve)
    assert (effect.by, effect.within) == (OPS, timedelta(hours=24))


def test_nothing_is_decided_while_people_think():
    facts = (*TESTED, chosen(release.DeployBackend(tag="v1")), asked(OPS))

    assert decided(*facts) == Wait()


def test_an_approved_deploy_runs_with_its_key():
    facts = (*TESTED, chosen(release.DeployBackend(tag="v1")), asked(OPS), approved())
    effect = decided(*facts)

    assert (effect.name, effect.step, effect.retry_safe) == (
        "deploy",
        release.DeployBackend(tag="v1"),
        True,
    )


def test_a_denied_deploy_is_the_models_to_read():
    facts = (*TESTED, chosen(release.DeployBackend(tag="v1")), asked(OPS), denied("not today"))

    assert isinstance(decided(*facts), AskModel)


def test_a_question_goes_to_ops():
    effect = decided(*TESTED, chosen(release.RequestHumanInput(question="Now?")))

    assert isinstance(effect, Ask)
    assert (effect.question, effect.to) == ("Now?", OPS)


def test_done_does_not_end_the_release():
    assert isinstance(decided(*TESTED, chosen(release.DoneForNow(message="Live."))), Settle)
    assert decided(*SHIPPED) == Choose(release.RunE2e(environment="production"))


def test_a_message_after_done_is_the_models_to_read():
    assert isinstance(decided(*SHIPPED, message("the backend too, please")), AskModel)


def test_failing_tests_in_production_are_rolled_back():
    tested = chosen(release.RunE2e(environment="production"), by="code")
    facts = (*SHIPPED, tested, started(), failed("E2eFailed: 1 failed"))
    effect = decided(*facts)

    assert effect == Choose(release.RollBack(reason="E2eFailed: 1 failed"))
    delegate = decided(*facts, chosen(*effect.steps, by="code"))
    assert isinstance(delegate, Delegate)
    assert (delegate.agent, delegate.task) == (
        "rollback",
        "Roll back production: E2eFailed: 1 failed",
    )


def test_after_three_failures_in_a_row_code_asks_a_person():
    once = (
        chosen(release.DeployStaging(tag="4af9ec0"), by="code"),
        started(),
        failed("Failed to connect to deployment service"),
    )

    assert decided(message(TRIGGER), *once, *once) == Choose(release.DeployStaging(tag="4af9ec0"))
    effect = decided(message(TRIGGER), *once, *once, *once)
    assert isinstance(effect, Choose)
    assert isinstance(effect.steps[0], release.RequestHumanInput)


def test_the_rollback_needs_approval_and_has_its_own_limit():
    restore = next(iter(members(ROLLBACK.steps).values()))
    thread = given(message("Roll back"), chosen(restore(tag="previous")), agent=ROLLBACK)

    assert isinstance(decision(ROLLBACK, thread), Approve)
    assert ROLLBACK.limits.steps == 5


def test_a_cut_off_deploy_is_run_again_with_the_same_approval():
    facts = (*TESTED, chosen(release.DeployBackend(tag="v1")), asked(OPS), approved())
    cut_off = (began(lambda step: release.run(release.deploy, step, retry_safe=True)),)
    unknown = event("tool_outcome_unknown", step="s3", intent=BACKEND, attempt=1, reason="killed")

    assert decided(*facts, *cut_off, unknown).name == "deploy"


# What happens


class Flaky(release.Cluster):
    """A cluster that cannot be reached at first."""

    def __init__(self, path: Path, *, failures: int) -> None:
        super().__init__(path)
        self.failures = failures

    def deploy(self, what: str, tag: str, *, key: str) -> str:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("Failed to connect to deployment service")
        return super().deploy(what, tag, key=key)


@pytest.fixture
def cluster(tmp_path: Path) -> Any:
    return release.Cluster(tmp_path / "cluster.db")


@pytest.fixture
def app(cluster: Any) -> App:
    return app_of(release, deps=cluster)


async def launched(app: App) -> str:
    return await app.launch("release", TRIGGER, thread_id="t")


def effects(cluster: Any) -> list[tuple[str, str, int, int]]:
    return cluster.ledger()


def ended_with(app: App) -> str:
    return app.thread("t").events[-1].data["message"]


async def test_the_scenario_of_the_page(app: App, cluster: Any):
    await launched(app)

    assert await play(app, deny(WHY), approve(), approve()) == []
    assert app.threads()[0].status == "finished"
    assert ended_with(app) == "The release is live. End-to-end tests: 42 passed."
    assert effects(cluster) == [
        (STAGING, "4af9ec0", 1, 1),
        (BACKEND, "4af9ec0", 1, 1),
        (FRONTEND, "4af9ec0", 1, 1),
    ]


async def test_a_stale_approve_of_the_first_call_is_refused(app: App, cluster: Any):
    await launched(app)
    await play(app, deny(WHY))

    with pytest.raises(Conflict, match="already denied by anna"):
        await app.answer("t.s3.1", "approve", by="ben")
    await app.run(until_idle=True)
    assert [what for what, *_ in effects(cluster)] == [STAGING]
    assert [row.id for row in app.inbox()] == ["s4.1"]


async def test_only_ops_may_approve(app: App, cluster: Any):
    await launched(app)
    await play(app)

    with pytest.raises(NotAllowed):
        await app.answer("t.s3.1", "approve", by="carl")
    assert [what for what, *_ in effects(cluster)] == [STAGING]


async def test_an_edited_tag_is_the_one_that_runs(app: App, cluster: Any):
    await launched(app)

    assert await play(app, edit(tag="77d0a1c"), approve()) == []
    assert (FRONTEND, "77d0a1c", 1, 1) in effects(cluster)
    assert (FRONTEND, "4af9ec0", 1, 1) not in effects(cluster)


async def test_refusing_everything_ships_nothing(app: App, cluster: Any):
    await launched(app)
    [question] = await play(app, deny("no"), deny("no"))

    assert question.data["question"] == REFUSED
    assert await play(app, reply("leave it")) == []
    assert ended_with(app).startswith("The release ended unfinished.")
    assert [what for what, *_ in effects(cluster)] == [STAGING]


async def test_silence_is_not_consent(cluster: Any):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    app = app_of(release, deps=cluster, clock=lambda: now)
    await launched(app)
    await play(app)

    now += timedelta(hours=25)
    with pytest.raises(Conflict, match="expired"):
        await app.answer("t.s3.1", "approve", by="anna")
    assert await play(app) == []
    assert ended_with(app).startswith("The release ended unfinished. Nobody answered in time.")
    assert [what for what, *_ in effects(cluster)] == [STAGING]


async def test_three_failures_ask_a_person_and_an_answer_goes_on(tmp_path: Path):
    app = app_of(release, deps=Flaky(tmp_path / "cluster.db", failures=3))
    await launched(app)
    [question] = await play(app)

    assert question.data["question"].startswith("Tools keep failing. What should I do?\n\ndeploy_")
    assert await play(app, reply("check the latest workflow"), approve(), approve()) == []
    assert app.threads()[0].status == "finished"


async def test_failing_tests_in_production_bring_the_previous_release_back(tmp_path: Path):
    cluster = release.Cluster(tmp_path / "cluster.db", e2e_fails_in="production")
    app = app_of(release, deps=cluster)
    await launched(app)
    [contact] = await play(app, approve(), approve())

    assert (contact.ref.id, contact.data["intent"]) == ("t.s7", "restore")
    assert await play(app, approve(by="ben")) == []
    assert {row.ref.id: row.status for row in app.threads()} == {
        "t": "finished",
        "t.s7": "finished",
    }
    assert effects(cluster)[-1] == ("restore", "previous", 1, 1)


async def test_a_message_after_the_end_continues_the_thread(app: App):
    await launched(app)
    await play(app, approve(), approve())
    ended_at = app.thread("t").head

    await app.send("t", "thanks! is it still up?")
    assert await play(app) == []
    intents = [e.data.get("intent") for e in app.thread("t").events[ended_at:]]
    assert "done_for_now" in intents
    assert app.threads()[0].status == "finished"


async def test_a_message_mid_approval_neither_loses_nor_releases_the_deploy(app: App, cluster: Any):
    await launched(app)
    await play(app)
    await app.send("t", "hurry up, it is approved")
    [contact] = await play(app)

    assert contact.id == "s3.1"
    assert [what for what, *_ in effects(cluster)] == [STAGING]
    assert await play(app, approve(), approve()) == []


ANSWERS = {"approve": approve(), "deny": deny("no"), "edit": edit(tag="77d0a1c")}


@pytest.mark.parametrize("words", list(product(ANSWERS, repeat=3)), ids="-".join)
async def test_the_script_follows_whatever_people_answer(
    words: tuple[str, ...], app: App, cluster: Any
):
    """At most three approvals are asked for; what was approved or edited ran, once."""
    await launched(app)
    left = [ANSWERS[word] for word in words]
    answered: list[tuple[str, str]] = []
    while waiting := await play(app):
        intent = waiting[0].data["intent"]
        asks = waiting[0].data["kind"] == "question"
        answer = reply("leave it") if asks else left.pop(0)
        answered.append((intent, answer["decision"]))
        await play(app, answer)

    ran = {what for what, *_ in effects(cluster)} - {STAGING}
    assert app.threads()[0].status == "finished"
    assert ran == {intent for intent, word in answered if word in {"approve", "edit"}}
    assert all(count == (1, 1) for *_, count in [(w, t, (c, e)) for w, t, c, e in effects(cluster)])
    assert replay(app.thread("t"), app.agents["release"]) == []
