"""Every guard of the audit earns its place: without it a named attack succeeds."""

import os
import subprocess
import sys
from pathlib import Path

import guards
import pytest

from proof.patching import TESTS, mutated

ATTACK_S_MAX = 60

MUTANTS: dict[str, tuple[str, str, str]] = {
    "data_is_changed": (
        "audit/chain.py",
        "return sha256(salt + text.encode()).digest()",
        "return sha256(salt).digest()",
    ),
    "a_type_is_changed": (
        "audit/chain.py",
        "header = canonical([tenant, id, *place]).encode()",
        "header = canonical([tenant, id, place[0]]).encode()",
    ),
    "an_event_is_written_anew_with_its_own_hash": (
        "audit/chain.py",
        "return sha256(before + header + committed).digest()",
        "return sha256(header + committed).digest()",
    ),
    "another_agent_takes_over": (
        "audit/chain.py",
        "canonical([CHAIN_VERSION, tenant, id, agent, *launched])",
        "canonical([CHAIN_VERSION, tenant, id])",
    ),
    "the_newest_event_is_deleted": (
        "audit/verifying.py",
        "if why := _wrong_row(recorded, place, chain):",
        'if why := "":',
    ),
    "an_event_is_erased_by_nobody": (
        "audit/verifying.py",
        "if gone and not any(",
        "if gone and not gone and not any(",
    ),
    "the_log_is_cut_off": (
        "audit/verifying.py",
        "if head is not None and place < head.head:",
        "if False:",
    ),
    "the_log_is_written_anew": (
        "audit/verifying.py",
        "if head is not None and place == head.head and linked != head.chain:",
        "if False:",
    ),
    "a_signature_is_forged": ("audit/heads.py", "    if key is not None:\n", "    if False:\n"),
    "a_formula_reaches_the_spreadsheet": (
        "audit/decisions.py",
        "if _FORMULA.match(cell) else cell",
        "if False else cell",
    ),
    "an_open_thread_is_erased": (
        "app/erasing.py",
        "if not (state.finished or state.cancelled):",
        "if False:",
    ),
    "what_was_erased_is_still_in_the_file": (
        "stores/sqlite/queries.sql",
        "pragma wal_checkpoint(truncate);",
        "select 0, 0, 0;",
    ),
}
"""Attacks, and the text of the guard that goes."""


@pytest.mark.parametrize("attack", list(guards.ATTACKS))
def test_without_its_guard_the_attack_succeeds(attack: str, tmp_path: Path):
    work = tmp_path / "work"
    work.mkdir()
    patch = dict(zip(("file", "old", "new"), MUTANTS[attack], strict=True))
    paths = [mutated([patch], tmp_path / "source"), TESTS]

    run = subprocess.run(
        [sys.executable, guards.__file__, attack, str(work)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=ATTACK_S_MAX,
    )

    assert run.returncode == guards.BROKEN_EXIT, run.stderr


@pytest.mark.parametrize("attack", list(guards.ATTACKS))
def test_with_every_guard_in_place_the_attack_fails(attack: str, tmp_path: Path):
    assert not guards.succeeds(attack, tmp_path)


def test_every_attack_has_its_mutant():
    assert list(MUTANTS) == list(guards.ATTACKS)
