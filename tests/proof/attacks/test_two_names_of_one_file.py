"""A log has one lock, however its file is named: two engines on it would run a tool twice."""

import os
from pathlib import Path

import pytest

from twelvefold.stores.sqlite import SqliteStore, runner_pid


def test_a_symlink_to_the_log_has_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    store, linked = SqliteStore(tmp_path / "a.db"), SqliteStore(tmp_path / "link.db")

    with store.runner_lock() as held, linked.runner_lock() as also_held:
        assert (held, also_held) == (True, False)
        assert runner_pid(tmp_path / "link.db") == os.getpid()
    store.close()
    linked.close()


def test_a_relative_name_means_the_same_lock_wherever_the_process_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    store = SqliteStore("a.db")

    with store.runner_lock() as held:
        monkeypatch.chdir(tmp_path / "sub")
        with store.runner_lock() as also_held:
            assert (held, also_held) == (True, False)
    store.close()
