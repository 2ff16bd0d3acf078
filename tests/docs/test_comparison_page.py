"""docs/comparison.md: our own rows are what happens now, the others' versions are those pinned, and
every source that is cited is named."""

import re

import pytest
from benchmarks.peers.__main__ import NAMED, pin
from benchmarks.peers.promises import cells
from blocks import ROOT
from test_docs_complete import rows

PAGE = (ROOT / "docs/comparison.md").read_text(encoding="utf-8")
OURS = {"twelvefold": "ours", "twelvefold, `retry_safe=True`": "ours, retry_safe"}


@pytest.mark.parametrize("side", OURS)
def test_our_row_is_what_happens(side: str):
    [row] = [row for row in rows(PAGE) if row[0] == side]
    paid, went_on, paid_again, heard = cells(OURS[side])

    assert [row[1][0], row[3][0]] == [paid[0], paid_again[0]]
    assert went_on.split()[0].rstrip(":s") in row[2]
    assert all(quoted in went_on for quoted in re.findall(r'"([^"]+)"', row[2]))
    assert heard.startswith("refused: ")
    assert "already approved by anna" in heard


def test_the_versions_are_those_that_are_pinned():
    for venv, (first, *_) in NAMED.items():
        assert pin(venv, first) in PAGE.replace("\n", " "), venv


def test_each_source_that_is_cited_is_named_and_each_that_is_named_is_cited():
    text, _, sources = PAGE.partition("## Sources")

    assert sources
    assert set(re.findall(r"\[(\d)\]", text)) == set(re.findall(r"^(\d)\. ", sources, re.MULTILINE))
