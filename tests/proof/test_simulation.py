"""Workers, crashes, stalls and doubled deliveries on a virtual clock, over the real SQLite store."""

import asyncio
from pathlib import Path

import pytest

from crew import Gate, Look, app_of, pipeline, ran_by, ref, types
from twelvefold.loop import advance
from twelvefold.stores.sqlite import SqliteStore

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
