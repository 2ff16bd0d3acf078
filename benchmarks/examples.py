"""The threads of the examples, played once each with their own scripts; no network, no clock."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from twelvefold import App, Thread
from twelvefold.testing import Clock
from twelvefold.testing.child import work

TESTS = Path(__file__).parent.parent / "tests"
FOLDERS = (TESTS, TESTS / "examples", TESTS / "proof")
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
RELEASE = "deploy SHA 4af9ec0 to production"
DENIED = {"decision": "deny", "comment": "can you deploy the backend first?", "by": "anna"}
YES = {"decision": "approve", "by": "anna"}


@cache
def threads() -> Mapping[str, Thread]:
    """All threads by example, numbered in the order of their ids; children too."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_played(Path(folder)))


async def _played(folder: Path) -> dict[str, Thread]:
    found: dict[str, Thread] = {}
    for name, play in _PLAYS.items():
        app = await play(folder)
        for number, thread_id in enumerate(sorted(row.ref.id for row in app.threads()), start=1):
            found[f"{name}/{number}"] = app.thread(thread_id)
    return found


async def _release(folder: Path) -> App:
    """One release as on the page, one that is rolled back by a child."""
    module = _loading().example("release_pipeline")
    cluster = module.Cluster(folder / "cluster.db")
    app = _app(module, deps=cluster)
    await app.launch("release", RELEASE, thread_id="shipped")
    await _play(app, DENIED, YES, YES)
    cluster.e2e_fails_in = "production"
    await app.launch("release", RELEASE, thread_id="rolled-back")
    await _play(app, *[YES] * 3)
    return app


async def _calculator(folder: Path) -> App:
    app = _app(_loading().example("calculator"))
    chain = "multiply 3 and 4, then divide the result by 2 and then add 12"
    await app.launch("calculator", chain, thread_id="chain")
    await _play(app, YES)
    await app.launch("calculator", "divide 3 by 4", thread_id="denied")
    await _play(app, DENIED | {"comment": "use 5 instead of 4"}, YES)
    await app.launch("calculator", "multiply 3 and FD*(#F&&", thread_id="asked")
    await _play(app, {"decision": "answer", "value": "lets try 12 instead", "by": "ben"})
    return app


async def _outer_loop(folder: Path) -> App:
    module, clock = _loading().example("outer_loop"), Clock(MONDAY.replace(hour=7))
    app = _app(module, deps=module.Forge(folder / "deployed.txt"), clock=clock)
    await app.run(until_idle=True)
    clock.now = MONDAY
    await app.run(until_idle=True)
    await _play(app, YES)
    return app


async def _first_agent(folder: Path) -> App:
    app = _app(_loading().example("first_agent"))
    await app.launch("bot", "deploy v1", thread_id="first")
    await _play(app, DENIED | {"comment": "v2, please"}, YES)
    return app


def _of_people(name: str) -> Callable[[Path], Awaitable[App]]:
    """An example in which several people answer, as the crash matrix plays it."""

    async def play(folder: Path) -> App:
        _loading()
        import people_scenarios

        own = folder / name
        own.mkdir()
        scenario = getattr(people_scenarios, name)(own, lambda _: None)
        await work(scenario, lambda _: None)
        return scenario.app

    return play


_PLAYS: Mapping[str, Callable[[Path], Awaitable[App]]] = {
    "release_pipeline": _release,
    "calculator": _calculator,
    "outer_loop": _outer_loop,
    "first_agent": _first_agent,
    **{name: _of_people(name) for name in ("mailcrew", "linear_triage", "support_triage")},
}


async def _play(app: App, *answers: dict[str, Any]) -> None:
    left = await _loading().play(app, *answers)
    assert left == [], f"an example still asks: {left}"


def _app(module: ModuleType, **options: Any) -> App:
    return _loading().app_of(module, **options)


def _loading() -> Any:
    """How the tests load examples."""
    sys.path += [path for path in map(str, FOLDERS) if path not in sys.path]
    import loading

    return loading
