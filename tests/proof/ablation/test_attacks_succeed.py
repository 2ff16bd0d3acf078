"""Every guard against an attack earns its place: without it the named attack succeeds."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attacking import SUCCEEDED_EXIT
from patching import mutated
from places import on_postgres
from reporting import Report

HERE = Path(__file__).parent
ATTACKS = HERE.parent / "attacks"
MUTANTS: list[dict[str, Any]] = tomllib.loads((HERE / "attacks.toml").read_text())["mutant"]
CASES = [
    pytest.param(mutant, store, id=f"{mutant['name']}-{store}")
    for mutant in MUTANTS
    for store in mutant.get("stores", ["sqlite"])
]
AT_ONCE = 2
ATTACK_S_MAX = 120
RACES_MAX = 20

Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, "Future[Ended]"]]:
    """All that were selected, a few at a time: each costs mostly the start of a process."""
    mine = [item for item in request.session.items if item.path == request.path]
    cases = [item.callspec.params for item in mine if hasattr(item, "callspec")]  # pyright: ignore
    with ExitStack() as stack:
        if any(case["store"] == "postgres" for case in cases):
            url = request.getfixturevalue("postgres").url
            stack.enter_context(on_postgres(url))
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        yield {
            _name(case["mutant"], case["store"]): pool.submit(
                _attacked, case["mutant"], case["store"], tmp_path_factory.mktemp("mutant")
            )
            for case in cases
        }


def _name(mutant: dict[str, Any], store: str) -> str:
    return f"{mutant['name']} on {store}"


def _attacked(mutant: dict[str, Any], store: str, folder: Path) -> Ended:
    """An attack that needs two things in one instant is tried until they meet."""
    source = mutated(mutant["patch"], folder / "source")
    ended = _attacked_once(mutant, store, source, folder / "work")
    for number in range(RACES_MAX if mutant.get("races") else 0):
        if ended.returncode != 0:
            break
        ended = _attacked_once(mutant, store, source, folder / f"work{number}")
    return ended


def _attacked_once(mutant: dict[str, Any], store: str, source: Path, work: Path) -> Ended:
    work.mkdir()
    proof = HERE.parent
    path = os.pathsep.join(map(str, (source, HERE, ATTACKS, proof, proof.parent)))
    env = {**os.environ, "PYTHONPATH": path}
    if store == "sqlite":
        env.pop("TWELVEFOLD_PROOF_POSTGRES", None)
    arguments = json.dumps(mutant.get("with", {}))
    command = [sys.executable, str(HERE / "attacking.py"), mutant["attack"], str(work), arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=ATTACK_S_MAX)


@pytest.mark.parametrize(("mutant", "store"), CASES)
def test_without_its_guard_the_attack_succeeds(
    mutant: dict[str, Any], store: str, runs: dict[str, "Future[Ended]"], proof: Report
) -> None:
    ended = runs[_name(mutant, store)].result()
    proof.mutant(caught=ended.returncode == SUCCEEDED_EXIT)

    assert ended.returncode == SUCCEEDED_EXIT, ended.stderr
    assert ended.stderr.startswith(("the ledger holds", "the promise is broken", "seed "))


def test_every_attack_that_a_mutant_names_is_there() -> None:
    for mutant in MUTANTS:
        file, _, test = mutant["attack"].partition(":")
        assert f"def {test}(" in (ATTACKS / f"{file}.py").read_text(), mutant["name"]
