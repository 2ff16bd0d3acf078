"""Limits: which one stops the next model call."""

from datetime import timedelta

import pytest

from twelvefold.limits import STEPS_MAX, Limits, Reached, reached
from twelvefold.state import Spent
from twelvefold.testing import START

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("limits", "hit"),
    [
        (Limits(steps=3), Reached("steps", 3, 3)),
        (Limits(tokens=100), Reached("tokens", 120, 100)),
        (Limits(cost=0.5), Reached("cost", 0.5, 0.5)),
        (Limits(wall_clock=HOUR), Reached("wall_clock_s", 3600.0, 3600.0)),
        (Limits(steps=0), Reached("steps", 3, 0)),
        (Limits(steps=4, tokens=121, cost=0.6, wall_clock=2 * HOUR), None),
        (Limits(steps=None), None),
    ],
)
def test_each_limit_stops_at_what_it_allows(limits, hit):
    spent = Spent(since=START, steps=3, tokens=120, cost=0.5)

    assert reached(limits, spent, now=START + HOUR) == hit


def test_the_clock_does_not_run_before_anybody_wrote():
    assert reached(Limits(wall_clock=timedelta(0)), Spent(since=START), now=START) is not None
    assert reached(Limits(wall_clock=HOUR), Spent(), now=START + 9 * HOUR) is None


def test_steps_are_limited_unless_said_otherwise():
    assert Limits().steps == STEPS_MAX
