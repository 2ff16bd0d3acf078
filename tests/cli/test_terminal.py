"""The terminal channel: a person sees all of a contact, and nothing that is not there."""

import unicodedata
from datetime import timedelta

import pytest

from notices.approval import NOW, approval
from twelvefold.channels.terminal import Terminal, ask_key, ask_text, contact_lines
from twelvefold.notices import argument_lines, visible
from twelvefold.thread import Json, to_iso


def asked(args: dict[str, Json], *later: str, **more: Json) -> list[str]:
    """The lines of a contact that was asked two minutes ago, and messages that came later."""
    return contact_lines(*approval(args, later, **more), now=NOW)


def test_a_contact_says_what_how_risky_and_until_when():
    lines = asked({"tag": "v1", "n": 3})

    assert lines[0] == "bot wants   deploy    high risk    asked 2 min ago, expires in 5 h"
    assert lines[1:3] == ["      tag  v1", "      n    3"]
    assert lines[3] == "  asked of anna, chosen by the model"


def test_a_contact_without_time_left_or_deadline_says_so():
    assert "expired" in asked({}, deadline=to_iso(NOW - timedelta(seconds=1)))[0]
    assert "no deadline" in asked({}, deadline=None)[0]


def test_nothing_of_an_argument_is_cut():
    text = "x" * 100_000

    assert any(text in line for line in asked({"body": text}))


def test_what_arrived_since_is_shown():
    lines = asked({"tag": "v1"}, "stop, wrong tag", "really\nstop")

    assert lines[-3:] == [
        "  ! arrived after this was asked:",
        '      4  zoe: "stop, wrong tag"',
        '      5  zoe: "really\\nstop"',
    ]


def test_a_quorum_and_a_question_are_said():
    lines = asked(
        {}, kind="question", question="Which\none?", to={"people": ["anna", "ben"], "needed": 2}
    )

    assert lines[0].startswith("bot asks")
    assert lines[1:3] == ["  | Which", "  | one?"]
    assert "2 of anna, ben" in lines[-1]


def test_a_line_of_a_text_cannot_pass_for_an_argument():
    lines = argument_lines({"note": "fine\n      tag  v2", "tag": "v1"})

    assert lines == ["      note  | fine", "            |       tag  v2", "      tag   v1"]


@pytest.mark.parametrize("value", ["", " v1", "v1 ", "7", "null", "true", '"v1"', "[1]", "| x"])
def test_a_text_that_could_be_misread_is_quoted(value: str):
    (line,) = argument_lines({"tag": value})

    assert line.strip().startswith('tag  "')


def test_every_unseen_character_is_made_visible():
    for code in range(0x110000):
        char = chr(code)
        category = unicodedata.category(char)
        if category in {"Cc", "Cf", "Cs", "Zl", "Zp"} or (category == "Zs" and char != " "):
            shown = visible(f"a{char}b")
            assert char not in shown
            assert shown.startswith("a\\")


def test_what_can_be_seen_stays_as_it_is():
    for text in ("v1.2.3", "caf\u00e9", "\u65e5\u672c", "\U0001f600", "a b", "\\u202e"):
        assert visible(text) == text


@pytest.mark.parametrize("char", ["\u034f", "\u115f", "\u2800", "\u3164", "\ufe0f", "\U000e0101"])
def test_fillers_and_selectors_are_made_visible(char: str):
    assert visible(char) == (f"\\u{ord(char):04x}" if ord(char) < 65536 else f"\\U{ord(char):08x}")


def typing(*lines: str) -> tuple[Terminal, list[str]]:
    """A terminal at which these lines are typed, and what it said."""
    todo, said = list(lines), []

    def read(_: str) -> str:
        if not todo:
            raise EOFError
        return todo.pop(0)

    return Terminal(read, said.append), said


def test_a_key_its_word_or_the_end_of_the_input_decide():
    assert ask_key(typing("a")[0]) == "approve"
    assert ask_key(typing("DENY\n")[0]) == "deny"
    assert ask_key(typing()[0]) == "quit"


def test_an_unknown_key_is_never_a_yes():
    terminal, said = typing("", "y", "yes\x1b[2J", "q")

    assert ask_key(terminal) == "quit"
    assert len(said) == 3
    assert "\x1b" not in "".join(said)


def test_an_empty_text_is_asked_again():
    terminal, said = typing(" ", "because")

    assert ask_text(terminal, "Why") == "because"
    assert said == ["  This cannot be empty."]
    assert ask_text(typing()[0], "Why") is None
