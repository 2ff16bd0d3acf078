"""Agents: what they may choose, what that is gated by, and who owns them."""

import hashlib
from functools import partial
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel
from typing_extensions import TypedDict

from twelvefold.agent import Agent
from twelvefold.limits import Limits
from twelvefold.policy import Risk
from twelvefold.server.api.replies import shown
from twelvefold.server.api.routing import Routes, Who
from twelvefold.server.serving import Serving
from twelvefold.steps import members, risk_of, schema_hash
from twelvefold.thread import canonical

VERSION_CHARS = 12


class StepShape(TypedDict):
    """`needs_approval`: without a person's yes it does not run, whatever `decide` returns. `hash`
    is that of its structure: another one voids the approvals there are."""

    intent: str
    description: str
    risk: Risk
    needs_approval: bool
    schema: dict[str, Any]
    hash: str


class LimitsShape(TypedDict):
    """What a model may use before a person looks; null is no limit."""

    steps: int | None
    tokens: int | None
    cost: float | None
    wall_clock_s: float | None


class AgentShape(TypedDict):
    """`version` follows from the structure of its steps; `upcasts`: intents whose stored arguments
    are changed into today's."""

    name: str
    version: str
    owner: str
    steps: list[StepShape]
    limits: LimitsShape | None
    upcasts: list[str]


class AgentList(TypedDict):
    data: list[AgentShape]
    next_cursor: None


def router(serving: Serving) -> APIRouter:
    routes, agents = Routes(serving, "agents"), Agents(serving)
    reads = partial(routes.add, "GET", scope="threads:read")
    reads("/v1/agents", agents.many, returns=AgentList)
    reads("/v1/agents/{name}", agents.one, returns=AgentShape, problems=[404])
    return routes.router


class Agents:
    def __init__(self, serving: Serving) -> None:
        self.app = serving.app

    def many(self, who: Who) -> Response:
        """The agents of this application"""
        return shown(
            {"data": list(map(agent_shape, self.app.agents.values())), "next_cursor": None}
        )

    def one(self, who: Who, name: str) -> Response:
        """One agent: its steps as JSON Schema, gates and limits"""
        return shown(agent_shape(self.app.agent(name)))


def agent_shape(agent: Agent[Any, Any]) -> AgentShape:
    steps = [_step(intent, cls) for intent, cls in members(agent.steps).items()]
    structure = canonical([[step["intent"], step["risk"], step["hash"]] for step in steps])
    return {
        "name": agent.name,
        "version": hashlib.sha256(structure.encode()).hexdigest()[:VERSION_CHARS],
        "owner": str(agent.owner),
        "steps": steps,
        "limits": None if agent.limits is None else _limits(agent.limits),
        "upcasts": sorted(agent.upcasters),
    }


def _step(intent: str, cls: type[BaseModel]) -> StepShape:
    schema = cls.model_json_schema()
    return {
        "intent": intent,
        "description": schema.get("description", ""),
        "risk": risk_of(cls),
        "needs_approval": risk_of(cls) != "low",
        "schema": schema,
        "hash": schema_hash(cls),
    }


def _limits(limits: Limits) -> LimitsShape:
    clock = limits.wall_clock
    return {
        "steps": limits.steps,
        "tokens": limits.tokens,
        "cost": limits.cost,
        "wall_clock_s": None if clock is None else clock.total_seconds(),
    }
