"""What README and docs show is what happens: programs run, and commands write what is printed."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from blocks import PAGES, PROGRAM, ROOT, Block, Reader, blocks, commands, pattern, replaced
from chat_server import chat_server

FIRST_AGENT = "examples/first_agent/app.py"
BEGINS_WITH = {
    "add.md": FIRST_AGENT,
    "audit.md": FIRST_AGENT,
    "cli.md": FIRST_AGENT,
    "effects.md": FIRST_AGENT,
    "files.md": FIRST_AGENT,
    "operations.md": FIRST_AGENT,
    "scale.md": FIRST_AGENT,
    "state.md": FIRST_AGENT,
    "testing.md": FIRST_AGENT,
    "two-workers.md": FIRST_AGENT,
}
"""The `app.py` that a reader of the page has already."""

ASKS_A_MODEL = {"own_loop.md"}
"""Pages whose reader has a key and a server: `chat_server`."""

STORE = "TWELVEFOLD_STORE"
HAS_POSTGRES = {"postgres.md": STORE, "scale.md": STORE, "two-workers.md": "NEW"}
"""Pages whose reader has named an empty database, and the variable with its URL."""

SHELLS = {"sh", "bash", "shell", "shellsession"}
AGENT_LINES_MAX = 25


def blocks_of(page: Path) -> list[Block]:
    return list(blocks(page.name, page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_is_what_happens(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
):
    reader = Reader(tmp_path)
    if page.name in BEGINS_WITH:
        reader.has(BEGINS_WITH[page.name], "app.py")

    with chat_server() if page.name in ASKS_A_MODEL else nullcontext() as recorded:
        reader.env = recorded.env if recorded else {}
        if page.name in HAS_POSTGRES:
            reader.env[HAS_POSTGRES[page.name]] = request.getfixturevalue("empty_postgres_url")
        for block in filter(lambda block: block.runs, blocks_of(page)):
            assert reader.follow(block) == [], str(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_block_that_is_not_run_says_why(page: Path):
    for block in blocks_of(page):
        assert block.language not in SHELLS, f"{block}: use console, with prompts and output"
        if block.note.startswith("not run"):
            assert len(block.note.removeprefix("not run:").split()) >= 2, str(block)


def test_enough_is_run():
    runs = [block for page in PAGES for block in blocks_of(page) if block.runs]

    assert {"README.md", "quickstart.md", "testing.md", "cli.md"} <= {b.page for b in runs}
    assert sum(len(commands(b.text)) for b in runs if b.language != PROGRAM) >= 20


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_the_first_agent_is_the_same_everywhere_and_small(page: str):
    source = (ROOT / FIRST_AGENT).read_text(encoding="utf-8")
    shown = [b.text for b in blocks_of(ROOT / page) if b.note == "file: app.py"]

    assert shown == [source]
    assert len([line for line in source.splitlines()[1:] if line]) <= AGENT_LINES_MAX


# What must be noticed is noticed


def complaints(text: str, folder: Path) -> list[str]:
    reader = Reader(folder)
    return [c for b in blocks("page.md", text) if b.runs for c in reader.follow(b)]


@pytest.mark.parametrize(
    "text",
    [
        "```python\nimport nowhere_at_all\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
        "words\n\n    $ echo one\n    two\n",
        "```console\n$ echo one; echo two\none\n```\n",
        "```console\n$ echo a1b2c3 a1b2c4\na1b2c3 a1b2c3\n```\n",
        "```console\n$ echo one\n...\ntwo\n```\n",
    ],
)
def test_a_page_that_does_not_tell_the_truth_is_noticed(text: str, tmp_path: Path):
    assert complaints(text, tmp_path)


def test_what_differs_from_run_to_run_may_differ(tmp_path: Path):
    text = (
        "```console\n$ echo a1b2c3 took 0.4s, 3 min ago\nz9y8x7 took 0.1s, 8 s ago\n"
        "$ echo z9y8x7.s1\nz9y8x7.s1\n$ printf 'a\\nb\\nc\\n'\na\n...\n```\n"
    )

    assert complaints(text, tmp_path) == []


def test_a_block_marked_as_not_run_is_not_run(tmp_path: Path):
    text = "<!-- not run: it needs a network -->\n```console\n$ false\nnever\n```\n"

    assert complaints(text, tmp_path) == []


def test_words_and_versions_are_no_ids():
    assert pattern("thread deploy v1.2.3 4af9ec0", {}) == (r"thread\ deploy\ v1\.2\.3\ 4af9ec0", [])


def test_a_definition_is_replaced_by_name():
    source = "def a():\n    return 1\n\nb = a()\n"

    assert replaced(source, "import os\ndef a():\n    return 2\n").split("\n") == [
        "import os",
        "def a():",
        "    return 2",
        "b = a()",
        "",
    ]
    with pytest.raises(AssertionError, match="nothing to replace"):
        replaced(source, "def c(): ...")
