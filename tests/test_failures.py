"""Errors as one short line."""

import pytest

from twelvefold.exceptions import NothingHappened, StepRefused
from twelvefold.failures import ERROR_CHARS_MAX, clip, is_certain, short


def test_an_error_is_its_type_and_message_on_one_line():
    assert short(ValueError("no\n  such\ttag")) == "ValueError: no such tag"
    assert short(TimeoutError()) == "TimeoutError"


def test_a_refused_step_speaks_to_the_model():
    assert short(StepRefused("invalid", "tag: Field required")) == "tag: Field required"


def test_an_error_that_cannot_say_what_it_is_has_a_type_at_least():
    class Broken(ValueError):
        def __str__(self) -> str:
            raise KeyError("no words")

    assert short(Broken()) == "Broken: its text raises KeyError"


def test_secrets_are_taken_out_before_anything_is_cut_off():
    error = ValueError("x" * (ERROR_CHARS_MAX - 13) + "hunter2")

    assert "hunter" not in short(error, without=lambda text: text.replace("hunter2", "[secret]"))


def test_what_is_cut_off_is_said():
    assert clip("x" * ERROR_CHARS_MAX) == "x" * ERROR_CHARS_MAX
    assert clip("x" * (ERROR_CHARS_MAX + 7)).endswith("x ... (7 more characters)")


@pytest.mark.parametrize("risk", ["medium", "high"])
def test_a_risky_tool_that_raises_leaves_the_outcome_open(risk):
    assert not is_certain(TimeoutError(), risk=risk, retry_safe=False)
    assert is_certain(NothingHappened("refused"), risk=risk, retry_safe=False)
    assert is_certain(TimeoutError(), risk=risk, retry_safe=True)


def test_a_tool_of_low_risk_that_raises_has_failed():
    assert is_certain(TimeoutError(), risk="low", retry_safe=False)
