"""The secret of a server: where it comes from, who may read it, what a signature is good for."""

import logging
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.known import client, cookie_of, signed_in
from twelvefold.app import App
from twelvefold.exceptions import ConfigurationError
from twelvefold.server.access.signing import KEY_BYTES, SETTING, Signing, kept_key, signing_of
from twelvefold.stores import open_store
from twelvefold.testing import MemoryStore

KEY = bytes(range(KEY_BYTES))


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path):
    path = tmp_path / "x.signing-key"

    first, second = kept_key(str(path)), kept_key(str(path))

    assert first == second
    assert len(first) == KEY_BYTES
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["x.signing-key"]


def test_many_that_start_at_once_read_one_whole_key(tmp_path: Path):
    found: list[bytes] = []
    start = threading.Barrier(8)

    def read() -> None:
        start.wait()
        found.append(kept_key(str(tmp_path / "x")))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int):
    path = tmp_path / "x"
    kept_key(str(path))
    path.chmod(mode)

    with pytest.raises(ConfigurationError, match="can be read by others"):
        kept_key(str(path))


@pytest.mark.parametrize("text", ["", "xyz", "00" * 31, "00" * 33, "0" * 63])
def test_a_key_that_is_none_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "x"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(ConfigurationError):
        Signing(kept_key(str(path)))


def test_a_folder_that_takes_no_file_says_what_to_set(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=SETTING):
        kept_key(str(tmp_path / "missing" / "x"))


def test_the_setting_counts_more_than_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = open_store(str(tmp_path / "x.db"))
    monkeypatch.setenv(SETTING, KEY.hex())

    assert signing_of(store).name == Signing(KEY).name
    assert signing_of(store, "11" * 32).name == Signing(b"\x11" * 32).name
    assert signing_of(store, b"\x22" * 32).name == Signing(b"\x22" * 32).name
    assert not (tmp_path / "x.db.signing-key").exists()
    monkeypatch.setenv(SETTING, "short")
    with pytest.raises(ConfigurationError, match="hex"):
        signing_of(store)


def test_processes_with_one_setting_know_each_others_visits(tmp_path: Path):
    here = App([], store=MemoryStore())
    there = App([], store=here.store)
    cookie = cookie_of(signed_in(client(here, signing_key=KEY), here))
    carried = {"Cookie": f"{cookie['name']}={cookie['value']}"}

    assert client(there, signing_key=KEY).get("/v1/threads", headers=carried).status_code == 200
    assert client(there).get("/v1/threads", headers=carried).status_code == 401


def test_a_log_without_a_file_says_that_visits_end_with_the_process(
    caplog: pytest.LogCaptureFixture,
):
    with caplog.at_level(logging.WARNING, "twelvefold.server"):
        one, other = signing_of(MemoryStore()), signing_of(MemoryStore())

    assert one.name != other.name
    assert SETTING in caplog.text


def test_the_key_is_in_no_text_of_it():
    assert KEY.hex() not in repr(vars(Signing(KEY))["name"])
    assert KEY.hex()[:8] != Signing(KEY).name


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_parts_that_differ_are_signed_differently(one: list[str], other: list[str]):
    signing = Signing(KEY)

    assert (signing.mac("p", *one) == signing.mac("p", *other)) == (one == other)
    assert signing.mac("p", *one) != signing.mac("q", *one)
    assert signing.is_mac(signing.mac("p", *one), "p", *one)
    assert not signing.is_mac(signing.mac("p", *one), "q", *one)


def test_nothing_but_the_owner_reads_it_whatever_the_umask_is(tmp_path: Path):
    before = os.umask(0)
    try:
        kept_key(str(tmp_path / "x"))
    finally:
        os.umask(before)

    assert (tmp_path / "x").stat().st_mode & 0o077 == 0
