"""What must hold whatever happens: kill it, race it."""

from pathlib import Path

from twelvefold.testing import crash_matrix, race

HERE = Path(__file__).parent
PATH = [HERE, HERE.parent]


def test_a_kill_at_any_boundary_changes_nothing_and_sends_nothing_twice():
    matrix = crash_matrix("scenario:bot", path=PATH)

    assert matrix.faults == [], str(matrix)
    assert matrix.undisturbed.effects == {"team@example.com": 1}
    assert matrix.runs >= len(matrix.undisturbed.boundaries) > 10


def test_of_four_answers_at_once_one_counts():
    raced = race("scenario:bot", path=PATH, rounds=3)

    assert raced.faults == [], str(raced)
