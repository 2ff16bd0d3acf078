"""Slack's Web API on loopback, as far as the channel calls it; and requests as Slack signs them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote

from slack_sdk.signature import SignatureVerifier

from twelvefold.inbound import Inbound
from web_thread import Answering, web_thread

TOKEN, SECRET = "xoxb-of-the-tests", "8f742231b10e8888abcd99yyyzzz85a5"


@dataclass
class Workspace:
    """`calls` are (method, arguments); while it is `down`, each call is an HTTP 503."""

    url: str = ""
    down: bool = False
    calls: list[tuple[str, dict[str, Any]]] = field(
        default_factory=list[tuple[str, dict[str, Any]]]
    )

    def of(self, method: str) -> list[dict[str, Any]]:
        return [given for name, given in self.calls if name == method]

    @property
    def posted(self) -> list[dict[str, Any]]:
        return self.of("chat.postMessage")


@contextmanager
def slack_api() -> Iterator[Workspace]:
    workspace = Workspace()

    class Answers(Answering):
        def do_POST(self) -> None:
            body = self.body().decode()
            if workspace.down:
                return self.say(503, {})
            known = self.headers["Authorization"] == f"Bearer {TOKEN}"
            method = self.path.strip("/")
            given = _given(body, self.headers["Content-Type"])
            workspace.calls.append((method, given))
            said = {"ok": known, "channel": given.get("channel")}
            if method in ("chat.postMessage", "chat.update"):
                said["ts"] = given.get("ts") or f"1700000000.{len(workspace.calls):06}"
            return self.say(200, said if known else {"ok": False, "error": "invalid_auth"})

    with web_thread(Answers) as port:
        workspace.url = f"http://127.0.0.1:{port}/"
        yield workspace


def _given(body: str, media: str) -> dict[str, Any]:
    if media.startswith("application/json"):
        return json.loads(body)
    given: dict[str, Any] = {name: values[0] for name, values in parse_qs(body).items()}
    for name in ("blocks", "view"):
        if name in given:
            given[name] = json.loads(given[name])
    return given


def signed(body: bytes, media: str, *, at: datetime | None = None) -> Inbound:
    """As Slack's own library signs."""
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body)
    return Inbound(
        body,
        {
            "content-type": media,
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": str(signature),
        },
    )


def event(type: str = "app_mention", *, at: datetime | None = None, **said: Any) -> Inbound:
    """An event of the Events API. `said` are the fields of the inner event."""
    inner = {"type": type, "channel": "C1", "user": "U1", "ts": "1.0", "text": "hello"} | said
    data = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": inner}
    return signed(json.dumps(data).encode(), "application/json", at=at)


def interaction(data: dict[str, Any], *, at: datetime | None = None) -> Inbound:
    body = "payload=" + quote(json.dumps(data))
    return signed(body.encode(), "application/x-www-form-urlencoded", at=at)


def press(
    button: dict[str, Any],
    *,
    user: str = "U1",
    team: str = "T1",
    at: datetime | None = None,
    **more: Any,
) -> Inbound:
    """Somebody presses a button of a message."""
    data = {
        "type": "block_actions",
        "team": {"id": team},
        "user": {"id": user},
        "channel": {"id": "C1"},
        "trigger_id": "trigger-1",
        "actions": [{"action_id": button["action_id"], "value": button["value"]}],
    }
    return interaction(data | more, at=at)


def submit(
    view: dict[str, Any], text: str, *, user: str = "U1", at: datetime | None = None
) -> Inbound:
    """Somebody fills in a form and sends it."""
    values = {"said": {"text": {"value": text}}}
    shown = {
        "callback_id": view["callback_id"],
        "private_metadata": view["private_metadata"],
        "state": {"values": values},
    }
    data = {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": user}, "view": shown}
    return interaction(data, at=at)


def buttons(message: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The buttons of a message by their text."""
    found = [
        b for block in message["blocks"] if block["type"] == "actions" for b in block["elements"]
    ]
    return {button["text"]["text"]: button for button in found}


def words(message: dict[str, Any]) -> str:
    """All that a message shows."""
    return "\n".join(b["text"]["text"] for b in message["blocks"] if b["type"] == "section")
