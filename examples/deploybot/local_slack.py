"""Slack on this machine: shows what the bot posts, and signs what you type as Slack does.

    python local_slack.py http://127.0.0.1:8012/v1/triggers/slack

mia: deploy web to production      somebody mentions the bot
mia> and the api, please           a reply in the conversation
anna approve                       a press on the newest message; so is `anna deny not today`
"""

import hashlib
import hmac
import json
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import environ
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlencode
from urllib.request import Request, urlopen

from twelvefold.directory import people_of

PORT = 9000
ROOM = "C1"
SECRET = environ.get("SLACK_SIGNING_SECRET", "local")
TIMEOUT_S = 30.0
people = people_of(Path(__file__).parent / "people.yaml")("default")


class Room:
    """One channel. `buttons` are those of its newest message, `thread` the conversation."""

    def __init__(self, url: str) -> None:
        self.url, self.lock = url, Lock()
        self.count, self.thread = 0, ""
        self.buttons: dict[str, dict[str, Any]] = {}
        self.views: list[dict[str, Any]] = []

    def called(self, method: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the bot asks of Slack, and the answer."""
        with self.lock:
            self.count += 1
            ts = given.get("ts") or f"{self.count}.0"
        blocks: list[dict[str, Any]] = given.get("blocks") or []
        words = [one["text"]["text"] for one in blocks if one["type"] == "section"]
        found = [b for one in blocks if one["type"] == "actions" for b in one["elements"]]
        if given.get("channel") == ROOM and method == "chat.postMessage":
            self.buttons = {button["text"]["text"].lower(): button for button in found}
        if method == "views.open":
            self.views.append(given["view"])
        else:
            shown = [*words, *(f"[{button['text']['text']}]" for button in found)]
            text = "\n    ".join(shown or [str(given.get("text", ""))])
            print(f"{method} {given.get('channel')}: {text}", flush=True)
        return {"ok": True, "channel": given.get("channel"), "ts": ts}

    def typed(self, line: str) -> None:
        name, sign, text = _taken_apart(line)
        user = people.addresses.get(name, {}).get("slack", name)
        match sign:
            case ":":
                self.count += 1
                self.thread = f"{self.count}.0"
                self._event("app_mention", user, f"<@UBOT> {text}", ts=self.thread)
            case ">":
                self.count += 1
                ts = f"{self.count}.0"
                self._event("message", user, text, ts=ts, thread_ts=self.thread)
            case _:
                self._pressed(user, *text.partition(" "))

    def _event(self, type: str, user: str, text: str, **more: str) -> None:
        inner = {"type": type, "channel": ROOM, "user": user, "text": text} | more
        data = {"type": "event_callback", "team_id": "T1", "event": inner}
        self._post(json.dumps(data).encode(), "application/json")

    def _pressed(self, user: str, label: str, _: str, why: str) -> None:
        if (button := self.buttons.get(label)) is None:
            known = ", ".join(self.buttons) or "none"
            print(f"there is no button {label!r}; there are: {known}", flush=True)
            return
        about = {"action_id": button["action_id"], "value": button["value"]}
        self._interaction("block_actions", user, actions=[about], trigger_id="t1")
        if label == "deny":
            view = self.views.pop()
            values = {"said": {"text": {"value": why}}}
            self._interaction("view_submission", user, view=view | {"state": {"values": values}})

    def _interaction(self, type: str, user: str, **more: Any) -> None:
        data = {"type": type, "team": {"id": "T1"}, "user": {"id": user}, "channel": {"id": ROOM}}
        body = urlencode({"payload": json.dumps(data | more)}).encode()
        self._post(body, "application/x-www-form-urlencoded")

    def _post(self, body: bytes, kind: str) -> None:
        stamp = str(int(time.time()))
        made = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
        headers = {"X-Slack-Request-Timestamp": stamp, "Content-Type": kind}
        headers["X-Slack-Signature"] = f"v0={made.hexdigest()}"
        request = Request(self.url, body, headers)
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            answer.read()


def _taken_apart(line: str) -> tuple[str, str, str]:
    for place, sign in enumerate(line):
        if sign in ":> ":
            return line[:place], sign, line[place + 1 :].strip()
    return line, " ", ""


def serve(room: Room, port: int) -> ThreadingHTTPServer:
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            reply = json.dumps(room.called(self.path.strip("/"), self._given(body))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def _given(self, body: str) -> dict[str, Any]:
            if self.headers["Content-Type"].startswith("application/json"):
                return json.loads(body)
            given: dict[str, Any] = {name: found[0] for name, found in parse_qs(body).items()}
            named = {name: json.loads(given[name]) for name in ("blocks", "view") if name in given}
            return given | named

        def log_message(self, format: str, *args: Any) -> None:
            """What is posted is shown; the requests are not."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Answering)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    room = Room(sys.argv[1])
    server = serve(room, int(environ.get("PORT", PORT)))
    print(f"SLACK_API=http://127.0.0.1:{server.server_port}/", flush=True)
    for line in sys.stdin:
        room.typed(line.strip())
