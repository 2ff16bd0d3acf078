"""What an answer may look like: it is checked before anything is saved, and says what is wrong."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from small import AGENT, Deploy, Question
from twelvefold.contacts import Answer, Verdict, accepted, judge
from twelvefold.context import render
from twelvefold.effects import Approve, Ask
from twelvefold.exceptions import InvalidAnswer, SchemaRefused, WrongDecision
from twelvefold.forms import (
    CHOICES_MAX,
    OPTIONS_MAX,
    Form,
    Option,
    free_text,
    json_answer,
    multiple_choice,
    yes_no,
)
from twelvefold.policy import Settles
from twelvefold.testing import TICK, began, chosen, given, message, said
from twelvefold.thread import Thread


class Window(BaseModel):
    day: Literal["mon", "tue"]
    hours: list[int] = Field(max_length=2)


SPAM = Option("spam", title="Spam", prompt_fill="It is spam.", interactive=False)
LATER = Option("later", description="Not now", prompt_fill="Ask me on ")


def here(*facts: Any, onto: Thread | None = None) -> Thread:
    return given(*facts, agent=AGENT, onto=onto)


def asking(form: Form | None = None, **more: Any) -> Thread:
    question = began(lambda step: Ask(step, "?", to="anna", form=form, **more))
    return here(message("go"), chosen(Question(text="?")), question)


def approving(*options: Option) -> Thread:
    ask = began(lambda step: Approve(step, by="anna", options=options))
    return here(message("go"), chosen(Deploy(tag="v1")), ask)


def verdict(thread: Thread, decision: Any, value: Any = None, **more: Any) -> Verdict:
    answer = Answer(contact="s1.1", decision=decision, by="anna", value=value, **more)
    now, anyone = thread.events[-1].at + TICK, Settles({"local": "high"})
    return judge(AGENT.state(thread), answer, now=now, settles=anyone)


def saved(form: Form | None, value: Any) -> Any:
    return verdict(asking(form), "answer", value).drafts[1].data["answer"]


def errors(form: Form, value: Any) -> dict[str, str]:
    with pytest.raises(InvalidAnswer, match="Nothing was done") as invalid:
        saved(form, value)
    return invalid.value.errors


def test_an_answer_without_a_form_is_anything_but_silence():
    assert saved(None, ["v1", {"a": 1}]) == ["v1", {"a": 1}]
    assert "form" not in asking().events[-1].data


@pytest.mark.parametrize(
    ("form", "value", "kept"),
    [
        (free_text(), " v1 ", " v1 "),
        (yes_no(), True, True),
        (yes_no(), " No", False),
        (yes_no(), "y", True),
        (multiple_choice("a", "b"), "b", "b"),
        (multiple_choice("a", "b", many=True), ["b", "a"], ["b", "a"]),
        (json_answer(Window), {"day": "mon", "hours": [9]}, {"day": "mon", "hours": [9]}),
        (json_answer({"type": "integer"}), 4, 4),
        (json_answer(list[int]), [1, 2], [1, 2]),
    ],
)
def test_an_answer_of_the_right_form_is_saved(form: Form, value: Any, kept: Any):
    assert saved(form, value) == kept


@pytest.mark.parametrize(
    ("form", "value", "fields"),
    [
        (free_text(), "  ", {"answer"}),
        (free_text(), 5, {"answer"}),
        (yes_no(), "maybe", {"answer"}),
        (yes_no(), 1, {"answer"}),
        (multiple_choice("a", "b"), "c", {"answer"}),
        (multiple_choice("a", "b"), ["a"], {"answer"}),
        (multiple_choice("a", "b", many=True), [], {"answer"}),
        (multiple_choice("a", "b", many=True), ["a", "a"], {"answer"}),
        (multiple_choice("a", "b", many=True), ["a", "c"], {"[1]"}),
        (json_answer(Window), {"day": "sun", "hours": ["9"]}, {"day", "hours[0]"}),
        (json_answer(Window), {"hours": [1, 2, 3]}, {"day", "hours"}),
        (json_answer({"type": "integer"}), "4", {"answer"}),
    ],
)
def test_an_answer_of_another_form_says_what_is_wrong_by_field(
    form: Form, value: Any, fields: set[str]
):
    assert errors(form, value).keys() == fields


@pytest.mark.parametrize("value", [None, ""])
def test_silence_is_no_answer_in_any_form(value: Any):
    with pytest.raises(InvalidAnswer, match="not silence"):
        saved(yes_no(), value)


def test_two_complaints_about_one_field_are_both_told():
    both = json_answer({"type": "object", "properties": {"a": {"minimum": 5, "multipleOf": 2}}})

    assert "; " in errors(both, {"a": 3})["a"]


def test_an_edit_says_what_is_wrong_by_argument():
    for changes, fields in [({"tga": "v2"}, {"tga"}), ({"tag": 5}, {"tag"})]:
        with pytest.raises(InvalidAnswer) as invalid:
            verdict(approving(), "edit", changes=changes)
        assert invalid.value.errors.keys() == fields


@pytest.mark.parametrize(
    "form",
    [
        free_text(),
        yes_no(),
        multiple_choice("a", "b"),
        multiple_choice("a", "b", many=True),
        json_answer(Window),
    ],
)
def test_a_form_is_kept_with_the_question(form: Form):
    data = asking(form).events[-1].data["form"]

    assert Form.from_data(data) == form
    assert AGENT.state(asking(form)).contacts["s1.1"].form == form


@pytest.mark.parametrize(
    "choices", [(), ("a",), ("a", "a"), ("a", ""), tuple(map(str, range(CHOICES_MAX + 1)))]
)
def test_a_choice_between_less_than_two_or_too_many_is_none(choices: tuple[str, ...]):
    with pytest.raises(WrongDecision, match="different texts"):
        multiple_choice(*choices)


def test_a_schema_that_cannot_be_checked_is_refused_when_it_is_asked():
    with pytest.raises(SchemaRefused, match="unheard cannot be checked"):
        asking(json_answer({"unheard": True}))


def test_an_option_ends_an_approval_without_running_the_step():
    thread = approving(SPAM, LATER)
    closed = verdict(thread, "choose", "later").drafts[1]
    state = AGENT.state(thread.then(closed))
    deploy = state.last(Deploy)

    assert closed.data["outcome"] == "chosen"
    assert closed.data["choice"] == "later"
    assert deploy is not None
    assert (deploy.status, deploy.choice, deploy.error) == ("denied", "later", "anna chose later")
    assert state.ready == []


def test_an_option_answers_a_question():
    thread = here(said("choose", value="spam"), onto=asking(options=[SPAM]))
    question = AGENT.state(thread).last(Question)

    assert question is not None
    assert (question.status, question.choice, question.result) == ("returned", "spam", "spam")


def test_a_question_with_options_may_be_answered_in_words_too():
    assert verdict(asking(yes_no(), options=[SPAM]), "answer", "yes").refusal is None


def test_what_an_option_says_is_its_comment_where_nobody_is_to_write():
    thread = approving(SPAM, LATER)

    def comment(name: str, **more: Any) -> Any:
        return verdict(thread, "choose", name, **more).drafts[1].data.get("comment")

    assert comment("spam") == "It is spam."
    assert comment("spam", comment="really") == "really"
    assert comment("later") is None
    assert comment("later", comment="Ask me on Monday") == "Ask me on Monday"


def test_the_model_reads_what_was_chosen():
    thread = here(said("choose", value="spam"), onto=approving(SPAM))

    assert render(thread).endswith(
        "<human_response>\nintent: deploy\ndecision: chosen\nby: anna\nchoice: spam\n"
        "comment: It is spam.\n</human_response>\n"
    )
    assert AGENT.state(thread).last(Deploy).error == "anna chose spam: It is spam."  # pyright: ignore


@pytest.mark.parametrize("value", ["ham", None, 5, ["spam"]])
def test_only_an_option_that_was_offered_can_be_chosen(value: Any):
    with pytest.raises(InvalidAnswer, match="choice: must be one of spam, later") as invalid:
        verdict(approving(SPAM, LATER), "choose", value)
    assert invalid.value.errors == {"choice": "must be one of spam, later"}


def test_without_options_nothing_can_be_chosen():
    with pytest.raises(InvalidAnswer, match="awaits approve or deny or edit, not choose"):
        verdict(approving(), "choose", "spam")


def test_what_may_be_said_is_known_beforehand():
    def may(thread: Thread) -> tuple[str, ...]:
        return accepted(AGENT.state(thread).contacts["s1.1"])

    assert may(approving()) == ("approve", "deny", "edit")
    assert may(approving(SPAM)) == ("approve", "deny", "edit", "choose")
    assert may(asking(options=[SPAM])) == ("answer", "choose")


def test_options_are_kept_with_the_request():
    data = approving(SPAM, LATER).events[-1].data["options"]

    assert data == [
        {"name": "spam", "title": "Spam", "prompt_fill": "It is spam.", "interactive": False},
        {"name": "later", "description": "Not now", "prompt_fill": "Ask me on "},
    ]
    assert tuple(map(Option.from_data, data)) == (SPAM, LATER)
    assert "options" not in approving().events[-1].data


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([SPAM, SPAM], "different names"),
        ([Option("")], "different names"),
        ([Option(str(n)) for n in range(OPTIONS_MAX + 1)], "OPTIONS_MAX"),
        ([Option("approve")], "cannot be called approve"),
    ],
)
def test_options_that_cannot_be_told_apart_are_refused(options: list[Option], complaint: str):
    with pytest.raises(WrongDecision, match=complaint):
        approving(*options)
