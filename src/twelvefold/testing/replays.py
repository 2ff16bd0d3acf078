"""The replay check: today's code decides as the log says it did."""

from twelvefold.app import App
from twelvefold.plan import outgrown, replay
from twelvefold.thread import DEFAULT_TENANT

THREADS_MAX = 10_000


def replays(app: App, *, tenant: str = DEFAULT_TENANT) -> int:
    """Replay every thread of the app's store; how many. Raises `AssertionError` naming each event
    whose decision, or prompt, today's code would make otherwise."""
    rows = app.threads(tenant=tenant, limit=THREADS_MAX)
    for row in rows:
        thread = app.thread(row.ref.id, tenant=tenant)
        agent = app.agent(row.agent)
        differences = replay(thread, agent)
        said = "\n".join([*outgrown(thread, agent, differences), *map(str, differences)])
        assert not differences, f"{row.ref.id} does not replay:\n{said}"
    return len(rows)
