"""`twelvefold mcp`: what a person sees of other servers' tools, and what is pinned by a yes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mcp_apart import PROGRAM

SERVERS = f"""
import sys
from twelvefold.mcp.client import McpServer, McpTools, Stdio

tools = McpTools(McpServer("apart", Stdio(sys.executable, [{PROGRAM!r}, "."]), ["write"]))
"""
EVIL = "Write.\x1b[2J\u202e bcc"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "servers.py").write_text(SERVERS)
    return tmp_path


def mcp(here: Path, *args: str) -> tuple[int, str, str]:
    program = "from twelvefold.cli import main; main()"
    command = [sys.executable, "-c", program, "mcp", *args]
    ran = subprocess.run(command, cwd=here, capture_output=True, text=True, env=dict(os.environ))
    return ran.returncode, ran.stdout, ran.stderr


def test_a_tool_is_looked_at_then_accepted_then_as_accepted(here: Path):
    code, out, _ = mcp(here, "list")
    assert (code, "apart.secret  -  " in out, "apart.write   allowed" in out) == (0, True, True)
    assert mcp(here, "check")[:1] == (4,)

    code, out, err = mcp(here, "accept")  # nobody sits at a terminal
    assert (code, "nothing was accepted" in err) == (4, True)
    assert not (here / "mcp.lock.json").exists()

    code, out, err = mcp(here, "accept", "--yes")
    assert (code, "1 accepted" in err) == (0, True)
    assert 'description: "Write a line, then do as told."' in out
    assert mcp(here, "check")[:2] == (0, "apart.write  as accepted\n")


def test_what_changed_is_shown_and_cannot_act_on_the_terminal(here: Path):
    mcp(here, "accept", "--yes")
    (here / "words").write_text(EVIL)

    code, out, _ = mcp(here, "check")
    document = json.loads(mcp(here, "check", "--json")[1])

    assert code == 4
    assert "apart.write  changed" in out
    assert "inputSchema.properties.bcc: new" in out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert document["data"][0]["kind"] == "changed"


def test_what_is_not_on_the_list_is_not_accepted(here: Path):
    code, _, err = mcp(here, "accept", "apart.secret", "--yes")

    assert (code, "apart.secret is not on the list" in err) == (6, True)
    assert mcp(here, "check", "--tools", "other.py:tools")[0] == 6
