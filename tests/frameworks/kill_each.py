"""A program: does what `scenario.py` does, once for each call of the database, and dies before it.

Run in a folder with the programs of a page, their database made, and `scenario.py`, which has
`place()`, `approve()`, `app` and `TABLE`. Prints one JSON line for each kill: what is there then,
and what is there when another process has gone on. The argument is how many calls lie between two
kills.
"""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
import threading
import traceback
from collections import Counter
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType
from typing import Any

DB, MADE = Path("shop.db"), Path("made.db")
CALLS = frozenset({"execute", "executemany", "executescript", "commit", "rollback"})
CALLS_MAX = 500


def main() -> None:
    loaded_before_the_fork()
    DB.rename(MADE)
    for number in range(1, CALLS_MAX, int(sys.argv[1])):
        fresh()
        ended = forked(partial(died, number))
        assert ended in (0, -signal.SIGKILL)
        killed = ended != 0
        sys.stdout.write(json.dumps({"killed": killed, **reported(went_on)}) + "\n")
        if not killed:
            return
    raise AssertionError("it never came to its end")


def loaded_before_the_fork() -> None:
    """What takes long to load and opens nothing."""
    import django.test  # noqa: F401
    import fastapi.testclient  # noqa: F401
    import flask.testing  # noqa: F401
    import sqlalchemy.orm  # noqa: F401

    import twelvefold.engine.embedded
    import twelvefold.server
    import twelvefold.stores.sqlite  # noqa: F401


def fresh() -> None:
    for path in Path().glob("shop.db*"):
        path.unlink()
    shutil.copy(MADE, DB)


def forked(work: Any) -> int:
    """The exit code; negative is a signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def reported(work: Any) -> Any:
    """What it returns in a process of its own, as JSON."""
    reading, writing = os.pipe()

    def told() -> None:
        os.write(writing, json.dumps(work()).encode())

    assert forked(told) == 0
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return json.loads(pipe.read())


def died(number: int) -> None:
    """Everything; dead before the `number`-th call of the database, on whatever connection."""
    left = sys.maxsize

    def count(frame: Any, event: str, called: Any) -> None:
        nonlocal left
        if event != "c_call" or type(called) is not BuiltinFunctionType:
            return
        if isinstance(called.__self__, sqlite3.Connection | sqlite3.Cursor):
            left -= called.__name__ in CALLS
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(count)  # of every thread that is begun from here on
    sys.setprofile(count)
    import scenario  # opens the log, which is not what is counted

    left = number
    scenario.place()
    asyncio.run(scenario.app.run(until_idle=True))
    scenario.approve()
    asyncio.run(scenario.app.run(until_idle=True))


def went_on() -> dict[str, Any]:
    """As the next process finds it and goes on, and the people who got no answer."""
    import scenario

    found = facts()
    if not scenario.app.threads():
        scenario.place()
    asyncio.run(scenario.app.run(until_idle=True))
    if scenario.app.inbox():
        scenario.approve()
    asyncio.run(scenario.app.run(until_idle=True))
    return {"found": found, "after": facts()}


def facts() -> dict[str, Any]:
    import scenario

    with sqlite3.connect(DB) as db:
        found = db.execute(f"select state, approved_by from {scenario.TABLE}").fetchall()
    events = [e for row in scenario.app.threads() for e in scenario.app.thread(row.ref.id).events]
    types = Counter(event.type for event in events)
    rows = {
        "placed": len(found),
        "approved": sum(bool(by) for _, by in found),
        "shipped": sum(state == "shipped" for state, _ in found),
    }
    log = {
        "placed": len(scenario.app.threads()),
        "approved": types["contact_answered"],
        "shipped": types["tool_returned"],
    }
    return {"rows": rows, "log": log}


if __name__ == "__main__":
    main()
