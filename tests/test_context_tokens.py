"""How many tokens a text is, without a vocabulary, judged by one."""

import pytest
from benchmarks.o200k import count
from benchmarks.texts import texts
from hypothesis import given
from hypothesis import strategies as st

from twelvefold.context.tokens import PIECE_CHARS_MAX, estimate

OFF_MAX = 0.15


@pytest.mark.parametrize("name", texts())
def test_an_estimate_is_at_most_15_percent_off(name: str):
    text = texts()[name]

    assert estimate(text) == pytest.approx(count(text), rel=OFF_MAX)


def test_nothing_is_no_tokens_and_anything_is_some():
    assert estimate("") == 0
    assert estimate("a") == 1


@given(st.text(), st.text())
def test_the_whole_is_about_the_sum_of_its_parts(text: str, more: str):
    # Where they meet, the cut of one piece may move.
    apart = estimate(text) + estimate(more)

    assert abs(estimate(text + more) - apart) <= PIECE_CHARS_MAX


@pytest.mark.parametrize("char", ["[", "a", "A", "1", " ", "\n", "é", "中", "🚀", "a1", "aA"])
def test_a_megabyte_of_anything_is_counted_in_linear_time(char: str):
    assert estimate(char * 1_000_000) > 10_000
