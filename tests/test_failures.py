"""Errors as one short line."""

import pytest

from twelvefold.exceptions import NothingHappened, StepRefused
from twelvefold.failures import ERROR_CHARS_MAX, clip, is_certain, short


def test_an_error_is_its_type_and_message_on_one_line():
    assert short(ValueError("no\n  such\ttag")) == "ValueError: no such tag"
    assert short(TimeoutError()) == "TimeoutError"


def test_a_refused_step_speaks_to_the_model():
    assert short(StepRefused("invalid", "tag: Field required")) == "tag: Field required"


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
