"""Each module from `plan` down works alone: a fresh interpreter loads nothing that is above it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "twelvefold"


def layers() -> list[list[str]]:
    """The layers of import-linter, the highest first, siblings together."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    [rows] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [re.findall(r"\w+", row) for row in rows]


def not_below(layer: int, name: str) -> list[str]:
    """What `name` may not load: the layers above it, and its siblings."""
    above = [other for row in layers()[:layer] for other in row]
    return above + [sibling for sibling in layers()[layer] if sibling != name]


PLAN = next(n for n, row in enumerate(layers()) if "plan" in row)
ALONE = [(n, name) for n, row in enumerate(layers()) for name in row if n >= PLAN]

SCRIPT = """
import importlib, pkgutil, sys
module = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(getattr(module, "__path__", []), sys.argv[1] + "."):
    importlib.import_module(found.name)
print("\\n".join(sys.modules))
"""


def loaded_by(name: str) -> set[str]:
    command = [sys.executable, "-c", SCRIPT, f"twelvefold.{name}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(("layer", "name"), ALONE, ids=[name for _, name in ALONE])
def test_a_module_loads_nothing_above_it(layer: int, name: str):
    loaded = loaded_by(name)

    assert f"twelvefold.{name}" in loaded
    assert {f"twelvefold.{other}" for other in not_below(layer, name)} & loaded == set()


@pytest.mark.parametrize("name", ["exceptions", "encoding", "thread", "summary"])
def test_a_list_of_threads_needs_only_the_standard_library(name: str):
    assert {"pydantic", "jinja2", "yaml", "click", "rich"} & loaded_by(name) == set()


def test_every_module_below_plan_is_checked():
    below = {name for _, name in ALONE}
    above = {name for row in layers()[:PLAN] for name in row}
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}

    assert {"plan", "context", "reducer", "thread"} <= below
    assert found - below - above - {"__init__", "__pycache__", "py", "py.typed"} == set()
