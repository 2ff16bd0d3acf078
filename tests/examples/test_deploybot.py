"""The deploybot in Slack, over a local Slack API: what is dispatched is what was approved."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from loading import app_of, approve, deny, edit, example, play

from channels.slack_api import (
    SECRET,
    TOKEN,
    Workspace,
    buttons,
    event,
    press,
    slack_api,
    submit,
    words,
)
from twelvefold import App
from twelvefold.channels.slack import Slack
from twelvefold.inbound import Inbound, thread_of
from twelvefold.testing import replays

pytestmark = pytest.mark.anyio

bot, world = example("deploybot"), example("deploybot", "actions")
T = thread_of("slack", "C1:1.0")
ANNA, BEN, MIA = "U0ANNA", "U0BEN", "U0MIA"
MAIN, OTHER = world.COMMITS
PLEASE = "<@UBOT> deploy web to production"


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with slack_api() as workspace:
        yield workspace


@pytest.fixture
def actions(tmp_path: Path) -> Any:
    return bot.Actions(tmp_path / "actions.db")


@pytest.fixture
def app(workspace: Workspace, actions: Any) -> App:
    slack = Slack(token=TOKEN, signing_secret=SECRET, agent="deploybot", api=workspace.url)
    return app_of(bot, deps=actions, channels=[slack])


async def came(app: App, inbound: Inbound) -> str:
    receipt, answer = await app.receive("slack", inbound)
    assert answer.status == 200
    await app.run(until_idle=True)
    return receipt.outcome


async def asked(app: App, text: str = PLEASE) -> str:
    return await came(app, event(text=text, user=MIA))


def log(app: App, type: str) -> list[Mapping[str, Any]]:
    return [event.data for event in app.thread(T).events if event.type == type]


def in_conversation(workspace: Workspace) -> list[dict[str, Any]]:
    return [message for message in workspace.posted if message["channel"] == "C1"]


def newest_buttons(workspace: Workspace) -> dict[str, Any]:
    return buttons(in_conversation(workspace)[-1])


async def test_two_deliveries_of_one_event_make_one_thread(app: App, workspace: Workspace):
    assert [await asked(app) for _ in range(2)] == ["begun", "ignored"]

    assert len(app.threads()) == 1
    assert len(log(app, "message_received")) == len(log(app, "contact_requested")) == 1
    assert sorted(message["channel"] for message in workspace.posted) == ["C1", ANNA, BEN]


async def test_the_sha_that_is_dispatched_is_the_one_that_was_approved(
    app: App, workspace: Workspace, actions: Any
):
    await asked(app)
    assert MAIN in words(in_conversation(workspace)[-1])
    actions.branches["main"] = OTHER  # somebody pushes while people think

    assert await came(app, press(newest_buttons(workspace)["Approve"], user=ANNA)) == "answered"

    assert actions.dispatched() == [("deploy-web.yml", "production", MAIN)]
    assert replays(app) == 1


async def test_somebody_who_is_not_on_the_list_is_told_no_and_it_is_recorded(
    app: App, workspace: Workspace, actions: Any
):
    await asked(app)

    assert await came(app, press(newest_buttons(workspace)["Approve"], user=MIA)) == "refused"

    [told] = workspace.of("chat.postEphemeral")
    assert (told["user"], told["channel"]) == (MIA, "C1")
    assert "mia may not answer" in told["text"]
    assert [data["by"] for data in log(app, "answer_refused")] == ["mia"]
    assert actions.dispatched() == []
    assert len(app.inbox()) == 1


async def test_replies_stay_in_the_conversation(app: App, workspace: Workspace):
    await asked(app)
    await came(app, press(newest_buttons(workspace)["Approve"], user=ANNA))

    said = in_conversation(workspace)
    assert {message.get("thread_ts") for message in said} == {"1.0"}
    assert f"deploy-web.yml runs for {MAIN} in production." in said[-1]["text"]
    thanks = event("message", ts="2.0", thread_ts="1.0", user=MIA, text="and deploy api to staging")
    assert await came(app, thanks) == "continued"
    assert {message.get("thread_ts") for message in in_conversation(workspace)} == {"1.0"}
    assert "deploy-api.yml" in words(in_conversation(workspace)[-1])
    assert len(app.threads()) == 1


async def test_a_workflow_that_is_not_on_the_list_is_refused_before_anybody_is_asked(
    app: App, workspace: Workspace, actions: Any
):
    await asked(app, "<@UBOT> deploy drop-database.yml to production")

    assert log(app, "contact_requested") == []
    [told] = workspace.posted
    assert "refused: drop-database.yml is none of deploy-api.yml, deploy-web.yml" in told["text"]
    assert actions.dispatched() == []


async def test_what_a_person_edits_is_judged_by_the_same_rules(app: App, actions: Any):
    await asked(app)

    assert await play(app, edit(workflow="drop-database.yml")) == []

    settled = [data["result"] for data in log(app, "step_settled")]
    assert settled[0].startswith("refused: drop-database.yml")
    assert actions.dispatched() == []


async def test_a_sha_that_nobody_looked_up_is_refused(app: App, actions: Any):
    await asked(app)

    await play(app, edit(sha="f" * 40))

    assert actions.dispatched() == []


async def test_a_no_with_another_commit_is_read_and_that_one_is_asked_for(
    app: App, workspace: Workspace, actions: Any
):
    await asked(app)
    await came(app, press(newest_buttons(workspace)["Deny"], user=BEN))
    view = workspace.of("views.open")[0]["view"]

    assert await came(app, submit(view, "take 77d0a1c instead", user=BEN)) == "answered"

    assert OTHER in words(in_conversation(workspace)[-1])
    assert await came(app, press(newest_buttons(workspace)["Approve"], user=BEN)) == "answered"
    assert actions.dispatched() == [("deploy-web.yml", "production", OTHER)]


async def test_a_button_of_what_was_denied_approves_nothing_later(
    app: App, workspace: Workspace, actions: Any
):
    await asked(app)
    stale = newest_buttons(workspace)["Approve"]
    await play(app, deny("take 77d0a1c instead"))

    assert await came(app, press(stale, user=ANNA)) == "refused"

    assert actions.dispatched() == []
    assert [row.data["args"]["sha"] for row in app.inbox()] == [OTHER]


async def test_a_question_is_answered_in_the_conversation(app: App, actions: Any):
    await asked(app, "<@UBOT> please deploy")
    [contact] = app.inbox()
    assert contact.data["question"] == "Which one: web or api?"

    answer = event("message", ts="2.0", thread_ts="1.0", user=ANNA, text="the api")
    assert await came(app, answer) == "answered"

    assert [row.data["args"]["workflow"] for row in app.inbox()] == ["deploy-api.yml"]


async def test_what_ops_do_not_want_stays_as_it_is(app: App, workspace: Workspace, actions: Any):
    await asked(app)

    assert await play(app, deny("not on a Friday")) == []

    assert in_conversation(workspace)[-1]["text"] == "It stays as it is."
    assert actions.dispatched() == []


async def test_a_commit_that_is_not_there_asks_nobody(app: App, workspace: Workspace):
    await asked(app, "<@UBOT> deploy web to production at 1234567")

    [told] = workspace.posted
    assert "No commit found for SHA: 1234567" in told["text"]


async def test_an_answer_that_comes_as_an_error_of_github_is_short(actions: Any, tmp_path: Path):
    class Busy(bot.Actions):
        def request(self, method: str, path: str, body: Any = None) -> Any:
            return (503, {}) if method == "POST" else super().request(method, path, body)

    app = app_of(bot, deps=Busy(tmp_path / "busy.db"))
    await app.launch("deploybot", "deploy web to production", thread_id=T)
    await play(app, approve())

    assert not any("Traceback" in str(event.data) for event in app.thread(T).events)
    assert actions.dispatched() == []


def test_slack_is_there_where_the_environment_has_its_secrets(monkeypatch: pytest.MonkeyPatch):
    channel = example("deploybot", "slack_channel")
    assert channel.channels() == []

    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    [slack] = channel.channels()
    assert (slack.name, slack.agent) == ("slack", "deploybot")
