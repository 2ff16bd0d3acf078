"""Whom a message about a contact has not reached."""

from twelvefold.thread import Thread


def troubles(thread: Thread, about: str) -> list[str]:
    """What has not reached somebody, in words; the newest try of each."""
    newest: dict[tuple[str, str, str], str] = {}
    for event in thread.events:
        if event.data.get("contact") != about:
            continue
        data = event.data
        place = (data.get("channel", ""), data.get("to", ""), data.get("person", ""))
        if event.type == "contact_sent":
            newest.pop(place, None)
        elif event.type == "contact_not_sent":
            state = "given up" if data.get("dead") else "will be tried again"
            whom = data.get("person") or data.get("to")
            newest[place] = f"{whom}: {data['error']} ({data['tries']} tries, {state})"
    return list(newest.values())
