"""In whatever order votes, edits, expiry, cancels, copies, duplicates, messages and crashes come:
exactly what was decided runs, at most once, and no contact is left dangling or changed."""

import logging
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from interleavings import HOUR, PEOPLE, TENANTS, World
from places import on_postgres, store_in
from reporting import Report

from postgres.cluster import Cluster
from twelvefold.store import Ref
from twelvefold.testing import MemoryStore

STEPS = 25
EXAMPLES = {"memory": 300, "sqlite": 40, "postgres": 12}
EXAMPLES_LONG = {"memory": 5_000, "sqlite": 500, "postgres": 100}
DECISIONS = ("approve", "approve", "approve", "deny", "edit")
BOUNDARIES = ("next_step_chosen", "tool_started", "tool_returned", "contact_requested")
WHO = (*PEOPLE, *PEOPLE, "eve")
THEN = ("", "advance", "after tool_started", "before tool_started", "before tool_returned")
anything = st.integers(0, 1_000)


class Interleavings(RuleBasedStateMachine):
    """Any order. `opened` makes the store; `told` counts what happened in all examples."""

    opened: Callable[[], Any]
    told: Counter[str]

    @initialize(needed=st.integers(1, 2))
    def begin(self, needed: int) -> None:
        self.store = type(self).opened()
        self.world = World(self.store, needed)
        self.launch()

    @precondition(lambda self: len(self.world.threads) < 4)
    @rule()
    def launch(self) -> None:
        self.world.launch()
        self.world.work()

    @rule(at=anything, name=st.integers(0, 3), times=st.integers(1, 3), then=st.sampled_from(THEN))
    def send(self, at: int, name: int, times: int, then: str) -> None:
        ref = self._thread(at)
        self.world.send(ref, f"m{name}", times)
        self._then(ref, then)

    @rule(at=anything)
    def advance(self, at: int) -> None:
        self.world.advance(self._thread(at))

    @rule()
    def work(self) -> None:
        self.world.work()

    @rule(at=anything, type=st.sampled_from(BOUNDARIES), after=st.booleans())
    def crash(self, at: int, type: str, after: bool) -> None:
        self.world.crash(self._thread(at), type, after=after)

    @precondition(lambda self: self.world.contacts())
    @rule(
        at=anything,
        decision=st.sampled_from(DECISIONS),
        who=st.sampled_from(WHO),
        again=st.integers(0, 1),
        then=st.sampled_from(THEN),
    )
    def answer(self, at: int, decision: str, who: str, again: int, then: str) -> None:
        """And what comes right after it: nothing, an advance, or the end of one somewhere."""
        rows = self.world.contacts()
        row = rows[at % len(rows)]
        self.world.answer(row, decision, who, again=again)
        self._then(row.ref, then)

    @precondition(lambda self: self.world.contacts(open_only=False))
    @rule(at=anything, decision=st.sampled_from(DECISIONS), who=st.sampled_from(PEOPLE))
    def answer_any(self, at: int, decision: str, who: str) -> None:
        """Also what was closed long ago: an old page, a webhook that comes late."""
        rows = self.world.contacts(open_only=False)
        self.world.answer(rows[at % len(rows)], decision, who, again=0)

    @rule(
        by=st.sampled_from([timedelta(minutes=20), HOUR + timedelta(seconds=1)]), fire=st.booleans()
    )
    def forward(self, by: timedelta, fire: bool) -> None:
        self.world.forward(by, fire=fire)

    @precondition(lambda self: len(self.world.threads) > 1)
    @rule(at=anything)
    def cancel(self, at: int) -> None:
        self.world.cancel(self._thread(at))

    @precondition(lambda self: len(self.world.threads) < 6)
    @rule(at=anything, cut=anything, to_tenant=st.sampled_from([None, None, *TENANTS]))
    def copy(self, at: int, cut: int, to_tenant: str | None) -> None:
        self.world.copy(self._thread(at), cut, to_tenant=to_tenant)

    @invariant()
    def holds(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.world.settle_all()
            finally:
                type(self).told.update(self.world.book.did)
                self.store.close()

    def _then(self, ref: Ref, what: str) -> None:
        when, _, type = what.partition(" ")
        if type:
            self.world.crash(ref, type, after=when == "after")
        elif when == "advance":
            self.world.advance(ref)

    def _thread(self, at: int) -> Ref:
        return self.world.threads[at % len(self.world.threads)]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "twelvefold")


def expect_what_was_decided(
    kind: str, examples: int, opened: Callable[[], Any], proof: Report
) -> None:
    class OnStore(Interleavings):
        pass

    OnStore.opened, OnStore.told = staticmethod(opened), Counter[str]()
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=checks,
    )

    run_state_machine_as_test(OnStore, settings=chosen)

    told = ", ".join(f"{count} {what}" for what, count in sorted(OnStore.told.items()))
    proof.add(runs=examples)
    proof.note(f"{examples} histories on {kind}: {told}")
    assert OnStore.told["effects"] > 0


def on_files(folder: Path) -> Callable[[], Any]:
    return lambda: store_in(Path(tempfile.mkdtemp(dir=folder)))


def test_in_memory_exactly_what_was_decided_runs(proof: Report) -> None:
    expect_what_was_decided("memory", EXAMPLES["memory"], MemoryStore, proof)


def test_on_sqlite_exactly_what_was_decided_runs(tmp_path: Path, proof: Report) -> None:
    expect_what_was_decided("SQLite", EXAMPLES["sqlite"], on_files(tmp_path), proof)


def test_on_postgres_exactly_what_was_decided_runs(
    postgres: Cluster, tmp_path: Path, proof: Report
) -> None:
    with on_postgres(postgres.url):
        expect_what_was_decided("Postgres", EXAMPLES["postgres"], on_files(tmp_path), proof)


@pytest.mark.long
def test_in_many_more_histories_exactly_what_was_decided_runs(
    postgres: Cluster, tmp_path: Path, proof: Report
) -> None:
    expect_what_was_decided("memory", EXAMPLES_LONG["memory"], MemoryStore, proof)
    expect_what_was_decided("SQLite", EXAMPLES_LONG["sqlite"], on_files(tmp_path), proof)
    with on_postgres(postgres.url):
        expect_what_was_decided("Postgres", EXAMPLES_LONG["postgres"], on_files(tmp_path), proof)
