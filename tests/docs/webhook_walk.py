"""An agent that a webhook begins and another system answers, its server, and who follows it."""

import asyncio
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, ClassVar, Literal

import uvicorn

from channels import erp
from twelvefold import Agent, App, Approve, Call, Choose, Finish, Step, Wait, guard, run
from twelvefold.channels.github import GitHub
from twelvefold.channels.webhook import Webhook
from twelvefold.directory import Directory
from twelvefold.server import create_app
from twelvefold.triggers import Occurrence

PATIENCE_S = 60.0
"""Far more than anything here takes; only a defect reaches it."""

SECRET = "of the webhook"
MERGED = json.dumps(
    {"action": "closed", "pull_request": {"sha": "4af9ec0", "html_url": "https://git.example/1"}}
).encode()


# Who is followed


@dataclass
class Follower:
    """A profile function: which of these functions were entered, in which order. A coroutine that
    goes on is not entered anew."""

    places: set[str]
    entered: list[str] = field(default_factory=list[str])
    begins: dict[CodeType, int] = field(default_factory=dict[CodeType, int])

    def __post_init__(self) -> None:
        self.names = {place.partition(":")[2] for place in self.places}

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or code.co_name not in self.names:
            return
        module = str(frame.f_globals.get("__name__", ""))
        place = f"{module.removeprefix('twelvefold.')}:{code.co_name}"
        if place in self.places and self.begins.setdefault(code, frame.f_lasti) == frame.f_lasti:
            self.entered.append(place)


# The application


class Deploy(Step):
    risk: ClassVar = "medium"
    intent: Literal["deploy"] = "deploy"
    sha: str


def decide(thread: Any, state: Any) -> Any:
    for chosen in state.ready:
        return run(deploy, chosen.step) if chosen.approved else Approve(chosen.step, by="anna")
    if state.waiting or state.finished:
        return Wait()
    return (
        Finish("over") if state.last(Deploy) else Choose(Deploy(sha=thread.events[0].data["text"]))
    )


def deploy(step: Deploy, call: Call[list[str]]) -> str:
    call.deps.append(call.key)
    return f"{step.sha} is live"


def merged(event: str, data: Mapping[str, Any]) -> Occurrence | None:
    if event != "pull_request.closed":
        return None
    pull = data["pull_request"]
    return Occurrence(pull["sha"], conversation=pull["html_url"])


def made(folder: Path, system: erp.Erp, keys: list[str]) -> App:
    rules = guard.Rules(
        schemes=frozenset({"http"}), ports=frozenset({system.port}), inside=("127.0.0.0/8",)
    )
    return App(
        [Agent("release", decide, Deploy, deps=lambda tenant: keys, owner="anna")],
        store=folder / "threads.db",
        directory=Directory(addresses={"anna": {"erp": "desk-7"}}),
        channels=[
            GitHub(secret=SECRET, on=merged, agent="release"),
            Webhook(secret=erp.SECRET, url=system.url, name="erp", rules=rules),
        ],
    )


@contextmanager
def served(app: App, follower: Follower) -> Iterator[str]:
    """The server with its engine in a thread: each thread that begins meanwhile is followed."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(create_app(app, runner=True), log_level="warning", ws="none")
    )

    def serve() -> None:
        asyncio.run(server.serve(sockets=[listening]))
        app.close()

    threading.setprofile(follower)
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        threading.setprofile(None)
        server.should_exit = True
        thread.join(PATIENCE_S)
        listening.close()


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def by_github(body: bytes, secret: str) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-github-event": "pull_request", "x-hub-signature-256": f"sha256={signature}"}
