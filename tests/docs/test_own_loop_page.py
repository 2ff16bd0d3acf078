"""The own-loop page is the whole truth: few lines, three parts of ours, no hidden token."""

import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from blocks import ROOT, Reader, blocks
from chat_server import chat_server

from twelvefold.context import parse

PAGE = ROOT / "docs" / "own_loop.md"
LINES_MAX = 25
OURS = {"context", "exceptions", "prompts", "thread", "tools"}
SENT = {"model", "messages"}
TAGS = ["user_message", "error", "add", "add_result", "add", "add_result"]


def program(name: str) -> str:
    [text] = [b.text for b in blocks(PAGE.name, PAGE.read_text()) if b.note == f"file: {name}"]
    return text


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], str]:
    """What the server got from the program of the page, and the prompt file."""
    folder: Path = tmp_path_factory.mktemp("own_loop")
    with chat_server() as recorded:
        reader = Reader(folder, env=recorded.env)
        for block in blocks(PAGE.name, PAGE.read_text()):
            if block.note in {"file: write_prompt.py", "file: steps.py", "file: add.py"}:
                assert reader.follow(block) == []
        return recorded.bodies, (folder / "next_step.md").read_text()


def test_every_character_is_in_the_file_or_a_rendered_event(
    sent: tuple[list[dict[str, Any]], str],
):
    bodies, file = sent
    _, rules, last = re.split(r"^--- (?:system|user)\n", file, flags=re.MULTILINE)
    before, after = last.split("{{ thread }}")
    histories = [body["messages"][1]["content"] for body in bodies]

    assert len(bodies) == 4
    for body, history in zip(bodies, histories, strict=True):
        assert set(body) == SENT
        assert body["messages"][0] == {"role": "system", "content": rules}
        assert (len(body["messages"]), body["messages"][1]["role"]) == (2, "user")
        events = parse(history.removeprefix(before).removesuffix(after))  # and nothing between
        assert [tag for tag, _ in events] == TAGS[: len(events)]
    assert len(events) == len(TAGS)
    for one, following in pairwise(histories):
        assert following.startswith(one.removesuffix(after))


def test_the_page_shows_the_last_request_to_the_byte(sent: tuple[list[dict[str, Any]], str]):
    bodies, _ = sent
    shown = program_output("python show.py")

    _, _, history = shown.partition("--- user\n")
    before, after = history.split("...\n")
    content = bodies[-1]["messages"][1]["content"]
    assert content.startswith(before)
    assert content.endswith(after)


def program_output(command: str) -> str:
    [text] = [b.text for b in blocks(PAGE.name, PAGE.read_text()) if f"$ {command}" in b.text]
    return text


def test_it_takes_few_lines_and_three_parts_of_ours():
    source = program("add.py")
    lines = [line for line in source.splitlines() if line]
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom)]
    named = [(node.module or "").split(".") for node in nodes]

    assert len(lines) == LINES_MAX
    assert f"These are {LINES_MAX} lines, imports included" in PAGE.read_text()
    assert {name[1] for name in named if name[0] == "twelvefold"} == OURS
