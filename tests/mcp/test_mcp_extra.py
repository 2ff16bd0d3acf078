"""The SDK is loaded where MCP is used, and its absence is one line that says what to do."""

import subprocess
import sys

import pytest

BLOCKED = "import sys; sys.modules['mcp'] = None; sys.modules['mcp_types'] = None; "
APP = "from twelvefold import App; from twelvefold.testing import MemoryStore; "
NEEDS = "pip install 'twelvefold[mcp"


def python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_neither_the_library_nor_the_package_loads_the_sdk():
    ran = python("import sys, twelvefold, twelvefold.mcp, twelvefold.cli; print(*sys.modules)")

    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "twelvefold" in loaded
    assert not loaded & {"mcp", "mcp_types", "fastapi", "starlette", "uvicorn"}


@pytest.mark.parametrize(
    "use",
    [
        "from twelvefold.mcp import mcp_app; mcp_app(App([], store=MemoryStore()))",
        "from twelvefold.mcp import mount; from twelvefold.server import create_app;"
        " mount(create_app(App([], store=MemoryStore())))",
        "from twelvefold.mcp import serve_stdio; serve_stdio(App([], store=MemoryStore()), 'me')",
    ],
)
def test_a_missing_extra_is_one_clear_line(use: str):
    ran = python(BLOCKED + APP + use)

    assert ran.returncode == 1
    last = ran.stderr.strip().split("\n")[-1]
    assert "ConfigurationError" in last
    assert NEEDS in last


@pytest.mark.parametrize("command", ["mcp serve", "serve --mcp --port 0"])
def test_the_command_line_says_it_without_a_trace(command: str, tmp_path: object):
    code = f"{BLOCKED}from twelvefold.cli import call; sys.exit(call({command.split()!r}))"
    folder = str(tmp_path)
    with open(f"{folder}/agents.py", "w", encoding="utf-8") as file:
        file.write("from twelvefold import App\napp = App([])\n")

    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "", "TWELVEFOLD_APP": "agents.py:app"},
    )

    assert ran.returncode not in (0, 1)
    assert NEEDS in ran.stderr
    assert "Traceback" not in ran.stderr
