"""A context that fits its tokens and says what it left out; estimates made true by usage."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from benchmarks.calibrating import foretold
from benchmarks.texts import texts
from hypothesis import given
from hypothesis import strategies as st

from crew import app_of, settle
from histories import history
from logs_of import NOON, is_valid, stored
from small import Done
from twelvefold.agent import Agent
from twelvefold.context import Renderer, parse, render, render_chat, sources
from twelvefold.context.budget import RESERVE, within
from twelvefold.context.calibration import FACTOR_MAX, REPLIES_MAX, Calibration, calibrate
from twelvefold.context.menu import squash_results
from twelvefold.context.provenance import outside
from twelvefold.context.tokens import estimate
from twelvefold.effects import AskModel
from twelvefold.exceptions import BudgetTooSmall
from twelvefold.testing import MemoryStore
from twelvefold.thread import Draft, Event, Json, Thread


def words(text: str) -> int:
    return len(text.split())


def told(count: int, *, size: int = 7) -> Thread:
    """So many messages, each of `size` words with its tags."""
    text = " ".join(["w"] * (size - 2))
    return stored(*[("message_received", {"text": text}) for _ in range(count)])


def fit(thread: Thread, tokens_max: int, **options: Any) -> list[Event]:
    return within(thread, tokens_max, count=words, reserve=0, **options)


def seqs(events: Sequence[Event]) -> list[int]:
    return [event.seq for event in events if event.type != "left_out"]


def test_what_fits_stays_as_it_is():
    assert fit(told(4), 28) == told(4).events


def test_what_does_not_fit_is_left_out_from_the_front_and_is_said():
    shown = fit(told(100), 100)

    assert words(render(shown)) <= 100
    assert seqs(shown)[0] == 1
    assert seqs(shown)[-1] == 100
    assert parse(render(shown))[1] == (
        "left_out",
        {"events": 100 - len(seqs(shown)), "from": 2, "to": 101 - len(seqs(shown))},
    )


def test_a_tenth_is_left_free_for_what_an_estimate_misses():
    assert len(within(told(10), 70, count=words)) < 10
    assert len(within(told(10), 78, count=words)) == 10
    assert RESERVE == 0.1


def test_the_beginning_stays_the_same_while_the_log_grows():
    renderings = [render(fit(told(n), 1000)) for n in range(140, 400)]
    moves = sum(not later.startswith(earlier) for earlier, later in pairwise(renderings))

    assert moves <= 260 * 7 / 128 + 1  # the mark moves by 128 tokens, a turn brings 7


def test_a_slightly_other_budget_gives_the_same_beginning():
    marks = {seqs(fit(told(400), tokens))[1] for tokens in range(1000, 1010)}

    assert len(marks) <= 2


ASKED: dict[str, Json] = {"step": "s1", "contact": "s1.1", "intent": "deploy"}
OPEN = stored(
    ("message_received", {"text": "deploy"}),
    *[("message_received", {"text": "a b c d e"})] * 20,
    ("next_step_chosen", {"intent": "deploy", "args": {"tag": "v1"}, "by": "model"}),
    ("contact_requested", ASKED),
    *[("message_received", {"text": "f g h i j"})] * 60,
)


def test_what_a_person_is_asked_about_stays_until_it_is_closed():
    closed = OPEN.then(
        Draft("contact_closed", ASKED | {"outcome": "approved"}, NOON),
        Draft("message_received", {"text": "go"}, NOON),
    )

    assert ("deploy", {"tag": "v1"}) in parse(render(fit(OPEN, 100)))
    assert ("deploy", {"tag": "v1"}) not in parse(render(fit(closed, 100)))


def test_a_contact_whose_choice_is_gone_keeps_nothing_more():
    events = [e for e in OPEN.events if e.type != "next_step_chosen"]

    assert "deploy" not in [tag for tag, _ in parse(render(within(events, 100, count=words)))]


def test_the_summary_and_the_newest_event_stay():
    log = stored(
        ("message_received", {"text": "deploy"}),
        ("context_compacted", {"upto": 1, "summary": "so far"}),
        *[("message_received", {"text": "a b c d e"})] * 40,
        ("tool_returned", {"intent": "look", "result": "r " * 50}),
        ("tool_started", {"intent": "look"}),
    )
    shown = parse(render(fit(log, 90)))

    assert shown[0] == ("summary", "so far")
    assert shown[-1][0] == "look_result"


def test_hidden_events_are_not_counted_as_left_out():
    log = stored(
        ("message_received", {"text": "deploy"}),
        *[("tool_started", {"intent": "look"}), ("message_received", {"text": "a b c d e"})] * 40,
    )
    shown = parse(render(fit(log, 100)))

    assert shown[1][1]["events"] == 41 - len(shown) + 1


def test_when_not_even_the_least_fits_it_says_what_to_do():
    log = stored(("message_received", {"text": "go"}), ("noted", {"text": "w " * 500}))

    with pytest.raises(BudgetTooSmall, match="Raise tokens_max, or shorten them first"):
        fit(log, 100)
    with pytest.raises(BudgetTooSmall):
        fit(log, -1)


def test_events_that_were_picked_are_fitted_too():
    picked = squash_results(told(100).events, chars_max=100)

    assert within(picked, 100, count=words, reserve=0) == fit(told(100), 100)


def test_what_is_left_out_is_no_word_from_outside():
    shown = Renderer(source=outside())

    text = shown(fit(told(100), 200, show=shown.event))

    assert sources(text)[:2] == ["user:", None]


def test_each_event_is_counted_once_while_the_log_grows():
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return 1

    log = Thread("t", "bot")
    for seq in range(1, 6):
        log = log.grown([Event(seq, "order", {"n": seq}, NOON)])
        within(log, 100, count=count)

    assert len(counted) == 5


@given(st.lists(st.integers(0, 60), max_size=25), st.integers(60, 300))
def test_a_fitted_context_fits_and_accounts_for_every_event(moves: list[int], tokens: int):
    log = history(moves)
    try:
        shown = within(log, tokens)
    except BudgetTooSmall:
        return
    gone = sum(event.data["events"] for event in shown if event.type == "left_out")
    all_shown = [e for e in log.events if render([e])]

    assert estimate(render(shown)) <= tokens
    assert is_valid(render_chat(shown))
    assert gone + sum(1 for e in shown if e.type != "left_out" and render([e])) == len(all_shown)
    assert len(parse(render(shown))) >= 1


@pytest.mark.anyio
async def test_a_budget_that_is_too_small_parks_the_thread_and_says_why():
    def decide(thread: Thread, state: Any) -> Any:
        return AskModel(lambda: render(within(thread, 3)), Done)

    app = app_of(Agent("bot", decide, Done, owner="olga"), MemoryStore(), Done(message="ok"))
    await app.launch("bot", "do what I say", thread_id="t")
    await settle(app)

    assert app.thread("t").events[-1].type == "advance_failed"
    assert "Raise tokens_max" in app.thread("t").events[-1].data["error"]


# Calibration


def asked(sizes: Sequence[int], *, factor: float, fixed: int = 100, model: str = "m") -> Thread:
    """A thread whose replies report `fixed` tokens and `factor` for each word of the context."""
    thread = Thread("t", "bot")
    for size in sizes:
        thread = thread.then(Draft("message_received", {"text": "w " * size}, NOON))
        usage = {"input": fixed + round(factor * words(render(thread)))}
        data = {"intent": "look", "args": {}, "usage": usage, "model": model}
        thread = thread.then(Draft("next_step_chosen", data, NOON, after=thread.head))
    return thread


def test_without_a_reply_nothing_changes():
    assert calibrate(told(3)) == Calibration()
    assert Calibration().room(1000) == Calibration().tokens(1000) == 1000


def test_one_reply_tells_what_is_sent_besides_the_context():
    found = calibrate(asked([1000], factor=1), count=words)

    assert (found.factor, found.fixed, found.replies) == (1.0, 100, 1)


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.3])
def test_several_replies_tell_what_an_estimate_is_worth(factor: float):
    thread = asked([1000] * 6, factor=factor)
    found = calibrate(thread, count=words)
    read = words(render(thread))

    assert found.tokens(read) == pytest.approx(100 + factor * read, rel=0.01)
    assert found.room(found.tokens(read)) == pytest.approx(read, rel=0.01)


def test_what_is_fixed_is_never_less_than_nothing():
    found = calibrate(asked([1000] * 4, factor=1.2, fixed=-300), count=words)

    assert found.fixed == 0
    assert found.tokens(4000) == pytest.approx(4000 * 1.2 - 300, rel=0.05)


def test_only_the_model_that_answered_last_counts():
    other = asked([500] * 4, factor=1.9, model="other")
    thread = other.grown(())
    for event in asked([1000] * 4, factor=1.0).events:
        draft = Draft(event.type, event.data, NOON, after=event.after and thread.head)
        if event.type == "next_step_chosen":
            draft.data["usage"] = {"input": 100 + words(render(thread))}
        thread = thread.then(draft)

    assert calibrate(thread, count=words).replies == 4


def test_many_replies_cost_a_few_renderings():
    rendered: list[int] = []

    def context(thread: Thread) -> str:
        rendered.append(thread.head)
        return render(thread)

    calibrate(asked([10] * 50, factor=1.0), context, count=words)

    assert len(rendered) == REPLIES_MAX
    assert rendered[-1] == 99


def test_a_factor_out_of_reason_is_not_believed():
    assert calibrate(asked([1000] * 4, factor=9.0), count=words).factor == FACTOR_MAX


@pytest.mark.parametrize("name", texts())
def test_a_calibrated_estimate_is_at_most_5_percent_off(name: str):
    assert abs(foretold(texts()[name]).off_calibrated) <= 0.05
