"""What must hold whatever happens: kill it, race it."""

from pathlib import Path

from twelvefold.testing import crash_matrix, race

HERE = Path(__file__).parent
PATH = [HERE, HERE.parent]


def test_a_kill_at_any_boundary_changes_nothing_and_deploys_nothing_twice():
    matrix = crash_matrix("scenario:release", path=PATH)

    assert matrix.faults == [], str(matrix)
    assert matrix.undisturbed.effects == {"deploy_backend v1.4.0": 1, "deploy_frontend v1.4.0": 1}
    assert matrix.runs >= len(matrix.undisturbed.boundaries) > 20


def test_of_four_answers_at_once_one_counts():
    raced = race("scenario:release", path=PATH, rounds=3)

    assert raced.faults == [], str(raced)
