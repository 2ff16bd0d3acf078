"""The programs of a page of docs/frameworks, with what the page says to change elsewhere."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from docs.blocks import ROOT, Block, Reader, blocks

FOLDER = ROOT / "docs" / "frameworks"
Change = tuple[str, str, str]
"""A file, what is there, what instead."""


def blocks_of(page: str) -> list[Block]:
    return list(blocks(page, (FOLDER / page).read_text(encoding="utf-8")))


def kept(page: str, folder: Path, *changes: Change) -> None:
    """The files that the page keeps, in a folder, with changes."""
    reader = Reader(folder)
    for block in blocks_of(page):
        if block.is_kept:
            assert reader.follow(replace(block, text=changed(block, changes))) == []


def changed(block: Block, changes: tuple[Change, ...]) -> str:
    text = block.text
    for file, old, new in changes:
        if block.note == f"keep: {file}":
            assert old in text
            text = text.replace(old, new)
    return text


def ran(folder: Path, *command: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Python with these arguments."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder)} | env,
        capture_output=True,
        text=True,
        timeout=120,
    )
