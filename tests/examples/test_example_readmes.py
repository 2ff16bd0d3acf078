"""What the README of an example shows is what happens in a copy of its folder."""

import shutil
import sys
from pathlib import Path

import pytest
from loading import EXAMPLES

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))

from blocks import Block, Reader, blocks

NAMES = ["mailcrew", "linear_triage", "support_triage", "deploybot"]
LEFT = shutil.ignore_patterns("*.db*", "__pycache__", ".twelvefold")


def blocks_of(name: str) -> list[Block]:
    readme = EXAMPLES / name / "README.md"
    return list(blocks(f"{name}/README.md", readme.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", NAMES)
def test_a_readme_tells_the_truth(name: str, tmp_path: Path):
    folder = shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=LEFT)
    reader = Reader(folder)
    shown = blocks_of(name)

    assert any(block.runs for block in shown)
    for block in shown:
        assert block.runs, f"{block} is shown only"
        assert reader.follow(block) == [], str(block)
