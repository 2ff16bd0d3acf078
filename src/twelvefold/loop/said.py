"""What a line of the log says besides its words: `extra=at(thread)`, or `about(ref)`."""

from twelvefold.store import Ref
from twelvefold.thread import Thread


def at(thread: Thread) -> dict[str, object]:
    """`thread_id`, `tenant`, `agent`, and `seq`, the newest event that is known. What a record
    calls `thread` is that of the process."""
    ref = Ref(thread.tenant, thread.id)
    return about(ref, agent=thread.agent, seq=thread.head)


def about(ref: Ref, **known: object) -> dict[str, object]:
    """The same, where not all of it is known."""
    return {"thread_id": ref.id, "tenant": ref.tenant, **known}
