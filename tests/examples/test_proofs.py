"""The three proofs, as a user would write them for an agent of their own."""

import asyncio
from pathlib import Path

import pytest

from twelvefold.testing import crash_matrix, race, replays

TESTS = Path(__file__).parents[1]
PATH = [TESTS / "proof", TESTS / "examples"]


def test_the_first_agent_survives_a_kill_at_every_boundary() -> None:
    """The others are killed in `tests/proof/test_crash_matrix.py`, several times in a row too."""
    assert crash_matrix("scenarios:first_agent", path=PATH).faults == []


@pytest.mark.parametrize("name", ["mailcrew", "linear_triage", "support_triage", "deploybot"])
def test_an_agent_that_writes_outside_survives_a_kill_at_every_boundary(name: str) -> None:
    matrix = crash_matrix(f"people_scenarios:{name}", path=PATH)

    assert matrix.faults == []
    assert set(matrix.undisturbed.effects.values()) == {1}


@pytest.mark.parametrize("name", ["pipeline", "calculator", "first_agent", "payments"])
def test_of_four_simultaneous_answers_one_wins(name: str) -> None:
    raced = race(f"scenarios:{name}", path=PATH, rounds=6)

    assert raced.faults == []
    assert sum(raced.wins.values()) == raced.rounds


def test_of_four_simultaneous_answers_to_the_deploybot_one_wins() -> None:
    raced = race("people_scenarios:deploybot", path=PATH, rounds=6)

    assert raced.faults == []
    assert sum(raced.wins.values()) == raced.rounds


@pytest.mark.parametrize(
    "name",
    [
        "pipeline",
        "rollback",
        "calculator",
        "first_agent",
        "outer_loop",
        "mailcrew",
        "linear_triage",
        "support_triage",
        "deploybot",
    ],
)
def test_an_example_replays(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in PATH:
        monkeypatch.syspath_prepend(folder)
    import people_scenarios
    import scenarios

    from twelvefold.testing.child import work

    build = getattr(scenarios, name, None) or getattr(people_scenarios, name)
    scenario = build(tmp_path, lambda _: None)
    asyncio.run(work(scenario, lambda _: None))

    assert replays(scenario.app) >= 1
    scenario.app.close()
