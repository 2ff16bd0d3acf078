"""Agents behind the gateway, people with keys in two tenants, and clients that speak to it."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, ClassVar, Literal

import httpx
from fastapi.testclient import TestClient

from server.known import AWAY, PATIENCE_S, bearer, keyed
from twelvefold import (
    Agent,
    App,
    Approve,
    Ask,
    Choose,
    Delegate,
    Finish,
    State,
    Step,
    Thread,
    Wait,
    run,
)
from twelvefold.forms import yes_no
from twelvefold.mcp import Offer, Settings, mount
from twelvefold.policy import not_an_initiator
from twelvefold.server import create_app
from twelvefold.testing import MemoryStore

OURS, THEIRS = "acme", "umbrella"
OLDER, MODERN = "2025-11-25", "2026-07-28"
EXTENSION = "io.modelcontextprotocol/tasks"
FORMS_AND_TASKS = {"elicitation": {"form": {}}, "extensions": {EXTENSION: {}}}
FORMS, TASKS_ALONE, NOTHING = {"elicitation": {}}, {"extensions": {EXTENSION: {}}}, {}


class Small(Step):
    risk: ClassVar = "low"
    intent: Literal["small"] = "small"
    euros: int


class Big(Step):
    risk: ClassVar = "medium"
    intent: Literal["big"] = "big"
    euros: int


class Huge(Step):
    risk: ClassVar = "high"
    intent: Literal["huge"] = "huge"
    euros: int


class Question(Step):
    risk: ClassVar = "low"
    intent: Literal["question"] = "question"
    text: str


class Part(Step):
    risk: ClassVar = "low"
    intent: Literal["part"] = "part"


KINDS = {"small": Small, "big": Big, "huge": Huge}


class Ledger:
    """What really happened: judged by nobody who could be told anything."""

    def __init__(self) -> None:
        self.paid: list[int] = []

    def pay(self, step: Any) -> str:
        self.paid.append(step.euros)
        return f"{step.euros} euros are back"


def till(ledger: Ledger, by: Any = "anna") -> Any:
    """Pays what the message names, once a person has said yes."""

    def decide(thread: Thread, state: State[Any]) -> Any:
        if state.ready:
            chosen = state.ready[0]
            return run(ledger.pay, chosen.step) if chosen.approved else Approve(chosen.step, by=by)
        if state.waiting or state.finished:
            return Wait()
        last = next((one for one in map(state.last, KINDS.values()) if one), None)
        if last is None:
            kind, euros = thread.events[0].data["text"].split()
            return Choose(KINDS[kind](euros=int(euros)))
        return Finish(str(last.result or f"not paid: {last.error}"))

    return decide


def asker(thread: Thread, state: State[Question]) -> Any:
    if state.ready:
        step = state.ready[0].step
        form = yes_no() if step.text.endswith("?") else None
        return Ask(step, step.text, to="anna", form=form)
    if state.waiting or state.finished:
        return Wait()
    asked = state.last(Question)
    if asked is None:
        return Choose(Question(text=thread.events[0].data["text"]))
    return Finish(f"heard {asked.result!r}")


def parent(thread: Thread, state: State[Part]) -> Any:
    if state.ready:
        return Delegate(state.ready[0].step, "asker", thread.events[0].data["text"])
    if state.waiting or state.finished:
        return Wait()
    part = state.last(Part)
    return Choose(Part()) if part is None else Finish(f"it {part.result}")


def echo(thread: Thread, state: State[Part]) -> Any:
    return Wait() if state.finished else Finish(f"said {thread.events[0].data['text']}")


def breaks(thread: Thread, state: State[Part]) -> Any:
    raise RuntimeError("no decision")


class World:
    """A server of two tenants, and the keys of those who come."""

    def __init__(self, *, runs: bool = False, **options: Any) -> None:
        """`runs`: the server advances threads, and calls without tasks wait for them."""
        self.ledger = Ledger()
        kinds: Any = Small | Big | Huge
        agents = [
            Agent("till", till(self.ledger), kinds, owner="olga"),
            Agent(
                "four_eyes",
                till(self.ledger, not_an_initiator(["anna", "ben"])),
                kinds,
                owner="olga",
            ),
            Agent("asker", asker, Question, owner="olga"),
            Agent("parent", parent, Part, owner="olga"),
            Agent("echo", echo, Part, owner="olga"),
            Agent("breaks", breaks, Part, owner="olga"),
        ]
        self.app = App(agents, store=MemoryStore(), **options)
        self.runs, self.served = runs, create_app(self.app, runner=runs, inbox=False)
        offers = [name for name in self.app.agents if name != "echo"]
        mount(
            self.served,
            offers=[*offers, Offer(agent="echo", name="says")],
            settings=Settings(poll_ms=10, wait_s=PATIENCE_S if runs else 0),
        )
        self.keys = {
            name: keyed(self.app, person=name, tenant=OURS) for name in ("anna", "ben")
        } | {
            "eve": keyed(self.app, person="anna", tenant=THEIRS),  # of the same name, elsewhere
            "machine": keyed(self.app, tenant=OURS),
            "reader": keyed(self.app, person="anna", tenant=OURS, scopes=["threads:read"]),
            "no_answers": keyed(
                self.app, person="anna", tenant=OURS, scopes=["threads:read", "threads:write"]
            ),
        }
        self.number = 0

    def advance(self) -> None:
        if not self.runs:
            asyncio.run(self.app.run(until_idle=True))


@contextmanager
def clients(world: World) -> Iterator[TestClient]:
    with TestClient(world.served, base_url="http://inbox.example", client=AWAY) as client:
        yield client


class Client:
    """A client of 2026-07-28: each request stands alone."""

    def __init__(
        self, world: World, http: TestClient, who: str = "anna", able: Any = FORMS_AND_TASKS
    ) -> None:
        self.world, self.http, self.able = world, http, able
        self.headers = bearer(world.keys[who])

    def post(self, method: str, params: dict[str, Any], **headers: str) -> httpx.Response:
        named = params.get("name") or params.get("taskId") or params.get("uri")
        given = {**self.says(method, named), **headers}
        kept = {name: value for name, value in given.items() if value}
        return self.http.post("/mcp", json=self.message(method, params), headers=kept)

    def says(self, method: str, named: Any) -> dict[str, str]:
        plain = isinstance(named, str) and named.isascii() and named.isprintable() and named
        return {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": method,
            **({"Mcp-Name": named} if plain else {}),
            **self.headers,
        }

    def message(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self.world.number += 1
        meta = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": self.able,
        }
        return {
            "jsonrpc": "2.0",
            "id": self.world.number,
            "method": method,
            "params": {**params, "_meta": meta},
        }

    def raw(self, method: str, params: dict[str, Any]) -> httpx.Response:
        """As `post`, but as whoever writes JSON by hand may: NaN, and lone surrogates."""
        named = params.get("name") or params.get("taskId")
        body = json.dumps(self.message(method, params)).encode()
        headers = {**self.says(method, named), "Content-Type": "application/json"}
        return self.http.post("/mcp", content=body, headers=headers)

    def ask(self, method: str, **params: Any) -> Any:
        """The result, or the error."""
        said = self.post(method, params).json()
        return said.get("result", said.get("error", said))

    def call(self, name: str, arguments: Any = None, **more: Any) -> Any:
        """What a tool answers, after all that can be done has been done."""
        found = self.ask("tools/call", name=name, arguments=arguments or {}, **more)
        self.world.advance()
        return found

    def began(self, name: str, **arguments: Any) -> str:
        return self.call(name, arguments)["taskId"]

    def task(self, task_id: str) -> Any:
        return self.ask("tasks/get", taskId=task_id)

    def answers(self, task_id: str, **responses: Any) -> Any:
        found = self.ask("tasks/update", taskId=task_id, inputResponses=responses)
        self.world.advance()
        return found

    def asked(self, task_id: str) -> tuple[str, Any]:
        """The one thing that a task asks."""
        ((key, request),) = self.task(task_id)["inputRequests"].items()
        return key, request["params"]


NUMBERS = count(1)
"""Ids of requests: a session takes no two at once under one."""
INITIALIZE = {
    "protocolVersion": OLDER,
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


def older(http: TestClient, key: str, method: str, params: Any, **headers: str) -> httpx.Response:
    """A request as clients before 2026-07-28 send it."""
    body = {"jsonrpc": "2.0", "id": next(NUMBERS), "method": method, "params": params}
    accepted = {"Accept": "application/json, text/event-stream"}
    return http.post("/mcp", json=body, headers={**accepted, **bearer(key), **headers})


def accept(**content: Any) -> dict[str, Any]:
    return {"action": "accept", "content": content}


def text_of(result: Any) -> str:
    return result["content"][0]["text"]
