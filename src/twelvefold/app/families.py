"""A thread and those it launched."""

from collections.abc import Iterator

from twelvefold.exceptions import UnknownThread
from twelvefold.store import EmbeddedStore
from twelvefold.thread import Thread


def family_of(store: EmbeddedStore, thread_id: str, *, tenant: str) -> Iterator[Thread]:
    """The thread and those it launched here, each after its own children."""
    thread = store.load(thread_id, tenant=tenant)
    for event in thread.events:
        child = str(event.data.get("child"))
        # A copied log names the children of the original, which are not its own.
        if event.type == "child_launched" and child.startswith(f"{thread_id}."):
            try:
                yield from family_of(store, child, tenant=tenant)
            except UnknownThread:  # launched where this log was exported
                continue
    yield thread
