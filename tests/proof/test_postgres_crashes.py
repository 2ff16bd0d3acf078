"""The server dies under load: what was acknowledged is there, once, and what was not may be."""

import os
import signal
import threading
import time
from contextlib import closing

import pytest
from reporting import Report

from contracts.store import fact, launch
from postgres.cluster import GIVEN, Cluster
from twelvefold.exceptions import StoreUnavailable
from twelvefold.store import Append
from twelvefold.stores.postgres import PostgresStore

WRITERS = 3
CRASHES = (signal.SIGQUIT, signal.SIGKILL)
"""An immediate stop, which is a crash to the next start, and the real thing."""
CRASHES_EACH = 3
BETWEEN_S = 0.3
PATIENCE_S = 60.0


class Writer(threading.Thread):
    """Appends to a thread of its own until it is over, each fact again until it is acknowledged."""

    def __init__(self, store: PostgresStore, name: str, over: threading.Event) -> None:
        super().__init__()
        self.store, self.id, self.over = store, name, over
        self.acknowledged: list[str] = []
        self.unanswered = 0
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            while not self.over.is_set():
                key = f"k{len(self.acknowledged)}"
                self.append(key)
                self.acknowledged.append(key)
        except Exception as error:
            self.error = error

    def append(self, key: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.store.commit_now(Append(self.id, [fact(key=key)]))
                return
            except StoreUnavailable as error:
                if not error.retryable or time.monotonic() > deadline:
                    raise
                self.unanswered += 1
                time.sleep(0.01)


@pytest.mark.long  # the server syncs its whole folder at each start
@pytest.mark.skipif(GIVEN in os.environ, reason="a server that was given is not killed")
def test_a_server_that_is_killed_under_load_loses_nothing_acknowledged(
    postgres: Cluster, postgres_url: str, proof: Report
) -> None:
    over = threading.Event()
    with postgres.durable(), closing(PostgresStore(postgres_url)) as store:
        writers = [Writer(store, f"t{n}", over) for n in range(WRITERS)]
        for writer in writers:
            launch(store, writer.id)
            writer.start()
        for number in CRASHES * CRASHES_EACH:
            time.sleep(BETWEEN_S)
            postgres.crash(number)
        time.sleep(BETWEEN_S)
        over.set()
        for writer in writers:
            writer.join()
        proof.add(runs=len(CRASHES) * CRASHES_EACH)
        acknowledged = sum(len(writer.acknowledged) for writer in writers)
        proof.note(f"{acknowledged} facts acknowledged under {len(CRASHES) * CRASHES_EACH} crashes")

        assert [writer.error for writer in writers] == [None] * WRITERS
        assert sum(writer.unanswered for writer in writers) > 0
        for writer in writers:
            keys = [event.key for event in store.load(writer.id).events]
            lost = set(writer.acknowledged) - set(keys)
            proof.add(runs=0, lost=len(lost), duplicated=len(keys) - len(set(keys)))
            assert keys == ["delivery:1", *writer.acknowledged]
        assert store.rebuild().differed == ()
