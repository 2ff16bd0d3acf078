"""Whatever the library has is on its page, and what a page lists is there.

`gaps` compares what is listed with what there is; each list is tried with an entry taken away, too.
"""

import ast
import asyncio
import random
import re
import runpy
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import pytest
from blocks import PAGES, ROOT

import twelvefold
import twelvefold.testing
from histories import history
from twelvefold import App, effects, exceptions
from twelvefold.cli import exits
from twelvefold.state import Chosen, State
from twelvefold.steps import CORE_EVENTS
from twelvefold.testing import MemoryStore
from twelvefold.thread import Thread

SOURCE = ROOT / "src" / "twelvefold"
NAMES_MAX = 30
HISTORIES, MOVES = 150, 30


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every table row."""
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def names(cell: str) -> list[str]:
    return [name.strip("[]").partition(":")[0] for name in re.findall(r"`([^`]+)`", cell)]


def first_names(text: str) -> list[str]:
    """What stands in code in the first column of the tables."""
    return [name.rstrip("/") for row in rows(text) for name in names(row[0])]


def headings(text: str) -> list[str]:
    return re.findall(r"^## `(\w+)`$", text, re.MULTILINE)


def in_code(text: str) -> list[str]:
    return re.findall(r"`(\w+)[`(]", text)


# What there is


def all_effects() -> set[str]:
    def flat(form: Any) -> Iterator[str]:
        parts = [p for p in get_args(form) if not hasattr(p, "__constraints__")]
        cls = getattr(form, "__origin__", form)
        if isinstance(cls, type) and cls.__module__.startswith(effects.__name__):
            yield "run" if cls is effects.Run else cls.__name__
        else:
            for part in parts:
                yield from flat(part)

    return set(flat(effects.Effect))


def all_exceptions() -> set[str]:
    found = {n: value for n, value in vars(exceptions).items() if isinstance(value, type)}
    return {name for name, cls in found.items() if issubclass(cls, Exception)}  # Any is a class


def all_modules() -> set[str]:
    found = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or path.is_dir()}
    return {name for name in found if not name.startswith("_")}


def all_testing() -> set[str]:
    return set(twelvefold.testing.__all__)


def all_events() -> set[str]:
    return set(CORE_EVENTS)


List = Callable[[str], list[str]]
COMPLETE: dict[str, tuple[str, List, Callable[[], set[str]]]] = {
    "events": ("docs/events.md", first_names, all_events),
    "effects": ("docs/effects.md", headings, all_effects),
    "effects at a glance": ("docs/effects.md", first_names, all_effects),
    "exceptions": ("docs/errors.md", first_names, all_exceptions),
}
"""Pages that list all there is, and nothing else."""

MENTIONED: dict[str, tuple[str, List, Callable[[], set[str]]]] = {
    "modules": ("docs/architecture.md", first_names, all_modules),
    "testing": ("docs/testing.md", in_code, all_testing),
    "the tree of exceptions": (
        "src/twelvefold/exceptions/__init__.py",
        lambda text: re.findall(r"\w+", ast.get_docstring(ast.parse(text)) or ""),
        all_exceptions,
    ),
}
"""Pages that name all there is, among other things."""


def gaps(text: str, listed: List, there: set[str], *, only: bool) -> set[str]:
    found = set(listed(text))
    return there ^ found if only else there - found


@pytest.mark.parametrize("what", [*COMPLETE, *MENTIONED])
def test_a_page_names_all_there_is(what: str):
    page, listed, there = (COMPLETE | MENTIONED)[what]

    assert len(there()) > 3
    assert gaps(text_of(page), listed, there(), only=what in COMPLETE) == set()


@pytest.mark.parametrize("what", [*COMPLETE, *MENTIONED])
def test_what_a_page_leaves_out_is_noticed(what: str):
    page, listed, there = (COMPLETE | MENTIONED)[what]
    gone = sorted(there())[0]
    text = re.sub(rf"\b{gone}\b", "something", text_of(page))

    assert gone in gaps(text, listed, there(), only=what in COMPLETE)


@pytest.mark.parametrize("what", COMPLETE)
def test_what_a_page_invents_is_noticed(what: str):
    page, listed, there = COMPLETE[what]
    text = text_of(page) + "\n## `invented`\n\n| `invented` | |\n"

    assert gaps(text, listed, there(), only=True) == {"invented"}


def test_the_exit_code_of_each_exception_is_the_one_on_its_page():
    table = [row for row in rows(text_of("docs/errors.md")) if names(row[0])]

    assert len(table) == len(all_exceptions())
    for row in table:
        cls = getattr(exceptions, names(row[0])[0])
        assert exits.code_of(cls.__new__(cls)) == int(row[3]), cls.__name__


# The package


def test_the_public_names_are_few_and_all_of_them_can_be_imported():
    public = twelvefold.__all__

    assert len(public) == len(set(public)) <= NAMES_MAX
    for name in public:
        assert getattr(twelvefold, name) is not None
    assert set(public) == imported_for_types(text_of("src/twelvefold/__init__.py"))
    assert set(public) == set(twelvefold._HOME_OF)


def imported_for_types(source: str) -> set[str]:
    """What a type checker sees in the package: it cannot follow `__getattr__`."""
    nodes = ast.walk(ast.parse(source))
    imports = (n for n in nodes if isinstance(n, ast.ImportFrom) and n.module)
    return {a.name for n in imports if str(n.module).startswith("twelvefold.") for a in n.names}


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        import_module("twelvefold").nothing_of_this_name  # noqa: B018


# What decide reads


@pytest.mark.parametrize(("heading", "thing"), [("State", State), ("Chosen", Chosen)])
def test_each_attribute_that_the_page_names_is_there(heading: str, thing: type):
    text = text_of("docs/state.md").partition(f"## `{heading}`")[2].partition("\n## ")[0]
    found = [name.partition("(")[0] for row in rows(text) for name in names(row[0])]
    there = set(dir(thing)) | set(vars(State(Thread("t", "a"))) if thing is State else ())

    assert len(found) > 5
    assert [name for name in found if name not in there] == []


# What events carry


def documented() -> dict[str, set[str]]:
    """Event types to the names in their rows; an empty first cell continues the row above."""
    found: dict[str, set[str]] = defaultdict(set)
    event = ""
    for row in rows(text_of("docs/events.md")):
        event = names(row[0])[0] if names(row[0]) else event
        found[event] |= set(names(row[2]))
    return found


def recorded() -> dict[str, set[str]]:
    """Event types to the names of their data, over many histories and a run of the first agent."""
    chances = [random.Random(seed) for seed in range(HISTORIES)]
    threads = [history(chance.choices(range(1000), k=MOVES)) for chance in chances]
    found: dict[str, set[str]] = defaultdict(set)
    for event in chain(asyncio.run(played()).events, *(thread.events for thread in threads)):
        found[event.type] |= set(event.data)
    return found


async def played() -> Thread:
    app: App = runpy.run_path(str(ROOT / "examples/first_agent/app.py"))["app"]
    app.use_store(MemoryStore())
    await app.launch("bot", "deploy", thread_id="t1", channel="mail", sender="anna")
    await app.run(until_idle=True)
    await app.answer("t1.s1.1", "deny", by="anna", comment="use v2")
    await app.run(until_idle=True)
    await app.answer("t1.s2.1", "edit", by="anna", changes={"tag": "v3"})
    await app.run(until_idle=True)
    return app.thread("t1")


def test_what_events_carry_is_what_the_page_says():
    said, carried = documented(), recorded()
    core = set(carried) & CORE_EVENTS

    assert len(core) >= 20
    assert {"usage", "prompt", "edits", "vote"} <= carried["next_step_chosen"]
    assert {type: carried[type] - said[type] for type in core if carried[type] - said[type]} == {}


# Links


def dead_links(page: Path, text: str) -> list[str]:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
    return [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path):
    assert dead_links(page, page.read_text(encoding="utf-8")) == []


def test_a_dead_link_is_noticed():
    assert dead_links(ROOT / "README.md", "[a](docs/nowhere.md) [b](docs/cli.md)") == [
        "docs/nowhere.md"
    ]


def test_the_map_leads_to_every_page():
    folders = r"(?:(?:channels|frameworks|tutorials)/)?"
    links = set(re.findall(rf"\]\({folders}([\w-]+\.md)\)", text_of("docs/index.md")))

    assert links == {page.name for page in PAGES} - {"README.md", "index.md"}
