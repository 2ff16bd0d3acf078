"""What was sent stays the same in later turns, so a provider's prompt cache keeps it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from twelvefold.context import render, render_message
from twelvefold.thread import Event, Thread

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def _thread(texts: list[str]) -> Thread:
    facts = enumerate(texts, start=1)
    events = [Event(seq, "message_received", {"text": text}, NOW) for seq, text in facts]
    return Thread("t", "bot", events)


@given(st.lists(st.text(max_size=30), max_size=12), st.integers(1, 120))
def test_full_parts_never_change_and_all_parts_are_the_context(texts: list[str], size: int) -> None:
    thread = _thread(texts)
    before: list[str] = []
    for head in range(thread.head + 1):
        shown = thread.upto(head)
        message = render_message(shown, part_chars_min=size)
        full = [part.text for part in message.parts if len(part.text) >= size]

        assert message.text == render(shown)
        assert full[: len(before)] == before
        before = full


def test_the_newest_full_part_bears_the_only_cache_mark() -> None:
    message = render_message(_thread(["a" * 50, "b" * 50, "c"]), part_chars_min=60)

    assert [part.cache for part in message.parts] == [False, True, False]
    assert [part.cache for part in render_message(_thread([])).parts] == [False]
