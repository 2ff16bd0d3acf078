"""The walk of one webhook, as docs/architecture.md draws it: sent to a server, and followed.

The drawing has five parts. Inside each, its functions are entered in the order of its lines.
"""

import ast
import asyncio
import re
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from blocks import ROOT
from webhook_walk import MERGED, PATIENCE_S, SECRET, Follower, by_github, made, served, until

from channels import erp
from twelvefold import App
from twelvefold.inbound import Inbound
from twelvefold.stores.sqlite import SqliteStore

PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
PLACE = re.compile(r"^ (?P<part>[A-E])?[ │]+(?P<place>[a-z_.]+:[a-z_]+) ?", re.MULTILINE)
AFTER: Mapping[str, str] = {"B": "A", "C": "B", "D": "C", "E": "C"}
"""What has to have begun before a part begins."""

READING = {"triggers:read_json", "tables.appends:plan"}


def drawn(text: str) -> dict[str, list[str]]:
    """The functions of each part, in their order."""
    section = text.partition("## The walk of one webhook")[2].partition("\n## ")[0]
    parts: dict[str, list[str]] = {}
    part = ""
    for line in PLACE.finditer(section.split("```")[1]):
        part = line["part"] or part
        parts.setdefault(part, []).append(line["place"])
    return parts


def strayed(parts: Mapping[str, list[str]], entered: list[str]) -> list[str]:
    """Of each part, the first function that was not entered where it is drawn."""
    began, found = {}, []
    for part, places in parts.items():
        at = began.get(AFTER.get(part, ""), 0)
        for number, place in enumerate(places):
            if place not in entered[at:]:
                found.append(f"{part} {place}")
                break
            at = entered.index(place, at) + 1
            if number == 0:
                began[part] = at
    return found


@dataclass
class Walked:
    """What became of it: each answer with the functions that were entered until it came, all that
    were entered, what the other system was told, the keys of the tool, the types of the log."""

    answers: dict[str, tuple[httpx.Response, list[str]]]
    entered: list[str]
    posted: list[dict[str, Any]]
    keys: list[str]
    types: list[str]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    folder = tmp_path_factory.mktemp("walk")
    follower, keys = Follower({place for part in drawn(PAGE).values() for place in part}), []
    answers: dict[str, tuple[httpx.Response, list[str]]] = {}
    with erp.erp_system() as system, served(made(folder, system, keys), follower) as url:

        def post(name: str, source: str, body: bytes, headers: Mapping[str, str]) -> None:
            before = len(follower.entered)
            with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
                answer = client.post(f"/v1/triggers/{source}", content=body, headers=dict(headers))
            answers[name] = answer, follower.entered[before:]

        post("forged", "github", MERGED, by_github(MERGED, "guessed"))
        post("merged", "github", MERGED, by_github(MERGED, SECRET))
        until(lambda: system.posted)
        asked = system.posted[0][1]["data"]
        yes = {"contact": asked["contact"], "decision": "approve", "by": "desk-7"}
        said = erp.said("decision", yes | {"digest": asked["digest"]}, at=datetime.now(UTC))
        post("approved", "erp", said.body, said.headers)
        until(lambda: len(system.posted) == 2 and "plan.ending:finish" in follower.entered)
        post("again", "github", MERGED, by_github(MERGED, SECRET))
        posted = [body for _, body in system.posted]
    return Walked(answers, follower.entered, posted, keys, types_in(folder))


def types_in(folder: Path) -> list[str]:
    store = SqliteStore(folder / "threads.db")
    try:
        [row] = store.threads()
        return [event.type for event in store.load(row.ref.id).events]
    finally:
        store.close()


# What the page says


def test_each_function_that_is_drawn_is_there():
    parts = drawn(PAGE)

    assert list(parts) == ["A", "B", "C", "D", "E"]
    for place in (place for part in parts.values() for place in part):
        module, _, name = place.partition(":")
        source = Path(str(import_module(f"twelvefold.{module}").__file__)).read_text("utf-8")
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        there = {n.name for n in ast.walk(ast.parse(source)) if isinstance(n, functions)}
        assert name in there, place


def test_a_signed_webhook_walks_as_it_is_drawn(walked: Walked):
    assert strayed(drawn(PAGE), walked.entered) == []


def test_at_its_end_the_effect_took_place_once_and_whoever_was_asked_is_told(walked: Walked):
    merged, approved = walked.answers["merged"][0], walked.answers["approved"][0]
    thread = merged.text.removeprefix("begun ")

    assert (merged.status_code, approved.status_code) == (200, 200)
    assert approved.json() == {"outcome": "answered", "thread": thread, "said": ""}
    assert walked.keys == [f"default/{thread}/s1"]
    assert [body["type"] for body in walked.posted] == ["contact.requested", "contact.closed"]
    assert walked.posted[1]["data"]["by"] == "anna"
    assert [type for type in walked.types if type != "contact_sent"] == [
        "message_received",
        "next_step_chosen",
        "contact_requested",
        "contact_answered",
        "contact_closed",
        "tool_started",
        "tool_returned",
        "finished",
    ]


def test_what_is_signed_by_nobody_is_refused_before_it_is_read(walked: Walked):
    answer, entered = walked.answers["forged"]

    assert answer.status_code == 401
    assert "signatures:expect_one" in entered
    assert READING.isdisjoint(entered)


def test_the_same_delivery_again_is_ignored_and_writes_nothing(walked: Walked):
    answer, entered = walked.answers["again"]

    assert (answer.status_code, answer.text.partition(" ")[0]) == (200, "ignored")
    assert "app.receiving:_written" in entered
    assert "app.verbs:launch" not in entered
    assert walked.types.count("message_received") == 1


def test_the_same_delivery_twice_in_one_instant_is_one_message(tmp_path: Path):
    def delivered(app: App) -> str:
        both.wait(PATIENCE_S)
        receipt, _ = asyncio.run(app.receive("github", Inbound(MERGED, by_github(MERGED, SECRET))))
        return receipt.outcome

    both, apps = threading.Barrier(2), [made(tmp_path, erp.Erp(port=9), []) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        outcomes = set(threads.map(delivered, apps))
    for app in apps:
        app.close()

    assert "begun" in outcomes <= {"begun", "ignored"}  # by the key, or since the log holds it
    assert types_in(tmp_path) == ["message_received"]


@pytest.mark.parametrize(
    ("line", "other", "part"),
    [
        ("signatures:expect_one", "triggers:read_json", "A"),
        ("contacts.judging:judge", "channels.webhook:read", "C"),
        ("loop.tool_calls:call_tool", "plan.begin:_run", "D"),
    ],
)
def test_a_drawing_in_another_order_is_noticed(walked: Walked, line: str, other: str, part: str):
    parts = drawn(PAGE)
    swapped = {line: other, other: line}
    parts[part] = [swapped.get(place, place) for place in parts[part]]

    assert [one[0] for one in strayed(parts, walked.entered)] == [part]
