"""A file of cases: what it may say, and what is said of it where it is wrong."""

from pathlib import Path

import pytest
from worlds import BOT, one

from twelvefold.cases import cases_in, read_cases, stand
from twelvefold.exceptions import InvalidCase
from twelvefold.testing import given, message

HEAD = "- name: adds\n  agent: bot\n  thread: [message: hi]\n"


def complaint(text: str, *, folder: Path = Path()) -> str:
    with pytest.raises(InvalidCase) as raised:
        cases_in(text, file="x.cases.yaml", folder=folder)
    return str(raised.value)


def test_a_case_holds_what_the_file_says():
    case = one(HEAD + "  reply: {intent: add, a: 6}\n  expect: {intent: add, assert: a == 6}\n")

    assert (case.name, case.agent, case.line) == ("adds", "bot", 1)
    assert case.reply == '{"intent":"add","a":6}'
    assert (case.expect.intent, case.expect.asserts) == ("add", ("a == 6",))
    assert [(fact.name, fact.says, fact.line) for fact in case.facts] == [("message", "hi", 3)]


def test_a_reply_in_quotes_is_kept_to_the_byte():
    case = one(HEAD + "  reply: '  {\"intent\": '\n  expect: {refused: not_json}\n")

    assert case.reply == '  {"intent": '


def test_a_thread_is_facts_lines_of_json_or_a_file_of_them(tmp_path: Path):
    log = given(message("hi"), message("ho"), agent=BOT).to_jsonl()
    (tmp_path / "t1.jsonl").write_text(log)
    rest = "  expect: {waits: false}\n"
    inline = "".join(f"    {line}\n" for line in log.splitlines())

    named = one(f"- name: a\n  thread: t1.jsonl\n  at: 1\n{rest}", folder=tmp_path)
    pasted = one(f"- name: a\n  thread: |\n{inline}{rest}")
    assert named.log is not None
    assert pasted.log is not None
    assert named.log.head == 1
    assert pasted.log.to_jsonl() == log


def test_what_looks_like_a_date_stays_a_text():
    case = one(HEAD + "  expect: {has: {day: 2026-11-20}}\n")

    assert case.expect.has == {"day": "2026-11-20"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: [", 1, "this is not YAML"),
        ("name: adds\n", 1, "A file of cases is a list, not a map"),
        ("", 1, "A file of cases is a list, not nothing"),
        ("[]\n", None, "there is no case in it"),
        ("- adds\n", 1, "A case is a map, not a text"),
        ("- agent: bot\n", 1, "a case needs 'name'"),
        ("- name: 7\n", 1, "name is a text, not the number 7"),
        ("- name: adds\n  expects: {}\n", 2, "'expects' is not one of: name, agent"),
        ("- name: adds\n  agent: bot\n  agent: b\n", 3, "'agent' stands there twice"),
        ("- name: adds\n", 1, "a case needs 'thread'"),
        (HEAD, 1, "a case needs 'expect'"),
        (HEAD + "  expect: {}\n", 4, "expect names nothing"),
        (HEAD + "  expect: [1]\n", 4, "expect is a map, not a list"),
        (HEAD + "  expect:\n    intnt: add\n", 5, "'intnt' is not one of: intent"),
        (HEAD + "  expect:\n    args: 7\n", 5, "args is a map, not the number 7"),
        (HEAD + "  expect:\n    waits: maybe\n", 5, "waits is true or false, not a text"),
        (HEAD + "  expect:\n    assert: a ==\n", 5, "'a ==' is no expression"),
        (HEAD + "  expect:\n    assert:\n    - a == 1\n    - 7\n", 7, "assert is a text"),
        (HEAD + "  expect: {waits: true, intent: add}\n", 4, "effect and waits say that no reply"),
        (
            HEAD + "  reply: [1]\n  expect: {intent: add}\n",
            4,
            "reply, where it is no text, is a map, not a list",
        ),
        (HEAD + "  at: 1\n  expect: {intent: add}\n", 4, "'at' cuts an exported thread"),
        (
            "- name: a\n  thread: no.jsonl\n",
            2,
            "the file 'no.jsonl' beside this one cannot be read: No such file or directory. A",
        ),
        (HEAD + "  expect: {refused: nonsense}\n", 4, "refused is one of truncated, ambiguous,"),
        ("- name: a\n  thread: '{}'\n", 2, "thread: line 1"),
        ("- name: a\n  thread: [shouted: hi]\n", 2, "'shouted' is no fact. There are: message"),
        ("- name: a\n  thread:\n  - {message: a, chose: b}\n", 3, "a fact has one name"),
        ("- name: a\n  thread: 7\n", 2, "thread is a list, not the number 7"),
        (HEAD + "  expect: {waits: true}\n" + HEAD, 5, "line 1 has a case named 'adds' already"),
    ],
)
def test_whatever_is_wrong_is_said_with_file_and_line(text: str, line: int | None, words: str):
    rest = "  expect: {waits: true}\n"
    if text.startswith("- name: a\n  thread") or text.endswith("true}\n" + HEAD):
        text += rest

    said = complaint(text)
    assert words in said
    assert said.startswith("x.cases.yaml" + (f", line {line}" if line else ""))


def test_the_case_is_named_once_its_name_is_known():
    assert "case 'adds'" in complaint(HEAD + "  expect:\n    intnt: add\n")


def test_an_event_that_is_not_there_is_said(tmp_path: Path):
    (tmp_path / "t.jsonl").write_text(given(message("hi"), agent=BOT).to_jsonl())
    text = "- name: a\n  thread: t.jsonl\n  at: 9\n  expect: {waits: true}\n"

    assert "line 3, case 'a': 'at' is an event from 1 to 1" in complaint(text, folder=tmp_path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(InvalidCase, match=r"no\.cases\.yaml cannot be read"):
        read_cases(tmp_path / "no.cases.yaml")


@pytest.mark.parametrize("text", ["!!python/object/apply:os.getcwd []", "- &a [*a]", "[" * 5000])
def test_no_yaml_runs_anything_or_ends_the_process(text: str):
    complaint(text)


def test_a_snapshot_that_cannot_be_read_is_said(tmp_path: Path):
    (tmp_path / "a.snap").mkdir()

    said = complaint(HEAD + "  prompt: a.snap\n  expect: {intent: add}\n", folder=tmp_path)
    assert "line 4, case 'adds': the snapshot a.snap cannot be read" in said


EVENTS = """\
- name: e
  thread:
  - {type: message_received, data: {text: hi}}
  - type: next_step_chosen
    data: {intent: add, args: {a: 1, b: 2}, by: model}
    key: reply:1
    after: 1
    at: 2026-11-20T09:55:33.123456Z
"""
WAITS = "  expect: {waits: false}\n"


def test_events_may_be_written_whole():
    case = one(EVENTS + WAITS)

    assert case.log is not None
    first, second = case.log.events
    assert (first.seq, first.data, first.key, first.after) == (1, {"text": "hi"}, None, None)
    assert (second.key, second.after, second.at.year) == ("reply:1", 1, 2026)
    assert stand(case, {"bot": BOT}).decided.effects == ("Run add",)


@pytest.mark.parametrize(
    ("event", "line", "words"),
    [
        ("{type: next_step_chosen, data: {intent: add}}", 3, "next_step_chosen needs 'args'"),
        ("{type: 7}", 3, "type is a text"),
        ("{type: noted, when: now}", 3, "'when' is not one of: type, data"),
        ("{type: noted, at: yesterday}", 3, "this is no event"),
        ("{type: noted, after: soon}", 3, "after is a text"),
        ("{type: noted, data: [1]}", 3, "data is a list"),
        ("{type: finished, data: {saw: 1}, v: 99}", 3, "version 99"),
    ],
)
def test_an_event_that_is_none_is_said(event: str, line: int, words: str):
    said = complaint(f"- name: e\n  thread:\n  - {event}\n{WAITS}")

    assert f"line {line}, case 'e': " in said
    assert words in said
