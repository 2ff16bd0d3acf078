"""What a written reply means: a yes is nothing but yes, and most texts are messages."""

from typing import Any

import pytest

from crew import Look, Question
from twelvefold.directory import Directory
from twelvefold.forms import Option, json_answer, multiple_choice, yes_no
from twelvefold.reducer import read
from twelvefold.replying import Meant, meant
from twelvefold.testing import asked, chosen, given

PEOPLE = Directory(addresses={"anna": {"mail": "anna@example.com"}})
COLOURS = multiple_choice("red", "dark blue")
SEVERAL = multiple_choice("red", "dark blue", many=True)
OPTIONS = [Option("spam", "Throw it away"), Option("later")]


def said(text: str, *facts: Any, sender: str = "anna@example.com", contact: str | None = None):
    state = read(given(*facts))
    return meant(state, text, sender=sender, contact=contact, directory=PEOPLE)


def question(**more: Any) -> tuple[Any, ...]:
    return chosen(Question()), asked("anna", "Which one?", **more)


def approval(**more: Any) -> tuple[Any, ...]:
    return chosen(Look()), asked("anna", **more)


@pytest.mark.parametrize("text", ["yes", "Yes.", " YES! ", "ok", "approved", "y"])
def test_a_text_that_is_nothing_but_yes_approves(text: str):
    assert said(text, *approval()) == Meant("s1.1", "approve")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no, use staging", "use staging"),
        ("No: not on a Friday", "not on a Friday"),
        ("deny - wrong tag", "wrong tag"),
        ("no\n\nask ben first\nplease", "ask ben first\nplease"),
    ],
)
def test_a_no_with_a_reason_denies(text: str, why: str):
    assert said(text, *approval()) == Meant("s1.1", "deny", comment=why)


@pytest.mark.parametrize(
    "text",
    [
        "hmm, what's their address?",
        "yes, but only half of it",
        "yes please do not",
        "not yes",
        "no",
        "no problem, go ahead",
        "nothing to add",
        "I approve of nothing here",
        "yes\nno",
        "",
        "ja",
    ],
)
def test_all_else_is_a_message_and_decides_nothing(text: str):
    assert said(text, *approval()) is None


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        (None, " the dark blue one \n", "the dark blue one"),
        (yes_no(), "Yes.", True),
        (yes_no(), "no", False),
        (COLOURS, "Dark Blue", "dark blue"),
        (SEVERAL, "dark blue, red", ["red", "dark blue"]),
    ],
)
def test_a_question_takes_what_has_its_form(form: Any, text: str, value: Any):
    assert said(text, *question(form=form)) == Meant("s1.1", "answer", value=value)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (None, "  "),
        (yes_no(), "perhaps"),
        (COLOURS, "green"),
        (COLOURS, "red, dark blue"),
        (SEVERAL, "red and green"),
        (json_answer({"type": "object"}), "{}"),
    ],
)
def test_what_has_another_form_is_a_message(form: Any, text: str):
    assert said(text, *question(form=form)) is None


@pytest.mark.parametrize("text", ["spam", "SPAM", "throw it away"])
def test_an_option_is_chosen_by_its_name_or_title(text: str):
    assert said(text, *approval(options=OPTIONS)) == Meant("s1.1", "choose", value="spam")


def test_whoever_is_not_asked_answers_nothing():
    assert said("yes", *approval(), sender="mallory@example.org") is None


def test_of_several_questions_the_one_that_is_replied_to_is_answered():
    two = (*question(), *question())

    assert said("blue", *two) is None
    assert said("blue", *two, contact="s2.1") == Meant("s2.1", "answer", value="blue")


def test_a_reply_to_what_is_closed_is_a_message():
    assert said("yes", *approval(), contact="s7.1") is None
