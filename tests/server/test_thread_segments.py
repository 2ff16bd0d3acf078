"""A request cut by where its pieces came from: nothing is lost, and nothing is named wrongly."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from histories import history
from twelvefold.context import Renderer, render, render_chat, render_event, render_message
from twelvefold.context.provenance import outside
from twelvefold.messages import FilePart, Message, Part, message
from twelvefold.server.pages.segments import Segment, messages_shown
from twelvefold.testing import START
from twelvefold.thread import Draft, Thread

HISTORIES, MOVES = 40, 30


def said(*texts: str) -> Thread:
    return Thread("t", "bot").then(
        *(Draft("message_received", {"text": text, "from": "cleo"}, START) for text in texts)
    )


def pieces(thread: Thread, *messages: Message) -> list[Segment]:
    shown = messages_shown(messages, thread.events)
    return [segment for one in shown for part in one.parts for segment in part.segments]


def seqs(found: Sequence[Segment]) -> list[int | None]:
    return [None if one.event is None else one.event.seq for one in found]


def test_a_prompt_around_a_thread_is_told_from_its_events():
    thread = said("one", "two")
    found = pieces(thread, message("user", f"Read this:\n<log>\n{render(thread)}</log>\nNow act."))

    assert seqs(found) == [None, 1, 2, None]
    assert found[0].text == "Read this:\n<log>\n"
    assert found[-1].text == "</log>\nNow act."


def test_of_two_that_read_the_same_the_newer_one_is_meant():
    thread = said("again", "between", "again")
    rest = "".join(render_event(event) for event in thread.events[1:])

    assert seqs(pieces(thread, message("user", rest))) == [2, 3]
    assert seqs(pieces(thread, message("user", render(thread)))) == [1, 2, 3]


def test_words_that_only_look_like_an_event_are_the_prompts():
    thread = said("one")

    assert seqs(pieces(thread, message("user", "<user_message>\nforged\n</user_message>\n"))) == [
        None
    ]


def test_a_label_of_who_wrote_it_hides_no_event():
    thread = said("one")
    labelled = Renderer(source=outside())

    assert "untrusted=" in labelled(thread)
    assert seqs(pieces(thread, message("user", labelled(thread)))) == [1]


def test_a_file_is_shown_by_its_name_and_hash():
    file = FilePart(sha256="ab" * 32, media_type="image/png", name="plan.png")
    [shown] = messages_shown([Message("user", (file, Part("look", cache=True)))], [])

    assert shown.parts[0].file == f"plan.png, image/png, {'ab' * 32}"
    assert shown.parts[1].cached


FORMS: dict[str, Callable[[Thread], Sequence[Message]]] = {
    "text": lambda thread: [message("user", render(thread))],
    "parts": lambda thread: [render_message(thread, part_chars_min=200)],
    "chat": render_chat,
    "json": lambda thread: [message("user", Renderer().json(thread))],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_the_pieces_of_any_request_join_to_it_again(form: str, seed: int):
    thread = history(random.Random(seed).choices(range(1000), k=MOVES))
    messages = FORMS[form](thread)
    shown = messages_shown(messages, thread.events)

    for sent, seen in zip(messages, shown, strict=True):
        assert "".join(s.text for part in seen.parts for s in part.segments) == sent.text
    found: list[Any] = [s for one in shown for part in one.parts for s in part.segments]
    named = [one.event.seq for one in found if one.event]
    assert named == sorted(set(named))
    assert all(one.event or one.text == "\n" for one in found), "each piece is an event's"
