"""What the first pages show is what happens on a machine that has only the wheel."""

import os
from pathlib import Path

import pytest
from blocks import ROOT, Reader, blocks

from installed import Machine, machine


@pytest.fixture(scope="module")
def wheeled(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    base = tmp_path_factory.getbasetemp()
    return machine((base.parent if base.name.startswith("popen-") else base) / "machine")


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        pytest.param("docs/quickstart.md", marks=pytest.mark.long),
        pytest.param("docs/scaffold.md", marks=pytest.mark.long),
        pytest.param("docs/eject.md", marks=pytest.mark.long),
    ],
)
def test_a_page_from_the_wheel(page: str, wheeled: Machine, tmp_path: Path):
    path = f"{wheeled.bin}{os.pathsep}{os.environ['PATH']}"
    reader = Reader(tmp_path, env={"PATH": path, "PYTHONPATH": ""})

    text = (ROOT / page).read_text(encoding="utf-8")
    for block in filter(lambda block: block.runs, blocks(Path(page).name, text)):
        assert reader.follow(block) == [], str(block)
