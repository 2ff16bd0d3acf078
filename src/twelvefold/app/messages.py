"""What a log says of messages that came and went by channels."""

from collections.abc import Mapping

from twelvefold.thread import Json, Thread


def has_come(thread: Thread, delivery: str) -> bool:
    """Whether this delivery is in the log."""
    return any(event.data.get("delivery") == delivery for event in thread.events)


def went_as(thread: Thread, contact: str, named: Mapping[str, Json]) -> bool:
    """Whether a message that asked this is the one that its channel names so."""
    for event in thread.events:
        if event.type == "contact_sent" and event.data["contact"] == contact:
            said: Mapping[str, Json] = event.data.get("ref") or {}
            if all(said.get(name) == value for name, value in named.items()):
                return True
    return False
