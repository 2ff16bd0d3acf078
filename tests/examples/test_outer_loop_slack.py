"""The outer loop in Slack: nobody has written to it, and at nine two people are asked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from loading import app_of, example

from channels.slack_api import (
    SECRET,
    TOKEN,
    Workspace,
    buttons,
    press,
    slack_api,
    submit,
    words,
)
from twelvefold import App
from twelvefold.channels.slack import Slack
from twelvefold.inbound import Inbound
from twelvefold.testing import Clock, replays

pytestmark = pytest.mark.anyio

outer = example("outer_loop")
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # nine in Berlin
HOUR = timedelta(hours=1)
ANNA, BEN = "U0ANNA", "U0BEN"


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with slack_api() as workspace:
        yield workspace


@pytest.fixture
def clock() -> Clock:
    return Clock(MONDAY - HOUR)


@pytest.fixture
def forge(tmp_path: Path) -> Any:
    return outer.Forge(tmp_path / "deployed.txt")


@pytest.fixture
def app(workspace: Workspace, forge: Any, clock: Clock) -> App:
    slack = Slack(token=TOKEN, signing_secret=SECRET, api=workspace.url)
    return app_of(outer, deps=forge, clock=clock, channels=[slack])


async def at_nine(app: App, clock: Clock) -> None:
    await app.run(until_idle=True)
    assert app.threads() == []
    clock.now = MONDAY
    await app.run(until_idle=True)


async def came(app: App, clock: Clock, inbound: Inbound) -> str:
    receipt, _ = await app.receive("slack", inbound)
    await app.run(until_idle=True)
    return receipt.outcome


def asked_of(workspace: Workspace, user: str) -> dict[str, Any]:
    return next(message for message in workspace.posted if message["channel"] == user)


async def test_at_nine_both_are_asked_and_nobody_has_written_before(
    app: App, workspace: Workspace, clock: Clock
):
    await at_nine(app, clock)

    assert [message["channel"] for message in workspace.posted] == [ANNA, BEN]
    assert "9c01d2e" in words(asked_of(workspace, ANNA))
    assert list(buttons(asked_of(workspace, BEN))) == ["Approve", "Deny"]


async def test_the_first_press_deploys_and_the_other_message_says_who(
    app: App, workspace: Workspace, forge: Any, clock: Clock
):
    await at_nine(app, clock)
    pressed: list[str] = []
    for user in (BEN, ANNA):
        button = buttons(asked_of(workspace, user))["Approve"]
        pressed.append(await came(app, clock, press(button, user=user, at=MONDAY)))

    assert pressed == ["answered", "refused"]
    assert forge.undeployed() == []
    changed = {update["channel"]: words(update) for update in workspace.of("chat.update")}
    assert set(changed) == {ANNA, BEN}
    assert all("approved by ben (slack)" in text for text in changed.values())
    told = [m["channel"] for m in workspace.posted if m["text"] == "The newest commit is live."]
    assert told == [ANNA, BEN]
    assert replays(app) == 1


async def test_a_no_with_a_reason_leaves_it_as_it_is(
    app: App, workspace: Workspace, forge: Any, clock: Clock
):
    await at_nine(app, clock)
    await came(app, clock, press(buttons(asked_of(workspace, ANNA))["Deny"], user=ANNA, at=MONDAY))
    view = workspace.of("views.open")[0]["view"]

    assert await came(app, clock, submit(view, "not today", user=ANNA, at=MONDAY)) == "answered"

    assert len(forge.undeployed()) == 2
    assert workspace.posted[-1]["text"] == "It stays as it is."


async def test_whoever_is_late_sees_that_it_is_over(
    app: App, workspace: Workspace, forge: Any, clock: Clock
):
    await at_nine(app, clock)
    clock.forward(9 * HOUR)

    late = press(buttons(asked_of(workspace, BEN))["Approve"], user=BEN, at=clock.now)
    assert await came(app, clock, late) == "refused"

    assert "expired" in words(workspace.of("chat.update")[0])
    assert len(forge.undeployed()) == 2


async def test_with_nothing_to_deploy_nobody_gets_a_message(
    workspace: Workspace, clock: Clock, tmp_path: Path
):
    slack = Slack(token=TOKEN, signing_secret=SECRET, api=workspace.url)
    quiet = outer.Forge(tmp_path / "deployed.txt", commits=())
    app = app_of(outer, deps=quiet, clock=clock, channels=[slack])

    await at_nine(app, clock)

    assert workspace.calls == []
    assert [row.status for row in app.threads()] == ["finished"]


async def test_slack_that_is_down_at_nine_asks_each_once_when_it_is_back(
    app: App, workspace: Workspace, clock: Clock
):
    workspace.down = True
    await at_nine(app, clock)
    for _ in range(12):
        clock.forward(HOUR / 12)
        await app.run(until_idle=True)
    assert workspace.posted == []

    workspace.down = False
    for _ in range(2):
        clock.forward(2 * HOUR)
        await app.run(until_idle=True)

    assert [message["channel"] for message in workspace.posted] == [ANNA, BEN]
