"""The contexts of real threads: what they cost, and that each prefix is a valid request."""

import sys
from pathlib import Path

import pytest
from benchmarks.as_provider import messages
from benchmarks.contexts import changed_bytes, tokens_of_default, tokens_of_provider_chat
from benchmarks.examples import threads

sys.path.insert(0, str(Path(__file__).parent / "examples"))

from golden.cases import GOLDEN, golden
from logs_of import NOON, is_valid, views
from twelvefold.context import (
    Renderer,
    parse,
    parse_chat,
    parse_json,
    render,
    render_chat,
    render_json,
    render_message,
    sources,
)
from twelvefold.context.budget import within
from twelvefold.context.menu import hide_resolved_errors, redacted, squash_results
from twelvefold.context.provenance import outside, taint
from twelvefold.thread import Draft, Thread

SHARE_MAX = 0.75
LOGS = sorted(GOLDEN.glob("*/*.jsonl"))
LABELLED = Renderer(source=outside())


def assert_every_prefix_is_a_valid_request(thread: Thread) -> None:
    for head in range(1, thread.head + 1):
        prefix = thread.upto(head)
        shown = views(prefix)

        assert parse(render(prefix)) == parse_json(render_json(prefix)) == shown
        assert parse_chat(render_chat(prefix)) == parse(LABELLED(prefix)) == shown
        assert set(sources(LABELLED(prefix))) - {None} == set(taint(prefix, outside()))
        assert is_valid(render_chat(prefix))
        assert is_valid(LABELLED.chat(prefix))
        assert is_valid([render_message(prefix)])
        short = squash_results(hide_resolved_errors(prefix.events), chars_max=9)
        assert is_valid(render_chat(redacted(within(short, 10_000))))


@pytest.mark.parametrize("name", threads())
def test_every_prefix_of_an_example_is_a_valid_request(name: str):
    assert_every_prefix_is_a_valid_request(threads()[name])


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_every_prefix_of_a_golden_log_is_a_valid_request(path: Path):
    for thread in golden(path):
        assert_every_prefix_is_a_valid_request(thread)


def test_nothing_before_a_cache_mark_changes_from_turn_to_turn():
    assert changed_bytes(list(threads().values())) == 0


def test_a_compaction_changes_what_was_sent():
    summed_up = [
        thread.then(Draft("context_compacted", {"upto": 3, "summary": "so far"}, NOON))
        for thread in threads().values()
    ]

    assert changed_bytes(summed_up) > 0


def test_the_examples_take_less_than_the_messages_of_a_provider():
    assert tokens_of_default()["json"] <= SHARE_MAX * tokens_of_provider_chat()["json"]


@pytest.mark.parametrize("name", threads())
def test_what_we_compare_with_is_a_conversation_that_a_provider_takes(name: str):
    asked: list[str] = []
    answered: list[str] = []
    for one in messages(threads()[name]):
        asked += [call["id"] for call in one.get("tool_calls", ())]
        answered += [one["tool_call_id"]] if one["role"] == "tool" else []

    assert sorted(asked) == sorted(answered)
