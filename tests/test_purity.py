"""Same log, same state, same effect: in this process, in others, without clock, chance and I/O."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from examples.loading import EXAMPLES, app_of, approve, deny, edit, example, play, reply
from histories import history
from purity import at, seen, shown
from small import AGENT, Deploy, Done, Look
from twelvefold import App, ScriptedModel
from twelvefold.agent import Agent
from twelvefold.plan import replay
from twelvefold.testing import MemoryStore
from twelvefold.thread import Thread

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parent
WHY = "can you deploy the backend first?"
SUM = "multiply 3 and 4, then divide the result by 2 and then add 12"


async def small() -> list[Thread]:
    script = [Look(), Deploy(tag="v1"), Deploy(tag="v2"), Done(message="ok")]
    app = App([AGENT], store=MemoryStore(), model=ScriptedModel(script))
    await app.launch("bot", "deploy", thread_id="t")
    await play(app, deny("v2 please"), approve())
    return threads_of(app)


async def calculator() -> list[Thread]:
    app = app_of(example("calculator"))
    for name, text, answers in [
        ("a", SUM, [approve()]),
        ("b", "multiply 3 and FD*(#F&&", [reply("lets try 12 instead")]),
        ("c", "divide 3 by 4", [deny("use 5 instead of 4"), edit(b=6)]),
        ("d", "divide 3 by 0", []),
    ]:
        await app.launch("calculator", text, thread_id=name)
        await play(app, *answers)
    return threads_of(app)


async def release_pipeline(tmp_path: Path) -> list[Thread]:
    module = example("release_pipeline")
    found: list[Thread] = []
    for number, answers in enumerate([[deny(WHY), approve(), approve()], [deny("no")], []]):
        app = app_of(module, deps=module.Cluster(tmp_path / f"{number}.db"))
        await app.launch("release", "deploy SHA 4af9ec0 to production", thread_id=f"r{number}")
        await play(app, *answers)
        found += threads_of(app)
    return found


def threads_of(app: App) -> list[Thread]:
    return [app.thread(row.ref.id) for row in app.threads()]


@pytest.fixture(params=["small", "calculator", "release_pipeline"])
async def recorded(request: Any, tmp_path: Path) -> tuple[str, list[Thread]]:
    """The name of a user's file, and threads that ran with it."""
    record = {"small": small, "calculator": calculator}.get(request.param)
    threads = await (release_pipeline(tmp_path) if record is None else record())
    assert all(thread.head >= 3 for thread in threads)
    return request.param, threads


def agent_of(name: str, thread: Thread) -> Agent[Any, Any]:
    return AGENT if name == "small" else example(name).app.agents[thread.agent]


def elsewhere(where: list[str], thread: Thread, tmp_path: Path, **environment: str) -> Any:
    """What another process sees, in which clock, chance and I/O raise."""
    path = tmp_path / f"{thread.id}.jsonl"
    path.write_text(thread.to_jsonl(), encoding="utf-8")
    module, attribute, *folders = where
    command = [sys.executable, str(TESTS / "purity.py"), module, attribute, str(path), *folders]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def place(name: str) -> list[str]:
    return ["small", "AGENT"] if name == "small" else ["app", "app", str(EXAMPLES / name)]


async def test_every_prefix_gives_the_same_effect_twice(recorded: tuple[str, list[Thread]]):
    name, threads = recorded
    for thread in threads:
        agent = agent_of(name, thread)
        assert seen(thread, agent) == seen(thread, agent)


async def test_every_recorded_decision_is_made_again(recorded: tuple[str, list[Thread]]):
    name, threads = recorded
    for thread in threads:
        assert replay(thread, agent_of(name, thread)) == []


async def test_deciding_changes_nothing_in_the_log(recorded: tuple[str, list[Thread]]):
    name, threads = recorded
    for thread in threads:
        before = thread.to_jsonl()
        seen(thread, agent_of(name, thread))
        assert thread.to_jsonl() == before


async def test_no_clock_no_chance_no_io_and_any_hash_seed(
    recorded: tuple[str, list[Thread]], tmp_path: Path
):
    name, threads = recorded
    for thread, seed in zip(threads, "0123456", strict=False):
        here = json.loads(json.dumps(seen(thread, agent_of(name, thread))))
        for other in (seed, str(int(seed) + 1)):
            assert elsewhere(place(name), thread, tmp_path, PYTHONHASHSEED=other) == here


@pytest.mark.parametrize(
    ("looks", "found"),
    [
        ("CLOCK", "clock or chance"),
        ("BY_NAME", "clock or chance"),
        ("NOW", "clock or chance"),
        ("CHANCE", "clock or chance"),
        ("FILE", "open .*impure.py"),
        ("NETWORK", "socket"),
    ],
)
async def test_a_decide_that_looks_at_the_world_is_found(looks: str, found: str, tmp_path: Path):
    [thread] = await small()

    with pytest.raises(AssertionError, match=f"Impure: {found}"):
        elsewhere(["impure", looks], thread, tmp_path)


@settings(max_examples=60, deadline=None)
@forall(st.lists(st.integers(0, 999), min_size=10, max_size=40))
def test_any_history_gives_the_same_effect_twice(moves: list[int]):
    thread, again = history(moves), history(moves)

    assert at(thread, AGENT) == at(again, AGENT)


def test_the_comparison_sees_a_difference():
    assert shown(Deploy(tag="v1")) != shown(Deploy(tag="v2"))
    assert shown(AGENT.state(history([1]))) != shown(AGENT.state(history([1, 1])))
