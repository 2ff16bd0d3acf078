"""Cases about `AskModel(answer=...)`: what a model answers for a step, judged and exported."""

from pathlib import Path
from typing import Literal

import pytest

from twelvefold import Agent, AskModel, Choose, Effect, Finish, State, Step, Thread, Wait
from twelvefold.cases import Verdict, case_text, cases_in, judge, stand
from twelvefold.messages import ModelReply
from twelvefold.testing import given, message
from twelvefold.thread import Draft


class Rate(Step):
    intent: Literal["rate"] = "rate"
    text: str


def decide(thread: Thread, state: State[Rate]) -> Effect[Rate]:
    if state.ready:
        return AskModel("Good or bad?", answer=dict[str, int], step=state.ready[0].step)
    if state.waiting or state.finished:
        return Wait()
    rated = state.last(Rate)
    return Choose(Rate(text="x")) if rated is None else Finish(str(rated.result))


AGENT = Agent("judge", decide, Rate, owner="anna")
HEAD = "- name: c\n  thread: [message: rate it]\n"


def verdict(text: str, reply: str | None = None) -> Verdict:
    [case] = cases_in(text, file="x.cases.yaml", folder=Path())
    said = case.reply if reply is None else reply
    return judge(stand(case, {"judge": AGENT}), ModelReply(said or ""))


@pytest.mark.parametrize(
    "expect", ["answer: {good: 7}", "assert: answer.good > 5", "answer: {good: 7}, then: Finish"]
)
def test_an_answer_is_expected_as_arguments_are(expect: str):
    assert verdict(f"{HEAD}  expect: {{{expect}}}\n", '{"good": 7}').passed


def test_another_answer_names_the_place():
    found = verdict(HEAD + "  expect: {answer: {good: 8}}\n", '{"good": 7}')

    assert found.complaints[0] == "answer.good\n  - expected  8\n  + got       7"


def test_an_answer_of_another_type_is_refused():
    found = verdict(HEAD + "  expect: {answer: {good: 8}}\n", '{"good": "very"}')

    assert "got       refused (" in found.complaints[0]
    assert verdict(HEAD + "  expect: {refused: invalid}\n", '{"good": "very"}').passed


def test_a_step_is_not_what_was_asked_for():
    found = verdict(HEAD + "  expect: {intent: rate}\n", '{"good": 7}')

    assert found.complaints[0] == "intent\n  - expected  rate\n  + got       null"


def test_a_recorded_answer_is_a_case_that_passes():
    thread = given(message("rate it"), agent=AGENT)
    data = {"intent": "rate", "args": {"text": "x"}, "by": "code"}
    now = thread.events[-1].at
    thread = thread.then(Draft("next_step_chosen", data, now, after=1))
    answer = {"step": "s1", "intent": "rate", "answer": {"good": 7}}
    thread = thread.then(Draft("model_answered", answer, now, key="reply:1", after=2))

    for at in (2, 3):
        text = case_text(thread, AGENT, at=at)
        assert "answer: {good: 7}" in text
        assert verdict(text).passed
