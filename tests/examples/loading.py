"""Examples as modules, although several have an `app.py`, and their apps for one test each."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from twelvefold import App
from twelvefold.loop import utc_now
from twelvefold.store import ContactRow, EmbeddedStore
from twelvefold.testing import MemoryStore

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str, module: str = "app") -> ModuleType:
    """A module of an example. Afterwards other examples may use the same module names."""
    folder = EXAMPLES / name
    names = [path.stem for path in folder.glob("*.py")]
    others = {one: sys.modules.pop(one) for one in names if one in sys.modules}
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(module)
    finally:
        sys.path.remove(str(folder))
        for one in names:
            sys.modules.pop(one, None)
        sys.modules.update(others)


def app_of(
    module: ModuleType,
    *,
    deps: Any = None,
    store: EmbeddedStore | None = None,
    clock: Callable[[], Any] = utc_now,
    **options: Any,
) -> App:
    """The example's application on a store of its own, with `deps` as its world outside, and with
    other `options` of `App` in place of its own."""
    app: App = module.app
    agents = [
        replace(agent, deps=lambda tenant: deps) if agent.deps else agent
        for agent in app.agents.values()
    ]
    own = {
        "models": app.models,
        "settles": app.settles.levels,
        "schedules": app.schedules,
        "directory": app.people,
    }
    return App(agents, store=store or MemoryStore(), clock=clock, **(own | options))


async def play(app: App, *answers: dict[str, Any]) -> list[ContactRow]:
    """Run until idle, and again after each answer to the first open contact; what is open then."""
    await app.run(until_idle=True)
    for answer in answers:
        row = app.inbox()[0]
        await app.answer(f"{row.ref.id}.{row.id}", **({"by": "anna"} | answer))
        await app.run(until_idle=True)
    return app.inbox()


def approve(**more: Any) -> dict[str, Any]:
    return {"decision": "approve", **more}


def deny(comment: str) -> dict[str, Any]:
    return {"decision": "deny", "comment": comment}


def edit(**changes: Any) -> dict[str, Any]:
    return {"decision": "edit", "changes": changes}


def reply(text: str) -> dict[str, Any]:
    return {"decision": "answer", "value": text}
