"""Decide, begin and replay a recorded thread at every prefix, and print what came of it.

Run as a program: `purity.py MODULE ATTRIBUTE THREAD.jsonl [FOLDER...]`, where `MODULE.ATTRIBUTE` is
an agent or an app, and folders are looked in for modules. Clock, chance and I/O raise `Impure` from
the first decision on; what Python itself loads lazily was loaded by a rehearsal before.
"""

import dataclasses
import importlib
import json
import os
import random
import sys
import time
import types
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.effects import AskModel
from twelvefold.messages import messages_of
from twelvefold.plan import begin, replay
from twelvefold.state import Chosen, State
from twelvefold.thread import Thread, from_jsonl


class Impure(BaseException):
    """Pure code touched the world. Not an `Exception`, so that nobody takes it for a result."""


def seen(thread: Thread, agent: Agent[Any, Any]) -> list[Any]:
    """State, effect and plan at every prefix, and what replay says of the whole."""
    return [at(thread.upto(seq), agent) for seq in range(1, thread.head + 1)] + [
        [str(difference) for difference in replay(thread, agent)]
    ]


def at(thread: Thread, agent: Agent[Any, Any]) -> Any:
    state = agent.state(thread)
    before = shown(state)
    now = thread.events[-1].at + timedelta(seconds=1)
    try:
        effect = agent.decide(thread, state)
        plan = begin(effect, state, thread, agent, now=now)
    except Exception as error:  # inside a run, say, where no loop would decide
        return [before, repr(error)]
    assert shown(state) == before, "decide or begin changed the state"
    return [before, shown(effect), shown(plan)]


def shown(value: Any) -> Any:
    """The value as JSON that compares by structure."""
    match value:
        case AskModel():
            return ["AskModel", shown(messages_of(value.prompt)), str(value.steps), value.model]
        case State():
            hidden = {"classes", "upcasters"}
            return {k: shown(v) for k, v in vars(value).items() if k not in hidden}
        case Chosen():
            names = [name for name in Chosen.__slots__ if name not in {"_state", "_step"}]
            parts = {name: shown(getattr(value, name)) for name in names}
            return parts | {"readable": value.readable, "approved": value.approved}
        case BaseModel():
            return [type(value).__name__, shown(value.model_dump())]
        case Mapping():
            return {str(k): shown(v) for k, v in value.items()}
        case list() | tuple():
            return [shown(one) for one in value]
        case datetime() | timedelta():
            return str(value)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [field.name for field in dataclasses.fields(value)]
            return [type(value).__name__, {f: shown(getattr(value, f)) for f in fields}]
        case _ if callable(value) or isinstance(value, types.UnionType):
            return getattr(value, "__qualname__", str(value))
        case _:
            return value


TIME = ("time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime", "sleep")
CHANCE = ("random", "randint", "choice", "shuffle", "getrandbits", "uniform")


def poison(*modules: str) -> None:
    """From now on clock, chance and I/O raise in this process."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise Impure("clock or chance")

    class Frozen(datetime):
        now = utcnow = today = staticmethod(refuse)  # pyright: ignore

    replaced: dict[int, Any] = {id(datetime): Frozen}
    for source, names in ((time, TIME), (random, CHANCE), (os, ("urandom",))):
        for name in names:
            replaced[id(getattr(source, name))] = refuse
            setattr(source, name, refuse)
    for name, module in list(sys.modules.items()):  # also what was imported by name
        if name.partition(".")[0] in {"twelvefold", *modules}:
            for attribute, value in list(vars(module).items()):
                if id(value) in replaced:
                    setattr(module, attribute, replaced[id(value)])
    sys.addaudithook(_refuse_io)


_IO = ("open", "socket.", "subprocess.", "os.", "sqlite3.", "urllib.", "http.", "import")


def _refuse_io(event: str, args: Any) -> None:
    if event.startswith(_IO) and not _writes_to_stdout(args):
        raise Impure(f"{event} {args!r}")


def _writes_to_stdout(args: Any) -> bool:
    return bool(args) and args[0] == 1


def main(module: str, attribute: str, path: str, *folders: str) -> None:
    sys.path[:0] = folders
    thread = from_jsonl(Path(path).read_text(encoding="utf-8"))
    found = getattr(importlib.import_module(module), attribute)
    agent: Agent[Any, Any] = found if isinstance(found, Agent) else found.agents[thread.agent]
    seen(thread, agent)
    local = {p.stem for folder in folders for p in Path(folder).glob("*.py")}
    poison(module.partition(".")[0], *local)
    once, again = seen(thread, agent), seen(thread, agent)
    assert once == again, "the same log gave two effects"
    sys.stdout.write(json.dumps(once))
    sys.stdout.flush()
    os._exit(0)  # the interpreter's own end may touch files


if __name__ == "__main__":
    main(*sys.argv[1:])
