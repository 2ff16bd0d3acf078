"""Every guard against an attack earns its place: without it the named attack succeeds."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from attacking import SUCCEEDED_EXIT
from patching import mutated
from places import SERVER
from reporting import Report

HERE = Path(__file__).parent
ATTACKS = HERE.parent / "attacks"
MUTANTS: list[dict[str, Any]] = tomllib.loads((HERE / "attacks.toml").read_text())["mutant"]
CASES = [
    pytest.param(mutant, store, id=f"{mutant['name']}-{store}")
    for mutant in MUTANTS
    for store in mutant.get("stores", ["sqlite"])
]
ATTACK_S_MAX = 120
RACES_MAX = 20

Ended = subprocess.CompletedProcess[str]


@pytest.mark.parametrize(("mutant", "store"), CASES)
def test_without_its_guard_the_attack_succeeds(
    mutant: dict[str, Any],
    store: str,
    tmp_path: Path,
    proof: Report,
    request: pytest.FixtureRequest,
) -> None:
    url = request.getfixturevalue("postgres").url if store == "postgres" else None
    ended = _attacked(mutant, url, tmp_path)
    proof.mutant(caught=ended.returncode == SUCCEEDED_EXIT)

    assert ended.returncode == SUCCEEDED_EXIT, ended.stderr
    assert ended.stderr.startswith(("the ledger holds", "the promise is broken", "seed "))


def test_every_attack_that_a_mutant_names_is_there() -> None:
    for mutant in MUTANTS:
        file, _, test = mutant["attack"].partition(":")
        assert f"def {test}(" in (ATTACKS / f"{file}.py").read_text(), mutant["name"]


def _attacked(mutant: dict[str, Any], url: str | None, folder: Path) -> Ended:
    """An attack that needs two things in one instant is tried until they meet."""
    source = mutated(mutant["patch"], folder / "source")
    ended = _attacked_once(mutant, url, source, folder / "work")
    for number in range(RACES_MAX if mutant.get("races") else 0):
        if ended.returncode != 0:
            break
        ended = _attacked_once(mutant, url, source, folder / f"work{number}")
    return ended


def _attacked_once(mutant: dict[str, Any], url: str | None, source: Path, work: Path) -> Ended:
    work.mkdir()
    proof = HERE.parent
    path = os.pathsep.join(map(str, (source, HERE, ATTACKS, proof, proof.parent)))
    env = {name: value for name, value in os.environ.items() if name != SERVER}
    env |= {"PYTHONPATH": path} | ({SERVER: url} if url else {})
    arguments = json.dumps(mutant.get("with", {}))
    command = [sys.executable, str(HERE / "attacking.py"), mutant["attack"], str(work), arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=ATTACK_S_MAX)
