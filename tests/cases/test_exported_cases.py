"""Any recorded thread, at any event, is a case that passes at once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from worlds import BOT, Add, Deploy

from twelvefold import Agent, App, Wait
from twelvefold.cases import case_text, cases_in
from twelvefold.evals import check
from twelvefold.exceptions import Conflict
from twelvefold.forks import fork
from twelvefold.plan import is_reply
from twelvefold.testing import (
    asked,
    chosen,
    denied,
    event,
    failed,
    given,
    message,
    returned,
    started,
)
from twelvefold.thread import Thread

TESTS = Path(__file__).parents[1]
SCENARIOS = ["pipeline", "rollback", "calculator", "first_agent", "outer_loop"]


@pytest.fixture(scope="module", params=SCENARIOS)
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[App]:
    """An example whose threads have ended, as the crash matrix plays it."""
    with pytest.MonkeyPatch.context() as patch:
        for folder in (TESTS / "proof", TESTS / "examples"):
            patch.syspath_prepend(folder)
        import scenarios

        from twelvefold.testing.child import work

        folder = tmp_path_factory.mktemp(request.param)
        scenario = getattr(scenarios, request.param)(folder, lambda _: None)
        asyncio.run(work(scenario, lambda _: None))
        yield scenario.app
        scenario.app.close()


def test_every_reply_of_every_example_is_a_case_that_passes(played: App):
    replies = 0
    for thread in threads(played):
        for at in [e.seq for e in thread.events if is_reply(e)]:
            text = case_text(thread, played.agent(thread.agent), at=at)
            [case] = cases_in(text, file="x.cases.yaml", folder=Path())
            checked = asyncio.run(check(case, played.agents, {}))
            assert checked.verdict.complaints == (), text
            assert (checked.source, case.prompt is not None) == ("case", True)
            assert case.expect.intent == thread.events[at - 1].data["intent"]
            replies += 1
    assert replies >= 2


def test_every_event_of_every_example_is_a_case_that_passes(played: App):
    for thread in threads(played):
        text = "".join(
            case_text(thread, played.agent(thread.agent), at=at) for at in range(1, thread.head + 1)
        )
        cases = cases_in(text, file="x.cases.yaml", folder=Path())
        assert len(cases) == thread.head
        for case in cases:
            verdict = asyncio.run(check(case, played.agents, {})).verdict
            assert verdict.complaints == (), case.name


def threads(app: App) -> list[Thread]:
    return [app.thread(row.ref.id) for row in app.threads(limit=100)]


# What a log may hold


def passes(thread: Thread, at: int) -> None:
    [case] = cases_in(case_text(thread, BOT, at=at), file="x", folder=Path())
    assert asyncio.run(check(case, {"bot": BOT}, {})).verdict.complaints == ()


@pytest.mark.parametrize(
    "text",
    ["two\nlines", "# - {a: b}", "\u2028\x85\x00\ud800", "😀 'quoted' \"twice\"", "no", "  x "],
)
def test_no_text_of_an_event_is_lost_on_the_way(text: str):
    thread = given(message(text), chosen(Deploy(tag=text)), agent=BOT)
    [case] = cases_in(case_text(thread, BOT, at=2, name=text), file="x", folder=Path())

    assert case.log is not None
    assert case.log.events[0].data == {"text": text}
    assert case.expect.args == {"tag": text, "regions": []}
    assert case.name == text
    passes(thread, 2)


def test_a_refused_reply_is_a_case_about_a_refusal():
    raw = '{"intent": "rm", "path": "/"}'
    thread = given(message("go"), agent=BOT)
    data = {"error": "no", "reason": "unknown_intent", "raw": raw}
    thread = given(event("model_failed", **data), onto=thread, agent=BOT)
    [case] = cases_in(case_text(thread, BOT, at=2), file="x", folder=Path())

    assert case.expect.refused == "unknown_intent"
    assert case.reply == raw
    passes(thread, 2)


@pytest.mark.parametrize("reason", ["call_failed", "truncated"])
def test_a_call_that_brought_nothing_to_read_is_refused_with_what_to_do(reason: str):
    raw = {"raw": "{"} if reason == "truncated" else {}
    thread = given(message("go"), agent=BOT)
    thread = given(
        event("model_failed", error="no network", reason=reason, **raw), onto=thread, agent=BOT
    )

    with pytest.raises(Conflict, match=r"event 2 of t1 .*--at 1"):
        case_text(thread, BOT, at=2)
    passes(thread, 1)


def test_between_decisions_code_decides():
    facts = (message("go"), chosen(Add(a=1, b=2)), started(), returned(3))
    asking = (chosen(Deploy(tag="v1")), asked("anna"), denied("no"), message("again"))
    thread = given(*facts, *asking, agent=BOT)
    for at in range(1, thread.head + 1):
        passes(thread, at)


def test_a_failure_is_the_models_to_read():
    facts = (message("go"), chosen(Add(a=1, b=2)), started(), failed("no"))
    passes(given(*facts, agent=BOT), 4)


def test_an_event_that_is_not_there_is_refused():
    with pytest.raises(Conflict, match="t1 has events 1 to 1, not 7"):
        case_text(given(message("go"), agent=BOT), BOT, at=7)


def test_other_bytes_than_the_recorded_ones_are_said_and_not_expected():
    thread = given(message("go"), chosen(Add(a=1, b=2), prompt="0" * 64), agent=BOT)
    text = case_text(thread, BOT, at=2)

    assert "# The reply answered other bytes than today's prompt makes." in text
    assert "prompt:" not in text
    passes(thread, 2)


def test_a_reply_that_todays_code_asks_no_model_for_is_refused():
    silent = Agent("bot", lambda thread, state: Wait(), Add, owner="anna")
    thread = given(message("go"), chosen(Add(a=1, b=2)), agent=BOT)

    with pytest.raises(Conflict, match="event 2 of t1 is a reply, but today's code asks no model"):
        case_text(thread, silent, at=2)


def test_a_fork_is_a_case_too():
    thread = given(message("go"), chosen(Deploy(tag="v1")), asked("anna"), agent=BOT)
    new, drafts = fork(thread, 1, new_id="t2", now=thread.events[-1].at)
    copy = given(chosen(Add(a=1, b=2)), onto=new.then(*drafts), agent=BOT)
    for at in range(1, copy.head + 1):
        passes(copy, at)


def test_a_thread_that_is_paused_waits():
    thread = given(message("go"), event("paused", by="anna"), agent=BOT)

    assert "waits: true" in case_text(thread, BOT)
    passes(thread, 2)
