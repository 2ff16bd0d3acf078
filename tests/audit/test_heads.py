"""Exported heads: what is kept outside finds what a chain cannot."""

from pathlib import Path
from typing import Any

import pytest
from logs import *  # noqa: F403
from logs import Raw

from contracts.store import NOW, fact, launch
from twelvefold.audit import Broken, Head, Verified, commitment, export, link, read_heads, verify
from twelvefold.exceptions import InvalidFile
from twelvefold.store import Append, Create
from twelvefold.testing import MemoryStore

KEY = b"k" * 32
LACKS = '{"schema":"twelvefold.heads/1","threads":1}\n{"tenant":"a"}\n{"signature":null}\n'
OTHER = '{"schema":"another","threads":0}\n{"signature":null}\n'


def recompute(raw: Raw, id: str, rows: list[dict[str, Any]]) -> None:
    """Write these events and every hash anew, as whoever may write to the database can."""
    recorded = raw.recorded(id)
    before = recorded.genesis
    for row in rows:
        place = (row["seq"], row["type"], row["v"], row["key"], row["after"], row["at"])
        before = link(before, recorded.tenant, id, place, commitment(row["salt"], row["data"]))
        row["chain"] = before
    raw.put(id, rows)
    raw.change_row(id, "head", len(rows))
    raw.change_row(id, "chain", before)


def test_a_chain_that_was_computed_anew_is_found_only_against_an_exported_head(
    logs: list[str], store: Any, raw: Raw
):
    heads = read_heads(export(store.heads(), at=NOW))
    with raw.undone():
        rows = raw.rows("t1")
        rows[3]["data"] = '{"text":"I never said that"}'
        recompute(raw, "t1", rows)

        assert verify(raw.recorded("t1")) == Verified("default", "t1", len(rows))
        found = verify(raw.recorded("t1"), heads["default", "t1"])

    assert isinstance(found, Broken)
    assert found.seq == len(rows)
    assert "written anew after the head was exported" in found.why


@pytest.mark.parametrize("gone", [1, 3])
def test_a_log_that_was_cut_off_is_found_only_against_an_exported_head(
    logs: list[str], store: Any, raw: Raw, gone: int
):
    heads = read_heads(export(store.heads(), at=NOW))
    with raw.undone():
        rows = raw.rows("t1")
        recompute(raw, "t1", rows[:-gone])

        assert verify(raw.recorded("t1")) == Verified("default", "t1", len(rows) - gone)
        found = verify(raw.recorded("t1"), heads["default", "t1"])

    assert isinstance(found, Broken)
    assert found.seq == len(rows) - gone + 1
    assert f"the exported head is event {len(rows)}" in found.why


def test_a_log_that_only_grew_still_has_its_exported_head(logs: list[str], store: Any):
    heads = read_heads(export(store.heads(), at=NOW))
    store.commit_now(Append("t1", [fact("noted"), fact("noted")]))

    head = heads["default", "t1"]
    assert verify(store.recorded("t1"), head) == Verified("default", "t1", head.head + 2)


def test_an_empty_thread_that_was_begun_anew_is_found(store: Any):
    store.commit_now(Append("t1", [], create=Create("bot")))
    (head,) = store.heads()

    assert verify(store.recorded("t1"), head) == Verified("default", "t1", 0)
    other = Head(head.tenant, head.id, 0, bytes(32))
    assert isinstance(verify(store.recorded("t1"), other), Broken)


def test_what_came_after_the_exported_head_may_be_anything(logs: list[str], store: Any, raw: Raw):
    """So it is exported often: only what the head covers is known to be what it was."""
    head = read_heads(export(store.heads(), at=NOW))["default", "t1"]
    store.commit_now(Append("t1", [fact("noted", n=1)]))
    with raw.undone():
        rows = raw.rows("t1")
        rows[-1]["data"] = '{"n":2}'
        recompute(raw, "t1", rows)

        assert isinstance(verify(raw.recorded("t1"), head), Verified)


def test_an_export_reads_back_as_it_was():
    heads = [Head("default", "a\u2028\u0085b", 3, bytes(32)), Head("acme", "c", 0, b"\1" * 32)]

    for key in (None, KEY):
        text = export(heads, at=NOW, key=key)
        assert list(read_heads(text, key=key).values()) == heads
        assert list(read_heads(text).values()) == heads
    assert read_heads(export([], at=NOW, key=KEY), key=KEY) == {}


def signed() -> str:
    store = MemoryStore()
    launch(store, "t1")
    launch(store, "t2")
    return export(store.heads(), at=NOW, key=KEY)


@pytest.mark.parametrize("line", range(4))
def test_a_changed_byte_of_a_signed_export_is_found(line: int):
    lines = signed().splitlines(keepends=True)
    for at in range(2, len(lines[line]) - 1, 7):
        changed = lines[line][:at] + "#" + lines[line][at + 1 :]
        with pytest.raises(InvalidFile):
            read_heads("".join([*lines[:line], changed, *lines[line + 1 :]]), key=KEY)


def test_an_export_that_lost_its_signature_or_a_line_is_refused():
    first, one, two, last = signed().splitlines(keepends=True)

    for text in (first + one + last, first + one + two, one + two + last, first + two + one + last):
        with pytest.raises(InvalidFile):
            read_heads(text, key=KEY)
    with pytest.raises(InvalidFile, match="lacks lines"):
        read_heads(first + one + last)
    unsigned = first + one + two + '{"signature":null}\n'
    assert len(read_heads(unsigned)) == 2
    with pytest.raises(InvalidFile, match="signed"):
        read_heads(unsigned, key=KEY)


def test_another_key_and_a_short_one_are_refused():
    with pytest.raises(InvalidFile, match="another key"):
        read_heads(signed(), key=b"x" * 32)
    with pytest.raises(InvalidFile, match="32 are needed"):
        export([], at=NOW, key=b"short")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "{}",
        "[]\n",
        "null\n{}\n",
        '{"schema":"twelvefold.heads/1"}\n',
        "a\n" * 5,
        LACKS,
        OTHER,
    ],
)
def test_what_is_no_export_is_refused(text: str, tmp_path: Path):
    with pytest.raises(InvalidFile):
        read_heads(text)
