"""The API under Schemathesis, every check and phase, on both databases, as a process of its own.

`make prove` tries five seeds; `make test` one, with few examples.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PATIENCE_S = 120
RUN_S = 1_500
SEEDS = (1, 2, 3, 4, 5)
PHASES = ("examples", "coverage", "fuzzing", "stateful")


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'api.db'}"


@contextmanager
def server(store_url: str) -> Generator[dict[str, str]]:
    """Where it is, and a key."""
    process = subprocess.Popen(
        [sys.executable, HERE / "fuzzed.py", store_url], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        process.communicate()


def fuzzed(store_url: str, folder: Path, *options: str) -> tuple[int, str]:
    """The exit code of `st run`, and what it says."""
    with server(store_url) as there:
        command = ["st", "--config-file", str(HERE / "schemathesis.toml"), "run"]
        command += [f"{there['url']}/openapi.json", "--checks", "all", "--no-color"]
        command[0] = str(Path(sys.executable).with_name("st"))
        environ: dict[str, Any] = dict(os.environ, TWELVEFOLD_FUZZ_KEY=there["key"])
        environ |= {"SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": str(HERE)}
        environ |= {"NO_PROXY": "*", "no_proxy": "*"}
        done = subprocess.run(
            [*command, *options],
            env=environ,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
    return done.returncode, done.stdout + done.stderr


def test_a_seed_finds_nothing(store_url: str, tmp_path: Path):
    options = ("--seed", "1", "--max-examples", "3", "--phases", "examples,fuzzing,stateful")
    code, said = fuzzed(store_url, tmp_path, *options)

    assert code == 0, said
    assert re.search(r"Selected: (\d+)/\1\n +Tested: \1\n", said), said


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_five_seeds_find_nothing(seed: int, store_url: str, tmp_path: Path):
    options = ("--seed", str(seed), "--max-examples", "25", "--phases", ",".join(PHASES))
    code, said = fuzzed(store_url, tmp_path, *options)

    assert code == 0, said
    assert all(f"✅ {phase.capitalize()}" in said for phase in PHASES)


def test_a_server_that_breaks_its_promise_is_found(tmp_path: Path):
    code, said = fuzzed(
        f"sqlite:///{tmp_path / 'api.db'}",
        tmp_path,
        *("--seed", "1", "--max-examples", "3", "--phases", "fuzzing"),
        *("--include-path", "/livez", "--max-response-time", "0.000001"),
    )

    assert code == 1
    assert "Failures" in said
