"""Whatever log is erased, and whatever comes after, every reader of it still works."""

import json
import random
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from contracts.store import LATER, fact
from histories import history
from small import AGENT
from twelvefold.audit import ERASED, Verified, decisions, verify
from twelvefold.context import render
from twelvefold.files import diff, markdown, read_lines
from twelvefold.notices.events import said, what
from twelvefold.plan import recover, replay
from twelvefold.reducer import read
from twelvefold.store import Append, Create
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.summary import summarize
from twelvefold.testing import MemoryStore
from twelvefold.thread import Draft, Event, Thread, from_jsonl

LOGS = sorted((Path(__file__).parents[1] / "golden").glob("*/*.jsonl"))
SEEDS = 60
WHO = {"by": "olga", "reason": "request 4711"}


def golden(path: Path) -> Iterator[Thread]:
    """The threads of a file, each after the other."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for _, of_thread in groupby(lines, key=lambda line: json.loads(line)["thread"]):
        yield from_jsonl("".join(of_thread))


def drafts_of(events: "list[Event]") -> list[Draft]:
    return [Draft(e.type, e.data, e.at, key=e.key, after=e.after, v=e.v) for e in events]


def read_by_everybody(thread: Thread) -> None:
    """Fold, summary, views, commands, replay, files: none may fail on what is left."""
    for state in (read(thread), AGENT.state(thread)):
        assert state.cancelled
        assert state.open == []
    assert summarize(thread.events).status == "erased"
    assert recover(AGENT.state(thread), AGENT, in_flight=(), now=LATER).drafts == []
    assert replay(thread, AGENT) == []
    assert from_jsonl(thread.to_jsonl()) == read_lines(thread.to_jsonl()) == thread
    assert diff(thread, thread).same
    assert markdown(thread)
    for event in thread.events:
        assert what(event)
        assert said(event, thread.id)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_golden_log_that_was_erased_is_still_read(path: Path):
    store = MemoryStore()
    for thread in golden(path):
        create = Create(thread.agent, thread.parent)
        store.commit_now(Append(thread.id, drafts_of(list(thread.events)), create=create))
        before = store.load(thread.id)
        assert verify(store.recorded(thread.id)) == Verified("default", thread.id, thread.head)

        store.commit_now(Append(thread.id, [fact(ERASED, **WHO)], erase=True))

        left = store.load(thread.id)
        read_by_everybody(left)
        assert render(left) == ""
        assert [e.type for e in before.events] == [e.data["type"] for e in left.events[:-1]]
        found = verify(store.recorded(thread.id))
        assert found == Verified("default", thread.id, left.head, erased=thread.head)
    assert len(list(decisions(store.said()))) == len(store.said())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_an_erasure_anywhere_in_a_history_stops_no_reader(seed: int, tmp_path: Path):
    """Facts that come later find neither their step nor their contact."""
    chance = random.Random(seed)
    events = list(history(chance.choices(range(1000), k=20)).events)
    cut = chance.randrange(1, len(events))
    store = SqliteStore(tmp_path / "a.db") if seed % 6 == 0 else MemoryStore()
    store.commit_now(Append("t1", drafts_of(events[:cut]), create=Create("bot")))

    store.commit_now(Append("t1", [fact(ERASED, **WHO)], erase=True))
    for draft in drafts_of(events[cut:]):
        store.commit_now(Append("t1", [draft]))

    thread = store.load("t1")
    assert summarize(thread.events).status == store.thread_row("t1").status == "erased"
    assert store.thread_row("t1").summary == summarize(thread.events)
    assert read(thread).cancelled
    assert AGENT.state(thread).cancelled
    assert markdown(thread)
    assert isinstance(verify(store.recorded("t1")), Verified)
    assert list(decisions(store.said()))
    store.close()
