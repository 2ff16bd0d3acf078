"""The triage: everything is there before a model is asked, and what is refused is corrected."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from loading import app_of, approve, deny, example, play, reply

from twelvefold import App
from twelvefold.context import parse, render
from twelvefold.testing import replays

pytestmark = pytest.mark.anyio

triage = example("linear_triage")
SOURCES = ["issues", "issueLabels", "projects"]


class MeetingTracker(triage.Tracker):
    """Answers no fetch before all three have been asked for."""

    def __init__(self, path: Path, **options: Any) -> None:
        super().__init__(path, **options)
        self.meeting = asyncio.Barrier(len(SOURCES))

    async def post(self, operation: str, variables: Mapping[str, Any]) -> Any:
        if operation in SOURCES:
            async with asyncio.timeout(60):
                await self.meeting.wait()
        return await super().post(operation, variables)


@pytest.fixture
def tracker(tmp_path: Path) -> Any:
    return MeetingTracker(tmp_path / "tracker.db")


@pytest.fixture
def app(tracker: Any) -> App:
    return app_of(triage, deps=tracker)


async def sorted_in(app: App, name: str, *answers: dict[str, Any]) -> list[Any]:
    await app.launch("triage", f"triage {name}", thread_id="t")
    return await play(app, *answers)


def log(app: App, type: str) -> list[Mapping[str, Any]]:
    return [event.data for event in app.thread("t").events if event.type == type]


def last_words(app: App) -> str:
    return app.thread("t").events[-1].data["message"]


def model_calls(app: App) -> int:
    return app.state(app.thread("t")).model_calls


# Fetched before


async def test_three_fetches_meet_before_the_model_is_asked(app: App):
    await sorted_in(app, "ENG-8")

    chosen = log(app, "next_step_chosen")
    assert [data["args"]["source"] for data in chosen[:3]] == SOURCES
    assert [data["by"] for data in chosen[:4]] == ["code", "code", "code", "model"]


async def test_one_that_fails_is_an_error_and_the_rest_go_on(tmp_path: Path):
    limited = MeetingTracker(tmp_path / "t.db", ratelimited=frozenset({"issueLabels"}))
    app = app_of(triage, deps=limited)

    [contact] = await sorted_in(app, "ENG-8")

    [failed] = log(app, "tool_failed")
    assert failed["error"].startswith("Refused: RATELIMITED: Rate limit exceeded.")
    assert len(log(app, "tool_returned")) == 2
    assert contact.data["question"].endswith("The labels could not be read.")
    assert await play(app, reply("lab_1")) == []
    assert limited.changes()[0][2] == {"labelIds": ["lab_1"], "priority": 2, "projectId": "pro_1"}


async def test_issues_that_cannot_be_read_do_not_end_it(tmp_path: Path):
    limited = MeetingTracker(tmp_path / "t.db", ratelimited=frozenset({"issues"}))
    app = app_of(triage, deps=limited)

    assert await sorted_in(app, "ENG-8") == []
    assert last_words(app) == "ENG-8 is sorted in."


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ENG-5", "ENG-5 needs no triage: completed."),
        ("ENG-99", "ENG-99 needs no triage: there is no such issue."),
        ("nothing", "Which issue? Say, for example: triage ENG-8"),
    ],
)
async def test_where_nothing_is_to_do_no_model_is_asked(name: str, why: str, app: App):
    assert await sorted_in(app, name) == []
    assert (last_words(app), model_calls(app)) == (why, 0)


# What the model reads


async def test_long_descriptions_are_cut_for_the_model_and_kept_in_the_log(app: App):
    await sorted_in(app, "ENG-8")

    thread = app.thread("t")
    shown = triage.context(thread)
    assert "more characters)" in shown
    assert len(shown) < len(render(thread)) / 3
    [issues] = [d["result"] for d in log(app, "tool_returned") if "ENG-3" in str(d["result"])]
    assert "export.ts:79" in issues[0]["description"]


async def test_a_refusal_is_one_short_line_that_is_corrected_and_then_hidden(app: App):
    await sorted_in(app, "ENG-8")

    [failed] = log(app, "tool_failed")
    assert failed["error"] == "Refused: INPUT_ERROR: Could not find referenced IssueLabel."
    tried = [
        d["args"]["label_ids"] for d in log(app, "next_step_chosen") if "label_ids" in d["args"]
    ]
    assert tried == [["bug"], ["lab_1"]]
    before = app.thread("t").upto(failed_at(app) + 1)
    assert ("error", {"intent": "update_issue", "error": failed["error"]}) in read(before)
    assert "error" not in dict(read(app.thread("t")))


def failed_at(app: App) -> int:
    return next(e.seq for e in app.thread("t").events if e.type == "tool_failed")


def read(thread: Any) -> list[Any]:
    return parse(triage.context(thread))


# What is done


async def test_an_issue_is_changed_once_and_explained_once(app: App, tracker: Any):
    assert await sorted_in(app, "ENG-8") == []

    assert [(what, issue) for what, issue, _ in tracker.changes()] == [
        ("update", "ENG-8"),
        ("comment", "ENG-8"),
    ]
    assert replays(app) == 1


async def test_a_duplicate_is_closed_by_a_person(app: App, tracker: Any):
    [contact] = await sorted_in(app, "ENG-7")
    assert contact.data["args"]["duplicate_of"] == "ENG-3"
    assert tracker.changes() == []

    assert await play(app, approve()) == []

    assert tracker.changes() == [
        ("update", "ENG-7", {"duplicateOf": "ENG-3", "state": "duplicate"})
    ]
    assert last_words(app) == "ENG-7 is closed as a duplicate of ENG-3."


async def test_a_denied_duplicate_is_sorted_in_instead(app: App, tracker: Any):
    assert await sorted_in(app, "ENG-7", deny("ENG-3 is about the preview")) == []

    assert tracker.changes()[0][2] == {
        "labelIds": ["lab_1"],
        "priority": 2,
        "projectId": "pro_2",
    }


async def test_a_tracker_that_refuses_everything_is_a_question_by_code(tmp_path: Path):
    limited = triage.Tracker(tmp_path / "t.db", ratelimited=frozenset(SOURCES))
    app = app_of(triage, deps=limited)

    [contact] = await sorted_in(app, "ENG-8")

    assert contact.data["question"].startswith("The tracker keeps refusing. What should I do?")
    assert "fetch: Refused: RATELIMITED" in contact.data["question"]
    assert model_calls(app) == 0


# The API, as its vendor describes it


async def asked(tracker: Any, operation: str, **variables: Any) -> tuple[int, Any]:
    status, body = await tracker.post(operation, variables)
    return status, body.get("errors", [{}])[0]


async def test_a_refusal_has_the_shape_of_the_vendors(tmp_path: Path):
    tracker = triage.Tracker(tmp_path / "t.db")

    assert await asked(tracker, "issueUpdate", id="ENG-99", input={}) == (
        400,
        {
            "message": "Entity not found: Issue",
            "path": ["issueUpdate"],
            "extensions": {
                "code": "INPUT_ERROR",
                "type": "invalid input",
                "statusCode": 400,
                "userError": True,
                "userPresentableMessage": "Could not find referenced Issue.",
            },
        },
    )


@pytest.mark.parametrize(
    ("operation", "variables", "code"),
    [
        ("issueUpdate", {"id": "ENG-8", "input": {"projectId": "x"}}, "INPUT_ERROR"),
        ("issueUpdate", {"id": "ENG-8", "input": {"duplicateOf": "x"}}, "INPUT_ERROR"),
        ("commentCreate", {"input": {"issueId": "x", "id": "1", "body": ""}}, "INPUT_ERROR"),
        ("comment", {"id": "x"}, "INPUT_ERROR"),
        ("nodes", {}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_what_is_not_there_is_refused(
    operation: str, variables: Any, code: str, tmp_path: Path
):
    tracker = triage.Tracker(tmp_path / "t.db")
    status, error = await asked(tracker, operation, **variables)

    assert (status, error["extensions"]["code"]) == (400, code)
    assert tracker.changes() == []


async def test_the_same_values_again_change_nothing_and_the_same_comment_is_refused(
    tmp_path: Path,
):
    tracker = triage.Tracker(tmp_path / "t.db")
    said = {"issueId": "ENG-8", "id": "1", "body": "so"}

    for _ in range(2):
        await asked(tracker, "issueUpdate", id="ENG-8", input={"priority": 2})
        await asked(tracker, "commentCreate", input=said)

    assert [what for what, *_ in tracker.changes()] == ["update", "comment"]
