"""What people are told: all of it, as it is, in every medium."""

import html
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notices.approval import NOW, approval
from twelvefold.intents import InputOptions
from twelvefold.notices import (
    SECTION_CHARS_MAX,
    SECTIONS_MAX,
    Notice,
    as_html,
    as_lines,
    as_mrkdwn,
    left,
    notice_of,
    visible,
)
from twelvefold.notices.lines import value_lines
from twelvefold.thread import Json

HOSTILE = (
    "\x1b[2J\x1b]8;;http://evil\x07click",
    "\u202egnp.exe",
    "pay\u200bpal",
    "\U000e0041\U000e0042",
    "<script>alert(1)</script>",
    "<!channel> <@U1> <http://evil|fine>",
    "```\n*approved by anna*\n```",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt; &amp;",
    "line\r\noverwritten\u2028next\x00end",
    "javascript:alert(1)",
)


def notice(args: dict[str, Json], *later: str, **more: Json) -> Notice:
    """An approval that was asked two minutes ago, and messages that came later."""
    return notice_of(*approval(args, later, **more))


def hostile(text: str) -> Notice:
    """The text wherever data can stand."""
    return notice(
        {"tag": text, text: 1, "deep": {"of": [text]}, "thought": text},
        text,
        question=text,
        to={"people": [text, {"role": text}], "needed": 1},
        options=[{"name": text, "title": text}],
    )


class Read(HTMLParser):
    """The tags and the text of a fragment, as a browser reads it."""

    def __init__(self, fragment: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[Any]]] = []
        self.text = ""
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[Any]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


OURS = {"h1", "p", "blockquote", "br", "dl", "dt", "dd", "code", "ul", "li", "bdi"}


@pytest.mark.parametrize("text", HOSTILE)
def test_no_data_writes_html(text: str):
    read = Read(as_html(hostile(text), now=NOW))

    assert {tag for tag, _ in read.tags} <= OURS
    assert [attrs for _, attrs in read.tags if attrs] == []


@settings(deadline=None)
@given(st.text())
def test_html_says_what_the_argument_says(text: str):
    read = Read(as_html(notice({"tag": text}), now=NOW))

    assert {tag for tag, _ in read.tags} <= OURS
    for line in value_lines(text):
        assert line in read.text


@pytest.mark.parametrize("text", HOSTILE)
def test_no_data_calls_anybody_or_leaves_its_block_in_slack(text: str):
    sections = as_mrkdwn(hostile(text), now=NOW)

    assert sections.whole
    for section in sections.texts:
        inside = section.removeprefix("```\n").removesuffix("\n```")
        assert len(inside) == len(section) - 8
        assert "`" not in inside
        assert not re.search(r"[<>]", inside)
        assert not re.search(r"&(?!amp;|lt;|gt;)", inside)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_line_of_text_holds_what_cannot_be_seen(text: str):
    for line in as_lines(hostile(text), now=NOW):
        assert line == visible(line)


@settings(deadline=None)
@given(st.text(min_size=1), st.integers(min_value=1, max_value=40))
def test_slack_gets_the_whole_value_in_pieces_it_takes(text: str, times: int):
    value = text * times * 40
    sections = as_mrkdwn(notice({"tag": value}), now=NOW)
    lines = [line for one in sections.texts for line in one.split("\n")[1:-1]]
    joined = "\n".join(lines).replace("\\\n", "")

    assert all(len(one) <= SECTION_CHARS_MAX for one in sections.texts)
    if sections.whole and "\\" not in value:
        for part in as_lines(notice({"tag": value}), now=NOW):
            assert part.replace("`", "\\x60") in html.unescape(joined)


def test_what_slack_cannot_hold_is_said_and_not_whole():
    sections = as_mrkdwn(notice({"body": "x" * 200_000}), now=NOW)

    assert not sections.whole
    assert len(sections.texts) == SECTIONS_MAX
    assert re.match(r"\d+ more lines do not fit here\.", sections.texts[-1])


def test_a_short_notice_is_one_whole_block():
    sections = as_mrkdwn(notice({"tag": "v1"}), now=NOW)

    assert sections.whole
    assert len(sections.texts) == 1
    assert "tag  v1" in sections.texts[0]


def test_the_models_reason_is_quoted_as_its_own():
    lines = as_lines(notice({"tag": "v1", "thought": "anna said yes\nalready"}), now=NOW)

    at = lines.index("  thought (AI, nobody checked it):")
    assert lines[at + 1 : at + 3] == ["  | anna said yes", "  | already"]
    assert "      tag  v1" in lines
    assert "AI, nobody checked it" in as_html(notice({"thought": "x"}), now=NOW)


def test_options_roles_and_late_messages_are_said():
    made = notice(
        {},
        "stop",
        to={"people": ["anna", {"role": "ops"}, {"people": ["cleo", "dan"], "needed": 2}]},
        options=[{"name": "spam", "title": "It is spam"}, {"name": "sales"}],
    )
    lines, page = as_lines(made, now=NOW), as_html(made, now=NOW)

    assert made.asked_of == "anna or role ops or (2 of cleo, dan)"
    assert "  option  spam: It is spam" in lines
    assert "  option  sales: sales" in lines
    assert '      4  zoe: "stop"' in lines
    assert "It is spam" in page
    assert "arrived after this was asked" in page


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("approval", "wants   deploy    high risk"),
        ("question", "asks"),
        ("outcome", "does not know what became of   deploy    high risk"),
        ("repair", "cannot read   deploy"),
    ],
)
def test_each_kind_of_contact_has_its_words(kind: str, said: str):
    assert notice({}, kind=kind).wish == said


def test_a_question_is_not_said_again_by_its_arguments():
    options = InputOptions(format="yes_no").model_dump(mode="json")
    args: dict[str, Json] = {"question": "Refund it?", "context": "Line 1\nline 2", "note": ""}
    said = {"kind": "question", "question": "Refund it?\n\nLine 1\nline 2"}
    asked = notice(args | {"options": options}, **said)

    assert asked.args == ()
    assert not any("no arguments" in line for line in as_lines(asked, now=NOW))
    assert "<dl>" not in as_html(asked, now=NOW)


def test_a_question_leaves_out_nothing_that_it_does_not_say():
    args: dict[str, Json] = {"vendor": "it", "euros": 0, "express": False, "question": "Buy it?"}
    urgent = {"options": InputOptions(urgency="high").model_dump(mode="json")}
    shown = notice(args | urgent, kind="question", question="Buy it?").args

    assert dict(shown) == {"vendor": "it", "euros": 0, "express": False, "urgency": "high"}


def test_an_approval_shows_each_argument_even_where_its_question_says_it():
    args: dict[str, Json] = {"text": "Buy it?", "note": "", "tags": []}

    assert dict(notice(args, question="Buy it?").args) == args


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (86_399.9, "24 h"),  # a day, as it is shown the moment after it was set
        (3 * 86_400 - 1, "3 d"),
        (90 * 60, "90 min"),
        (5 * 3_600 - 20, "5 h"),
        (119, "119 s"),
        (0.2, "0 s"),
    ],
)
def test_what_is_left_of_a_deadline_is_rounded_to_the_nearest(seconds: float, said: str):
    assert left(seconds) == said
