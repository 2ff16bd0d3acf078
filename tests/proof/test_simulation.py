"""Workers, crashes, stalls and doubled deliveries on a virtual clock, over the real SQLite store.

The loop, the verbs and every statement are the real ones; queue, leases and people are simulated.
`python tests/proof/simulate.py --trace 42` replays a seed.
"""

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from patching import mutated
from reporting import Report
from simulate import Ended, ended_of

from crew import Done, Gate, Look, Meddled, app_of, chat, pipeline, ran_by, ref, types
from twelvefold.effects import run
from twelvefold.loop import advance
from twelvefold.stores.sqlite import SqliteStore

HERE = Path(__file__).parent
SEEDS, SEEDS_LONG, SEEDS_OF_MUTANTS = 300, 10_000, 100
CHUNK, PROCESSES = 100, 2
MUTANTS = {
    one["name"]: one for one in tomllib.loads((HERE / "simulation.toml").read_text())["mutant"]
}
FIRST = ("fence", "claim", "key", "digest")
MUTANT_S_MAX = 240
SPAWN = multiprocessing.get_context("spawn")


def expect_nothing_wrong(seeds: int, proof: Report) -> None:
    did, wrong = Counter[str](), list[Ended]()
    chunks = [range(n, min(n + CHUNK, seeds)) for n in range(0, seeds, CHUNK)]
    with SPAWN.Pool(PROCESSES) as pool:
        for ended in pool.imap_unordered(ended_of, chunks):
            did.update(sum((one.did for one in ended), Counter[str]()))
            wrong += [one for one in ended if one.wrong]
    doubled = sum(one.kind == "duplicated" for one in wrong)
    proof.add(runs=seeds, lost=len(wrong) - doubled, duplicated=doubled)
    told = ", ".join(f"{count} {what}" for what, count in sorted(did.items()))
    proof.note(f"{seeds} histories: {told}")

    assert [f"seed {one.seed}: {one.wrong}" for one in wrong] == []
    assert min(did[what] for what in ("effects", "kills", "stalls", "ambiguous commits")) > 0


def test_in_no_history_is_anything_lost_done_twice_or_unbidden(proof: Report) -> None:
    expect_nothing_wrong(SEEDS, proof)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_in_ten_thousand_histories_neither(proof: Report) -> None:
    expect_nothing_wrong(SEEDS_LONG, proof)


def replayed(seed: int, hash_seed: str) -> str:
    command = [sys.executable, str(HERE / "simulate.py"), "--trace", str(seed)]
    environ = os.environ | {"PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


def test_a_seed_is_one_history_in_every_process() -> None:
    first, again = replayed(8, "1"), replayed(8, "2")

    assert len(first.splitlines()) > 100
    assert first == again


def catching_seed(mutant: dict[str, Any], folder: Path) -> dict[str, Any]:
    """How the first history ended that went wrong without the guard."""
    source = mutated(mutant["patch"], folder)
    command = [sys.executable, str(HERE / "simulate.py"), "--first", str(SEEDS_OF_MUTANTS)]
    path = os.pathsep.join(map(str, (source, HERE.parent)))
    environ = os.environ | {"PYTHONPATH": path}
    run = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=MUTANT_S_MAX, check=False
    )
    assert run.returncode in (0, 1), run.stderr
    return json.loads(run.stdout) if run.stdout else {}


def expect_caught(name: str, folder: Path, proof: Report) -> None:
    ended = catching_seed(MUTANTS[name], folder)
    caught = ended.get("kind") in MUTANTS[name]["kind"]
    proof.mutant(caught=caught)
    proof.note(f"without {name}: seed {ended.get('seed')}, {ended.get('wrong')}")

    assert caught, ended


@pytest.mark.parametrize("name", FIRST)
def test_without_a_guard_some_history_of_the_first_hundred_goes_wrong(
    name: str, tmp_path: Path, proof: Report
) -> None:
    expect_caught(name, tmp_path, proof)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(MUTANTS.keys() - set(FIRST)))
def test_without_any_other_guard_neither(name: str, tmp_path: Path, proof: Report) -> None:
    expect_caught(name, tmp_path, proof)


# What the simulation found


class Killed(BaseException):
    """The process is gone."""


class DyingLate(SqliteStore):
    """A connection of a process that is killed right after a late outcome."""

    async def commit(self, *appends):
        stored = await super().commit(*appends)
        if any((d.key or "").startswith("late:") for append in appends for d in append.drafts):
            raise Killed
        return stored


@pytest.mark.anyio
async def test_a_late_outcome_wakes_its_thread_though_its_process_dies(tmp_path: Path) -> None:
    """Another advance has taken the run for lost, and rests; who thaws brings the outcome."""
    gate, path = Gate(), tmp_path / "threads.db"
    agent = pipeline(Look(), carry_out=ran_by(gate))
    frozen, other = app_of(agent, DyingLate(path)), app_of(agent, SqliteStore(path))
    await frozen.launch("crew", "go", thread_id="t")
    first = asyncio.create_task(advance(ref(), frozen.surroundings))
    await gate.has_begun()
    await other.run(until_idle=True)
    assert types(other)[-1] == "contact_requested"
    assert other.store.woken() == []

    gate.let_go.set()
    with pytest.raises(Killed):
        await first
    assert types(other)[-1] == "tool_returned"
    assert [woken.ref for woken in other.store.woken()] == [ref()]

    await other.run(until_idle=True)
    assert types(other)[-1] == "finished"
    frozen.close()
    other.close()


@pytest.mark.anyio
async def test_who_finds_its_own_words_in_the_log_does_not_hold_the_thread(tmp_path: Path) -> None:
    """Two advances want to write the same first event. Whose was second is overtaken: it must not
    take the run of the other, which is under way, for one that was cut off."""
    first, second, path = Gate(), Gate(), tmp_path / "threads.db"
    agent = chat(lambda it: run(first if it.step.at == "a" else second, it.step))
    script = (Look(at="a"), Look(at="b"), Done())
    frozen, other = (
        app_of(agent, DyingLate(path), *script),
        app_of(agent, SqliteStore(path), *script),
    )
    await frozen.launch("crew", "go", thread_id="t")
    cut_off = asyncio.create_task(advance(ref(), frozen.surroundings))
    await first.has_begun()
    await other.run(until_idle=True)
    first.let_go.set()
    with pytest.raises(Killed):
        await cut_off
    running: list[asyncio.Task[Any]] = []

    async def overtaken() -> None:
        if not running:
            running.append(asyncio.create_task(advance(ref(), other.surroundings)))
            await second.has_begun()

    meddled = Meddled(SqliteStore(path), "contact_closed", overtaken)
    await advance(ref(), app_of(agent, meddled, *script).surroundings)
    assert types(other).count("tool_outcome_unknown") == 1  # that of the first look

    second.let_go.set()
    await running[0]
    assert types(other)[-3:] == ["tool_returned", "next_step_chosen", "finished"]
    for app in (frozen, other):
        app.close()
    meddled._store.close()
