"""Each item of the menu is a pure function from events to events; what it leaves out is said."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from twelvefold.context import menu, parse, render, render_json
from twelvefold.thread import Event, Json, Thread

START = datetime(2026, 11, 20, tzinfo=UTC)


def _event(seq: int, type: str, **data: Json) -> Event:
    return Event(seq, type, data, START + timedelta(minutes=seq))


def _log(*facts: tuple[str, dict[str, Json]]) -> list[Event]:
    return [_event(seq, type, **data) for seq, (type, data) in enumerate(facts, start=1)]


WORK = _log(
    ("message_received", {"text": "deploy"}),
    ("next_step_chosen", {"intent": "deploy", "args": {}, "by": "model"}),
    ("tool_failed", {"step": "s1", "intent": "deploy", "error": "no route"}),
    ("model_failed", {"error": "not JSON"}),
    ("next_step_chosen", {"intent": "deploy", "args": {}, "by": "model"}),
    ("tool_returned", {"step": "s2", "intent": "deploy", "result": {"log": "x" * 50, "ok": True}}),
)


def test_an_error_is_hidden_once_its_intent_returned() -> None:
    shown = menu.hide_resolved_errors(WORK)

    assert [event.seq for event in shown] == [1, 2, 5, 6]


def test_an_error_that_is_not_resolved_stays() -> None:
    assert menu.hide_resolved_errors(WORK[:4]) == WORK[:4]


def test_a_squashed_result_says_how_much_is_missing_and_the_log_keeps_it() -> None:
    [result] = menu.squash_results(WORK[5:], chars_max=10, keep_last=0)

    assert result.data["result"] == {"log": "x" * 10 + " ... (40 more characters)", "ok": True}
    assert WORK[5].data["result"]["log"] == "x" * 50


def test_the_newest_results_stay_whole() -> None:
    assert menu.squash_results(WORK, chars_max=1, keep_last=1) == WORK


def test_lists_are_squashed_item_by_item() -> None:
    log = _log(("tool_returned", {"intent": "tags", "result": ["abcdef", 7]}))

    [result] = menu.squash_results(log, chars_max=3, keep_last=0)

    assert result.data["result"] == ["abc ... (3 more characters)", 7]


def test_what_is_dropped_by_count_is_said() -> None:
    shown = menu.keep_newest(WORK, count=2)

    assert [event.type for event in shown] == [
        "message_received",
        "left_out",
        "next_step_chosen",
        "tool_returned",
    ]
    assert parse(render(shown))[1] == ("left_out", {"events": 3, "from": 2, "to": 4})
    assert menu.keep_newest(WORK, count=5) == WORK


def test_what_is_dropped_by_age_is_said() -> None:
    shown = menu.drop_older_than(WORK, age=timedelta(minutes=1))

    assert [(event.type, event.seq) for event in shown] == [
        ("left_out", 4),
        ("next_step_chosen", 5),
        ("tool_returned", 6),
    ]
    assert menu.drop_older_than([], age=timedelta(0)) == []


def test_named_types_go_without_a_trace() -> None:
    assert menu.without(WORK, "model_failed", "tool_failed") == [WORK[0], WORK[1], *WORK[4:]]


def test_a_compaction_stands_for_what_it_sums_up() -> None:
    log = [
        *WORK,
        _event(7, "context_compacted", upto=4, summary="tried once"),
        _event(8, "message_received", text="and now?"),
    ]
    thread = Thread("t", "bot", log)

    assert [event.seq for event in menu.compacted(log)] == [7, 5, 6, 8]
    assert menu.compacted(WORK) == WORK
    assert parse(render(thread))[0] == ("summary", "tried once")
    assert render(thread) == render(menu.compacted(log))


def test_a_later_compaction_replaces_an_earlier_one() -> None:
    log = [
        *WORK[:2],
        _event(3, "context_compacted", upto=1, summary="one"),
        _event(4, "context_compacted", upto=3, summary="two"),
        _event(5, "message_received", text="go"),
    ]

    assert parse(render(Thread("t", "bot", log))) == [("summary", "two"), ("user_message", "go")]
    assert render(Thread("t", "bot", log)) == render(menu.compacted(log))


@given(st.lists(st.tuples(st.integers(-2, 12), st.integers(0, 12)), min_size=1, max_size=10))
def test_a_context_that_grows_reads_as_one_that_is_rendered_whole(
    grows: list[tuple[int, int]],
) -> None:
    growing, log = Thread("t", "bot"), list[Event]()
    for seq, (upto, seen) in enumerate(grows, start=1):
        said = _event(seq, "message_received", text=f"{seq} \u20ac")
        summary = _event(seq, "context_compacted", upto=upto, summary=f"up to {upto}")
        log.append(said if upto % 3 else summary)
        growing = growing.grown(log[-1:])

        for snapshot in (growing, growing.upto(seen), growing):
            alone = Thread("t", "bot", log[: snapshot.head])
            assert render(snapshot) == render(alone) == render(menu.compacted(log[: snapshot.head]))
            assert render_json(snapshot) == render_json(alone)


@given(st.integers(0, 8), st.integers(0, 4))
def test_nothing_vanishes_unsaid_by_count(count: int, first: int) -> None:
    shown = menu.keep_newest(WORK, count=count, first=first)
    said = sum(event.data["events"] for event in shown if event.type == "left_out")

    assert said + sum(event.type != "left_out" for event in shown) == len(WORK)
