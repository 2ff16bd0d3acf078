"""The lines of a run: an outcome stands with its choice, and never with another one's."""

import pytest

from small import Deploy, Look
from twelvefold.cli.out import Out
from twelvefold.cli.timeline import Timeline
from twelvefold.testing import Fact, chosen, given, message, returned, started


def lines(capsys: pytest.CaptureFixture[str], *facts: Fact) -> list[str]:
    timeline = Timeline(Out(), "t1")
    for event in given(*facts).events:
        timeline.add("t1", event)
    timeline.flush()
    return capsys.readouterr().out.splitlines()


def test_a_choice_and_its_outcome_are_one_line(capsys: pytest.CaptureFixture[str]):
    facts = (message("look"), chosen(Look()), started(), returned("v1"))

    assert lines(capsys, *facts)[1:] == [
        '  2 look                   {"what":"tags"}  -> "v1"  1.0s',
    ]


def test_the_outcomes_of_several_choices_have_lines_of_their_own(
    capsys: pytest.CaptureFixture[str],
):
    looks = [Look(what=what) for what in ("tags", "branches", "commits")]
    facts = (chosen(*looks, by="code"), *(started(step=f"s{n}") for n in (1, 2, 3)))

    said = lines(capsys, message("look"), *facts, returned("v1", step="s1"))

    assert said[1:] == [
        '  2 look                   {"what":"tags"} by code',
        '  3 look                   {"what":"branches"} by code',
        '  4 look                   {"what":"commits"} by code',
        '  8 look                   -> "v1"  3.0s',
    ]


def test_a_choice_without_an_outcome_is_said_in_the_end(capsys: pytest.CaptureFixture[str]):
    assert lines(capsys, message("ship"), chosen(Deploy(tag="v1")))[-1].startswith("  2 deploy")
