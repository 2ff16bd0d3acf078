"""The triage of mails: a person's pick is carried out by code, and asks no model."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from loading import app_of, approve, deny, edit, example, play, reply

from twelvefold import App
from twelvefold.exceptions import InvalidAnswer
from twelvefold.testing import Clock, replays

pytestmark = pytest.mark.anyio

support = example("support_triage")
CRASH, UNCLEAR = "It crashes when I save", "The invoice page crashes"
LABELS = ["billing", "bug", "feature", "spam"]


@pytest.fixture
def postbox(tmp_path: Path) -> Any:
    return support.Postbox(tmp_path / "postbox.db")


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 20, 9, tzinfo=UTC))


@pytest.fixture
def app(postbox: Any, clock: Clock) -> App:
    return app_of(support, deps=postbox, clock=clock)


def pick(name: str, **more: Any) -> dict[str, Any]:
    return {"decision": "choose", "value": name, **more}


async def mailed(app: App, text: str, *answers: dict[str, Any]) -> list[Any]:
    await app.launch("support", text, thread_id="m1", sender="zoe@example.com")
    return await play(app, *answers)


def last_words(app: App) -> str:
    return app.thread("m1").events[-1].data["message"]


def model_calls(app: App) -> int:
    return app.state(app.thread("m1")).model_calls


def by_whom(app: App) -> list[str]:
    return [e.data["by"] for e in app.thread("m1").events if e.type == "next_step_chosen"]


async def test_the_other_labels_are_offered_by_name(app: App, postbox: Any):
    [contact] = await mailed(app, CRASH)

    offered = [option["name"] for option in contact.data["options"]]
    assert (contact.data["args"]["label"], offered) == (
        "bug",
        ["billing", "feature", "spam", "unsorted"],
    )
    assert postbox.labels() == []


async def test_a_label_that_is_taken_is_filed(app: App, postbox: Any):
    assert await mailed(app, CRASH, approve()) == []

    assert postbox.labels() == [("m1", "bug")]
    assert last_words(app) == "It is filed as bug."


@pytest.mark.parametrize("label", ["billing", "feature", "spam"])
async def test_a_label_that_is_picked_is_filed_without_another_call_of_the_model(
    label: str, app: App, postbox: Any
):
    assert await mailed(app, CRASH, pick(label)) == []

    assert postbox.labels() == [("m1", label)]
    assert (by_whom(app), model_calls(app)) == (["model", "code"], 1)
    assert replays(app) == 1


async def test_an_option_that_is_not_offered_files_nothing(app: App, postbox: Any):
    await mailed(app, CRASH)

    for name in ("bug", "Billing", "everything"):
        with pytest.raises(InvalidAnswer, match="must be one of"):
            await play(app, pick(name))
    assert postbox.labels() == []
    assert len(app.inbox()) == 1


async def test_leaving_it_in_the_inbox_files_nothing(app: App, postbox: Any):
    assert await mailed(app, CRASH, pick("unsorted")) == []

    assert (postbox.labels(), last_words(app)) == ([], "It stays in the inbox.")


@pytest.mark.parametrize("text", [CRASH, UNCLEAR])
async def test_silence_files_nothing(text: str, app: App, postbox: Any, clock: Clock):
    await mailed(app, text)
    clock.forward(timedelta(hours=5))

    assert await play(app) == []
    assert (postbox.labels(), last_words(app)) == ([], "It stays in the inbox.")
    assert model_calls(app) == 1


async def test_an_answer_by_choice_is_filed_without_another_call_of_the_model(
    app: App, postbox: Any
):
    [contact] = await mailed(app, UNCLEAR)
    assert contact.data["form"]["choices"] == ["billing", "bug"]

    assert await play(app, reply("billing")) == []

    assert postbox.labels() == [("m1", "billing")]
    assert model_calls(app) == 1


async def test_a_denial_is_read_by_the_model(app: App, postbox: Any):
    [contact] = await mailed(app, CRASH, deny("they want autosave, nothing is broken"))

    assert contact.data["args"]["label"] == "feature"
    assert (postbox.labels(), model_calls(app)) == ([], 2)


async def test_an_edited_label_is_filed(app: App, postbox: Any):
    assert await mailed(app, CRASH, edit(label="spam")) == []

    assert postbox.labels() == [("m1", "spam")]


async def test_another_mail_in_the_thread_is_read_by_the_model(app: App, postbox: Any):
    await mailed(app, CRASH, pick("feature"))
    await app.send("m1", "And I won the lottery", sender="zoe@example.com")

    assert len(await play(app)) == 1
    assert model_calls(app) == 2


def test_a_label_that_is_not_there_is_refused_as_the_vendor_does(postbox: Any):
    assert postbox.modify("m1", add="urgent") == (
        400,
        {
            "error": {
                "code": 400,
                "message": "Invalid label: urgent",
                "status": "INVALID_ARGUMENT",
                "errors": [
                    {
                        "domain": "global",
                        "reason": "invalidArgument",
                        "message": "Invalid label: urgent",
                    }
                ],
            }
        },
    )


def test_a_label_is_there_once(postbox: Any):
    for _ in range(2):
        postbox.modify("m1", add="bug")

    assert postbox.labels() == [("m1", "bug")]


def test_the_postbox_knows_every_label_that_a_model_may_choose():
    assert sorted(support.LABELS) == LABELS
