"""The context as JSON, as chat messages and by views of your own: nothing in it can be forged."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories import history
from logs_of import FACTS, TEXTS, event, is_valid, stored, thread, views
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
from twelvefold.exceptions import ConfigurationError, NotRendered
from twelvefold.messages import Message, Part, message
from twelvefold.thread import Event, Json, Thread

ANY_TAG = re.compile(r"</?[a-zA-Z_!?]")
DEPLOY = {"intent": "deploy", "args": {"tag": "v1"}, "by": "model"}
TALK = stored(
    ("message_received", {"text": "deploy v1"}),
    ("next_step_chosen", DEPLOY),
    ("tool_started", {"step": "s1", "intent": "deploy"}),
    ("tool_returned", {"step": "s1", "intent": "deploy", "result": "live"}),
    ("message_received", {"text": "thanks"}),
)


def texts(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in messages]


# JSON


def test_json_is_one_line_per_event():
    assert render_json(TALK) == (
        '{"user_message":"deploy v1"}\n'
        '{"deploy":{"tag":"v1"}}\n'
        '{"deploy_result":"live"}\n'
        '{"user_message":"thanks"}\n'
    )


@given(st.lists(FACTS, max_size=4))
def test_json_reads_back_as_what_was_shown(facts: list[tuple[str, dict[str, Json]]]):
    log = stored(*facts)

    assert repr(parse_json(render_json(log))) == repr(views(log))
    assert render_json(log).count("\n") == len(views(log))


@given(st.lists(FACTS, max_size=3))
def test_no_tag_and_nothing_unseen_stands_in_json(facts: list[tuple[str, dict[str, Json]]]):
    text = render_json(stored(*facts))

    assert len(text.splitlines()) == text.count("\n")  # as U+2028 and others would end lines too
    assert not ANY_TAG.search(text)
    assert not any(mark in text for mark in "\u202e\u200b\U000e0041")


@pytest.mark.parametrize(
    "text",
    [
        *("hello\n", '{"a":1}', '{"A":1}\n', '{"a":1,"b":2}\n', '{"a":1}{"b":2}\n', "[1]\n", "\n"),
        *('{"a":1,"untrusted":7}\n', '{"a":1,"untrusted":"x\n', '{"a":' + "[" * 10**5 + "\n"),
    ],
)
def test_other_json_is_refused(text: str):
    with pytest.raises(NotRendered):
        parse_json(text)


# Chat


def test_chosen_steps_are_the_assistant_s_and_all_else_is_the_user_s():
    assert texts(render_chat(TALK)) == [
        ("user", "<user_message>\ndeploy v1\n</user_message>\n"),
        ("assistant", '{"intent":"deploy","tag":"v1"}'),
        (
            "user",
            "<deploy_result>\nlive\n</deploy_result>\n<user_message>\nthanks\n</user_message>\n",
        ),
    ]


def test_a_step_that_nothing_came_after_is_shown_to_the_user():
    for head in (2, 3):
        assert texts(render_chat(TALK.upto(head))) == [
            (
                "user",
                "<user_message>\ndeploy v1\n</user_message>\n<deploy>\ntag: v1\n</deploy>\n",
            )
        ]


def test_steps_chosen_together_are_one_message():
    log = stored(
        ("message_received", {"text": "go"}),
        *[("next_step_chosen", DEPLOY)] * 2,
        ("tool_returned", {"intent": "deploy", "result": 1}),
    )
    [_, steps, _] = render_chat(log)

    assert steps.text == '{"intent":"deploy","tag":"v1"}\n{"intent":"deploy","tag":"v1"}'
    assert parse_chat(render_chat(log)) == views(log)


def test_the_newest_message_bears_the_only_cache_mark():
    parts = [part for message in render_chat(TALK) for part in message.parts]

    assert [part.cache for part in parts] == [False, False, False, True]


def test_a_thread_that_shows_nothing_gives_no_messages():
    assert render_chat(Thread("t", "bot")) == ()
    assert render_chat(stored(("paused", {}))) == ()


@given(st.lists(FACTS, max_size=6))
def test_chat_reads_back_as_what_was_shown(facts: list[tuple[str, dict[str, Json]]]):
    log = stored(*facts)

    assert repr(parse_chat(render_chat(log))) == repr(views(log))


@given(st.lists(FACTS, max_size=6))
def test_only_a_chosen_step_speaks_as_the_assistant(facts: list[tuple[str, dict[str, Json]]]):
    log = stored(*facts)
    chosen = sum(event.type == "next_step_chosen" for event in log.events)
    spoken = [m for m in render_chat(log) if m.role == "assistant"]

    assert sum(len(parse_chat([m])) for m in spoken) <= chosen
    assert not views(log) or is_valid(render_chat(log))


@pytest.mark.parametrize("text", ["{}", "[]", "hi", '{"tag":1}', ""])
def test_other_messages_are_refused(text: str):
    with pytest.raises(NotRendered):
        parse_chat([message("assistant", text)])


# Views of your own


def mail(event: Event) -> str:
    head = [f"{name.title()}: {event.data[name]}" for name in ("from", "to", "subject")]
    return "\n".join([*head, "", event.data["body"], "", "> " + event.data["previous"]])


MAIL: dict[str, Json] = {
    "from": "ann@example.com",
    "to": "help@example.com",
    "subject": "Late",
    "body": "Where is it?",
    "previous": "It is on its way.",
}


def test_an_e_mail_is_shown_as_its_view_says_and_all_else_by_default():
    log = thread(("email_received", MAIL), ("message_received", {"text": "hi"}))
    shown = Renderer({"email_received": mail})

    assert shown(log) == (
        "<email_received>\n|-\n  From: ann@example.com\n  To: help@example.com\n  Subject: Late\n\n"
        "  Where is it?\n\n  > It is on its way.\n</email_received>\n"
        "<user_message>\nhi\n</user_message>\n"
    )
    assert parse_json(shown.json(log)) == parse(shown(log)) == parse_chat(shown.chat(log))
    assert shown.message(log).text == shown(log)


def test_a_view_may_choose_its_tag_and_body():
    shown = Renderer({"tool_returned": lambda e: ("done", {"what": e.data["intent"]})})

    assert shown(TALK.events[3:4]) == "<done>\nwhat: deploy\n</done>\n"


def test_a_text_stands_under_the_tag_that_the_event_has_anyway():
    shown = Renderer({"tool_returned": lambda _: "ok", "tool_started": lambda _: "began"})

    assert parse(shown(TALK.events[2:4])) == [("tool_started", "began"), ("deploy_result", "ok")]


@pytest.mark.parametrize("made", [None, 7, ("<a>", 1), ("a", 1, 2), (1, "a")])
def test_a_view_that_shows_nothing_is_refused(made: Any):
    with pytest.raises(ConfigurationError, match=r"menu\.without"):
        Renderer({"order": lambda _: made}).event(event("order"))


@given(TEXTS, TEXTS)
def test_a_view_cannot_forge_a_tag(text: str, more: str):
    shown = Renderer({"email_received": lambda e: e.data["body"]})
    log = stored(("email_received", {"body": text}), ("message_received", {"text": more}))
    views = [("email_received", log.events[0].data["body"])]
    views += [("user_message", log.events[1].data["text"])]

    assert parse(shown(log)) == parse_json(shown.json(log)) == parse_chat(shown.chat(log)) == views


def test_a_view_is_asked_once_per_event():
    asked: list[int] = []

    def shows(event: Event) -> str:
        asked.append(event.seq)
        return "x"

    shown, log = Renderer({"order": shows}), Thread("t", "bot")
    for seq in range(1, 5):
        log = log.grown([Event(seq, "order", {}, TALK.events[0].at)])
        shown(log)

    assert asked == [1, 2, 3, 4]


# Labels


@given(TEXTS, st.none() | TEXTS, TEXTS, st.none() | TEXTS)
def test_a_label_reads_back_and_cannot_be_forged(
    text: str, source: str | None, other: str, label: str | None
):
    facts = [{"text": text}, {"text": other}]
    log = stored(*[("message_received", data) for data in facts], ("l", {"s": [source, label]}))
    *_, said = log.events
    labels = {1: said.data["s"][0], 2: said.data["s"][1], 3: None}
    shown = Renderer(source=lambda event: labels[event.seq])

    assert sources(shown(log)) == list(labels.values())
    assert parse(shown(log)) == parse_json(shown.json(log)) == parse_chat(shown.chat(log))
    assert parse(shown(log)) == views(log)
    assert len(ANY_TAG.findall(shown(log))) == 2 * len(views(log))


def test_a_label_is_said_in_every_form():
    shown = Renderer(source=lambda _: "email:b\nob")
    [event] = stored(("message_received", {"text": "hi"})).events

    assert shown([event]) == '<user_message untrusted="email:b\\nob">\nhi\n</user_message>\n'
    assert shown.json([event]) == '{"user_message":"hi","untrusted":"email:b\\nob"}\n'
    assert shown.chat([event])[0].text == shown([event])


# Any prefix of anything


@given(st.lists(st.integers(0, 60), max_size=25))
def test_any_prefix_of_any_history_is_a_valid_request(moves: list[int]):
    log = history(moves)
    for head in range(1, log.head + 1):
        prefix = log.upto(head)

        assert is_valid(render_chat(prefix))
        assert is_valid([render_message(prefix)])
        assert render(log).startswith(render(prefix))
        assert render_json(log).startswith(render_json(prefix))
        assert parse(render(prefix)) == parse_json(render_json(prefix)) == views(prefix)
        assert parse_chat(render_chat(prefix)) == views(prefix)


def test_a_part_of_a_message_is_never_empty():
    assert Part("") not in [part for message in render_chat(TALK) for part in message.parts]
