"""Whoever is asked if a killed run took place looks at the effects, unless the scenario says it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from twelvefold.exceptions import ConfigurationError
from twelvefold.store import Append, ContactRow, Ref
from twelvefold.testing import crash_matrix
from twelvefold.testing.looking import Ledger
from twelvefold.thread import DEFAULT_TENANT, Draft

PATH = [Path(__file__).parent]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_tool_that_must_not_run_twice_passes_the_matrix_with_people_who_only_approve():
    matrix = crash_matrix("harmful:one", path=PATH, seeds=3)

    assert matrix.faults == [], str(matrix)
    assert matrix.undisturbed.effects == {"api": 1}
    assert {"before api", "after api"} <= set(matrix.killed_at)


def test_of_two_that_ran_at_once_the_line_to_write_is_told():
    matrix = crash_matrix("harmful:two_at_once", path=PATH)

    said = str(matrix)
    assert matrix.faults
    assert "asks whether restart took place, and `effects` do not tell: t1.s" in said
    assert 'if contact.data["kind"] == "outcome": return {"decision": "run_again"' in said
    assert all("ConfigurationError" in fault.what.splitlines()[0] for fault in matrix.faults)


def test_what_effects_do_not_count_has_not_happened():
    assert crash_matrix("harmful:uncounted", path=PATH).faults == []


def test_an_answer_of_another_kind_is_told_with_the_contact_and_the_line_to_write():
    with pytest.raises(AssertionError) as failed:
        crash_matrix("harmful:unanswerable", path=PATH)

    first = str(failed.value).splitlines()[0]
    assert first.startswith("the undisturbed run failed: ")
    assert "t1.s1.1 asks anna, kind 'question': Which one?." in first
    assert "says {'decision': 'approve', 'by': 'anna'}, which is refused: " in first
    assert 'if contact.data["kind"] == "question": return {"decision": "answer"' in first


# The ledger by itself


class World:
    """What has happened outside."""

    def __init__(self, folder: Path, **results: Any) -> None:
        self.effects: dict[str, int] = {}
        self.ledger = Ledger(
            folder, lambda: self.effects, {f"t1.{s}": r for s, r in results.items()}
        )

    def begins(self, *steps: str) -> None:
        self.ledger.before([Append("t1", [Draft("tool_started", {"step": s}, NOW) for s in steps])])

    def ends(self, step: str) -> None:
        self.ledger.after([Append("t1", [Draft("tool_returned", {"step": step}, NOW)])])

    def happens(self, effect: str) -> None:
        self.effects = {**self.effects, effect: self.effects.get(effect, 0) + 1}

    def says(self, step: str) -> Mapping[str, Any]:
        data = {"kind": "outcome", "step": step, "intent": "restart"}
        return self.ledger.outcome(
            ContactRow(Ref(DEFAULT_TENANT, "t1"), "bot", f"{step}.1", NOW, data)
        )


def test_an_effect_since_the_run_began_means_that_it_ran_and_returned_as_usual(tmp_path: Path):
    world = World(tmp_path, s1="api is restarted")
    world.begins("s1")
    world.happens("api")

    assert world.says("s1") == {"decision": "it_ran", "value": "api is restarted"}


def test_an_effect_from_before_means_nothing(tmp_path: Path):
    world = World(tmp_path)
    world.happens("api")
    world.begins("s1")

    assert world.says("s1") == {"decision": "run_again"}


def test_the_newest_run_counts(tmp_path: Path):
    world = World(tmp_path)
    world.begins("s1")
    world.happens("api")
    world.begins("s1")

    assert world.says("s1") == {"decision": "run_again"}


@pytest.mark.parametrize("order", [("s1", "s2"), ("s2", "s1")])
def test_an_effect_while_another_ran_is_of_nobody(order: tuple[str, str], tmp_path: Path):
    world = World(tmp_path)
    for step in order:
        world.begins(step)
    world.happens("api")

    with pytest.raises(ConfigurationError, match=r"do not tell: t1\.s2 ran"):
        world.says("s1")


def test_who_ended_before_is_out_of_it(tmp_path: Path):
    world = World(tmp_path)
    world.begins("s2")
    world.ends("s2")
    world.begins("s1")
    world.happens("api")

    assert world.says("s1")["decision"] == "it_ran"


def test_a_run_of_which_nothing_is_known_may_be_made(tmp_path: Path):
    assert World(tmp_path).says("s1") == {"decision": "run_again"}


def test_effects_that_cannot_be_read_before_the_first_one_are_none(tmp_path: Path):
    file = tmp_path / "effects"

    def effects() -> dict[str, int]:
        return {"lines": len(file.read_text().split())}

    ledger = Ledger(tmp_path, effects, {"t1.s1": "done"})
    ledger.before([Append("t1", [Draft("tool_started", {"step": "s1"}, NOW)])])
    file.write_text("deployed\n")
    data = {"kind": "outcome", "step": "s1", "intent": "restart"}
    asked = ContactRow(Ref(DEFAULT_TENANT, "t1"), "bot", "s1.1", NOW, data)

    assert ledger.outcome(asked) == {"decision": "it_ran", "value": "done"}
