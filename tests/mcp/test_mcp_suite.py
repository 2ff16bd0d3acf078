"""`make conformance` counts what the suite says, and nothing that went wrong is passed over."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CONFORMANCE = Path(__file__).parent / "conformance"
sys.path.append(str(CONFORMANCE))

from suite import Leg, main, scenario_of  # noqa: E402

NOTHING = {"server": {}, "client": {}, "untried": {}}


def counted(
    tmp_path: Path, statuses: dict[str, list[str]], *, expected: Any = NOTHING, **others: str
) -> int:
    """The exit code, when each leg says so of its scenarios."""

    def run(suite: Path, mode: str, revision: str, log: Any) -> Leg:
        scored = [name for name in statuses if name not in others]
        checks = {
            name: [{"id": f"check-{n}", "status": status} for n, status in enumerate(found)]
            for name, found in statuses.items()
        }
        return Leg(mode, revision, scored, others, checks)

    return main(str(tmp_path), run=run, expected=expected)


def test_checks_that_pass_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert counted(tmp_path, {"ping": ["SUCCESS", "SUCCESS"], "tools": ["SUCCESS"]}) == 0
    assert capsys.readouterr().out.endswith("\n12 passed, 0 failed\n")


@pytest.mark.parametrize("status", ["FAILURE", "WARNING"])
def test_one_that_fails_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: str
):
    assert counted(tmp_path, {"ping": ["SUCCESS", status]}) == 1
    out = capsys.readouterr().out
    assert "failed: ping:check-1" in out
    assert out.endswith("\n4 passed, 4 failed\n")


@pytest.mark.parametrize("found", [[], ["SKIPPED"], ["INFO"]])
def test_a_scenario_in_which_nothing_was_tried_is_a_failure(tmp_path: Path, found: list[str]):
    assert counted(tmp_path, {"ping": ["SUCCESS"], "tasks": found}) == 1
    untried = {**NOTHING, "untried": {"tasks": "the suite skips it"}}
    assert counted(tmp_path, {"ping": ["SUCCESS"], "tasks": found}, expected=untried) == 0


def test_nothing_at_all_is_a_failure(tmp_path: Path):
    assert counted(tmp_path, {}) == 1


def test_what_no_revision_requires_counts_for_the_server_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    found = {"ping": ["SUCCESS"], "auth/dpop": ["FAILURE"]}

    assert counted(tmp_path, found, **{"auth/dpop": "extension"}) == 1
    out = capsys.readouterr().out
    assert out.count("failed: auth/dpop:check-0") == 2
    assert out.count("not required (extension): auth/dpop: 1 failed") == 2


def test_an_expected_failure_is_excused_and_a_stale_one_is_not(tmp_path: Path):
    why = {"ping:check-0": "not yet"}

    both = {"server": why, "client": why, "untried": {}}
    assert counted(tmp_path, {"ping": ["FAILURE"], "tools": ["SUCCESS"]}, expected=both) == 0
    assert counted(tmp_path, {"ping": ["SUCCESS"]}, expected=both) == 1


def test_folders_name_their_scenario():
    names = ["tools-list", "tasks-mrtr", "tasks-mrtr-input", "auth/dpop", "auth/dpop-nonce"]
    at = "-2026-11-20T19-29-00-838Z"

    assert scenario_of(f"server-tools-list{at}", names) == "tools-list"
    assert scenario_of(f"server-tasks-mrtr-input{at}", names) == "tasks-mrtr-input"
    assert scenario_of(f"auth/dpop-nonce{at}", names) == "auth/dpop-nonce"
    assert scenario_of(f"auth/dpop{at}", names) == "auth/dpop"


def test_nothing_is_expected_to_fail():
    expected = yaml.safe_load((CONFORMANCE / "expected-failures.yaml").read_text("utf-8"))

    assert (expected["server"], expected["client"]) == ({}, {})
    assert list(expected["untried"]) == ["tasks-status-notifications"]


def test_the_pins_of_the_suite_name_no_registry():
    lock = (CONFORMANCE / "package-lock.json").read_text(encoding="utf-8")

    assert '"resolved"' not in lock
    assert lock.count('"integrity": "sha512-') == lock.count('"node_modules/')
