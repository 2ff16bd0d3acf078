"""A tool inside a transaction of the store: what it wrote and what it returned commit together.

So its run either happened, and the log says so, or did not happen at all: every failure is certain,
and a run without an outcome can be repeated without asking anybody.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from twelvefold.exceptions import NothingHappened
from twelvefold.loop.runs import ToolRun
from twelvefold.loop.threads import in_thread
from twelvefold.store import Append, transactional
from twelvefold.thread import Draft
from twelvefold.tools import Result

Returned = Callable[[Result], Draft]


async def run_in_transaction(run: ToolRun, returned: Returned) -> Draft:
    """`tool_returned`, which is in the log already. Raises when nothing was kept.

    Cancelled, it gives the thread up: that one still commits both, or neither.
    """
    once = partial(_run_once, run, run.called_with(), returned)
    return await in_thread(once, name=run.action.run.name)


def _run_once(run: ToolRun, call: Callable[[Any], Any], returned: Returned) -> Draft:
    store = transactional(run.around.store)
    with store.transaction() as connection:
        value = call(connection)
        if inspect.isawaitable(value):
            if inspect.iscoroutine(value):
                value.close()
            raise NothingHappened("a tool of in_transaction=True returned something to await")
        fact = returned(run.kept_now(value))
        append = Append(run.ref.id, [fact], tenant=run.ref.tenant)
        [[stored]] = store.commit_now(append, tx=connection)
        if (stored.type, stored.data) != (fact.type, fact.data):  # this run was given up meanwhile
            raise NothingHappened(f"the log has another outcome of this run: {stored.type}")
    return fact
