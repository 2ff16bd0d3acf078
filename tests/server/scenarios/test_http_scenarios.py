"""The richest scenarios over HTTP, the server killed and started anew between every two requests.

What is in the log afterwards is what is in it without any kill, and whoever followed a thread over
all of them has seen each event once.
"""

import random
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from http_plays import Play, Reply
from http_sites import Site, client_of, key_of, site

from twelvefold.client import Client, ContactInfo
from twelvefold.exceptions import AlreadyDecided, InvalidAnswer
from twelvefold.thread import Event, to_iso

RACES = 6
SEEDS = 4
QUICK = [("pipeline", "sqlite"), ("round trip", "sqlite"), ("misheard", "postgres")]
BACKEND_FIRST: Reply = {"decision": "deny", "comment": "can you deploy the backend first?"}

Story = Callable[[Play], None]
Undisturbed = Callable[[str], tuple[Any, Any]]


def yes(contact: ContactInfo) -> Reply:
    """What a person says to everything; a run that a kill cut off may be repeated."""
    return {"decision": "run_again" if contact.kind == "outcome" else "approve"}


def pipeline(play: Play) -> None:
    """Denied, the backend first, then both; a yes that comes late for the first call is refused."""
    play.launch("release", "deploy SHA 4af9ec0 to production", id="r1")
    first = play.until_asked()
    assert first.intent == "deploy_frontend_to_prod"
    play.answer(first, BACKEND_FIRST)
    with pytest.raises(AlreadyDecided) as refused:
        play.answer(first, {"decision": "approve"})
    assert (refused.value.outcome, refused.value.by) == ("denied", "anna")
    play.site.between()
    play.until_end("r1", yes)


def rollback(play: Play) -> None:
    """Production's tests fail, and a child asks whether it may roll back."""
    play.launch("release", "deploy SHA 4af9ec0 to production", id="r1")
    play.until_end("r1", yes)
    assert len(play.seen) == 2


def calculator(play: Play) -> None:
    text = "multiply 3 and 4, then divide the result by 2 and then add 12"
    play.launch("calculator", text, id="c1")
    play.until_end("c1", yes)
    assert results(play, "c1") == [12, 6.0, 18.0]


def misheard(play: Play) -> None:
    """A question that is answered, after an answer of the wrong kind that says what is awaited."""
    play.launch("calculator", "multiply 3 and FD*(#F&&", id="c1")
    asked = play.until_asked()
    with pytest.raises(InvalidAnswer, match="answer"):
        play.answer(asked, {"decision": "approve", "digest": "x"})
    play.site.between()
    play.answer(asked, {"decision": "answer", "value": "lets try 12 instead"})
    play.until_end("c1", yes)
    assert results(play, "c1") == [36]


def by_zero(play: Play) -> None:
    """An error that the model reads, and no infinity."""
    play.launch("calculator", "divide 3 by 0", id="c1")
    play.until_end("c1", yes)
    assert results(play, "c1") == []


def round_trip(play: Play) -> None:
    """Denied with other numbers, approved; a fork from before the denial asks anew."""
    play.launch("calculator", "divide 3 by 4", id="c1")
    first = play.until_asked()
    asked_at = play.seen["c1"][-1].seq
    with pytest.raises(InvalidAnswer, match="approve"):
        play.answer(first, {"decision": "answer", "value": "0.75"})
    play.site.between()
    play.answer(first, {"decision": "deny", "comment": "use 5 instead of 4"})
    play.until_end("c1", yes)
    assert results(play, "c1") == [0.6]
    original = play.log("c1")

    copy = play.client.fork("c1", asked_at - 1, key="the-fork").id
    play.site.between()
    play.follow(copy)
    play.until_end(copy, yes)
    assert results(play, copy) == [0.75]
    assert play.log("c1") == original
    play.renamed[copy] = "c1 forked"


def spiral(play: Play) -> None:
    """Three failures in a row: code asks a person, and goes on with what they say."""
    play.launch("release", "deploy SHA 4af9ec0 to production", id="r1")

    def say(contact: ContactInfo) -> Reply:
        if contact.kind == "question":
            assert "Tools keep failing" in contact.question
            return {"decision": "answer", "value": "check the latest workflow"}
        return yes(contact)

    play.until_end("r1", say)
    failed = [e for e in play.log("r1") if e.type == "tool_failed" and not e.data.get("run_again")]
    assert ["Failed to connect" in event.data["error"] for event in failed] == [True] * 3


def triage(play: Play) -> None:
    """Another label is picked by its option; no model is asked again."""
    play.launch("support", "It crashes when I open my invoice list. Why?", id="m1")

    def pick(contact: ContactInfo) -> Reply:
        if contact.kind == "question":
            return {"decision": "answer", "value": "bug"}
        return yes(contact)

    play.until_end("m1", pick)
    play.launch("support", "The app crashes", id="m2")
    play.until_end("m2", lambda contact: {"decision": "choose", "value": "billing"})


STORIES: dict[str, tuple[str, Story]] = {
    "pipeline": ("pipeline", pipeline),
    "rollback": ("rollback", rollback),
    "calculator": ("calculator", calculator),
    "misheard": ("calculator", misheard),
    "by zero": ("calculator", by_zero),
    "round trip": ("calculator", round_trip),
    "spiral": ("spiral", spiral),
    "triage": ("support", triage),
}


def results(play: Play, thread_id: str) -> list[Any]:
    return [e.data["result"] for e in play.log(thread_id) if e.type == "tool_returned"]


def deploys(folder: Path) -> list[Any]:
    """What took effect in the cluster, and how often."""
    path = folder / "cluster.db"
    if not path.exists():
        return []
    with sqlite3.connect(path) as db:
        found = db.execute("select what, tag, count(*) from effects group by what, tag order by 1")
        rows = found.fetchall()
    db.close()
    return rows


def played(name: str, folder: Path, store: str, **how: Any) -> tuple[Any, Any, Site]:
    """What happened in each thread, and in the world."""
    world, story = STORIES[name]
    key = key_of(store, "anna")
    with site(world, folder, store, **how) as made:
        with Play(made, key) as play:
            story(play)
            happened = play.comparable()
        return happened, deploys(folder), made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A story without any kill, played once."""
    found: dict[str, tuple[Any, Any]] = {}

    def once(name: str) -> tuple[Any, Any]:
        if name not in found:
            folder = tmp_path_factory.mktemp("undisturbed")
            happened, effects, _ = played(name, folder, str(folder / "threads.db"))
            found[name] = happened, effects
        return found[name]

    return once


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return str(tmp_path / "threads.db")


@pytest.mark.parametrize(("name", "store"), QUICK, indirect=["store"])
def test_a_server_killed_between_all_requests_leaves_the_same_log(
    name: str, store: str, tmp_path: Path, undisturbed: Undisturbed
):
    expect_the_same(name, store, tmp_path, undisturbed, kills=True)


@pytest.mark.long
@pytest.mark.parametrize("name", STORIES)
def test_the_command_killed_between_all_requests_leaves_the_same_log(
    name: str, store: str, tmp_path: Path, undisturbed: Undisturbed
):
    expect_the_same(name, store, tmp_path, undisturbed, kills=True, executed=True)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", STORIES)
def test_a_server_killed_at_any_moment_leaves_the_same_log(
    name: str, seed: int, store: str, tmp_path: Path, undisturbed: Undisturbed
):
    expect_the_same(name, store, tmp_path, undisturbed, chance=random.Random(seed))


def expect_the_same(
    name: str, store: str, folder: Path, undisturbed: Undisturbed, **how: Any
) -> None:
    happened, effects, made = played(name, folder / "site", store, **how)

    sys.stdout.write(f"{name}: {made.starts} starts\n")
    assert (happened, effects) == undisturbed(name), made.said()
    assert made.starts > 3 or "chance" in how
    assert all(count == 1 for *_, count in effects)


# Two at once


def test_of_two_who_approve_at_once_one_is_told_who_when_and_where(store: str, tmp_path: Path):
    keys = {person: key_of(store, person) for person in ("anna", "ben")}
    with (
        site("pipeline", tmp_path / "a", store) as first,
        site("pipeline", tmp_path / "b", store, runner=False) as second,
        Play(first, keys["anna"]) as play,
        client_of(first, keys["anna"]) as anna,
        client_of(second, keys["ben"]) as ben,
        ThreadPoolExecutor(2) as pool,
    ):
        for n in range(RACES):
            play.launch("release", f"deploy SHA 4af9ec{n} to production", id=f"r{n}")
            seen = play.until_asked(of=f"r{n}")
            at_once = threading.Barrier(2)

            def approve(client: Client, seen: Any = seen, at_once: Any = at_once) -> Any:
                at_once.wait()
                try:
                    return client.answer(seen, "approve")
                except AlreadyDecided as refused:
                    return refused

            said = dict(zip(keys, pool.map(approve, [anna, ben]), strict=True))
            expect_one_winner(said, closed=[e for e in anna.events(f"r{n}") if e.type == CLOSED])


CLOSED = "contact_closed"


def expect_one_winner(said: dict[str, Any], *, closed: list[Event]) -> None:
    [loser] = [person for person, one in said.items() if isinstance(one, AlreadyDecided)]
    [winner] = set(said) - {loser}
    won, refused = said[winner], said[loser]

    assert [event.data["outcome"] for event in closed] == ["approved"]
    assert (won.status, won.outcome, won.decided.by) == ("closed", "approved", winner)
    assert (refused.outcome, refused.by, refused.channel) == ("approved", winner, "api")
    assert refused.at == to_iso(closed[0].at)
    assert winner in str(refused)
