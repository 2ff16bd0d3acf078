"""What a tool of the protocol gives to an agent: its name, what it takes, when it is a task."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from twelvefold.agent import Agent
from twelvefold.exceptions import ConfigurationError, InvalidRequest, UnknownAgent
from twelvefold.thread import Json, to_text

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
"""Plain words alone: the name of a tool is read by other people's models."""
VERBS = ("launch", "send", "get_thread", "answer")
INPUT_CHARS_MAX = 100_000

AsTask = Literal["optional", "required"]


class Text(BaseModel):
    """What an agent takes that says nothing else."""

    model_config = ConfigDict(extra="forbid")
    input: Annotated[
        str,
        Field(
            min_length=1,
            max_length=INPUT_CHARS_MAX,
            description="What the agent is to do, in words. It is the first message of a thread.",
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One agent as one tool.

    - `name`: that of the tool; without it, that of the agent.
    - `description`: what a client's model reads of it.
    - `takes`: a model of the arguments. They become the first message, as JSON; without it the
      tool takes `input`, a text.
    - `asks`: fields of `takes` that may be missing: then a person is asked for them, in a form,
      before anything begins.
    - `task`: "required" refuses clients that know no tasks; others get a result when they wait.
    """

    agent: str
    name: str = ""
    description: str = ""
    takes: type[BaseModel] = Text
    asks: tuple[str, ...] = ()
    task: AsTask = "optional"

    @property
    def tool(self) -> str:
        return self.name or self.agent

    @property
    def about(self) -> str:
        return self.description or (
            f"Runs the agent {self.agent} until it has finished, and returns what it says. It may"
            " take long, and it may ask people meanwhile."
        )

    def schema(self) -> dict[str, Json]:
        """What a client has to send."""
        return _without(self.takes.model_json_schema(), self.asks)

    def missing(self, arguments: Mapping[str, Json]) -> list[str]:
        """Which fields a person is to be asked for."""
        return [name for name in self.asks if name not in arguments]

    def form(self, missing: Iterable[str]) -> dict[str, Json]:
        """A form for these fields."""
        schema, wanted = self.takes.model_json_schema(), list(missing)
        properties = {name: schema["properties"][name] for name in wanted}
        needed = [name for name in schema.get("required", ()) if name in wanted]
        return {"type": "object", "properties": properties, "required": needed}

    def text(self, arguments: Mapping[str, Json]) -> str:
        """The first message. Raises `InvalidRequest`."""
        try:
            read = self.takes.model_validate(dict(arguments))
        except ValidationError as error:
            errors = {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
            told = "; ".join(f"{field}: {what}" for field, what in errors.items())
            raise InvalidRequest(f"{told}. Nothing was done.", errors=errors) from None
        return read.input if isinstance(read, Text) else to_text(read.model_dump(mode="json"))


def _without(schema: dict[str, Json], asks: Iterable[str]) -> dict[str, Json]:
    left = [name for name in schema.get("required", ()) if name not in set(asks)]
    return {**schema, "required": left} if asks else schema


def checked_offers(
    agents: Mapping[str, Agent[Any, Any]], offers: Iterable[Offer | str] | None
) -> dict[str, Offer]:
    """The offers by the names of their tools; without any, every agent is one.

    Raises `UnknownAgent`, and `ConfigurationError` for a name that cannot be one of a tool.
    """
    wanted = agents if offers is None else offers
    found: dict[str, Offer] = {}
    for one in wanted:
        offer = Offer(agent=one) if isinstance(one, str) else one
        _check(offer, agents, [*VERBS, *found])
        found[offer.tool] = offer
    return found


def _check(offer: Offer, agents: Mapping[str, Agent[Any, Any]], taken: Iterable[str]) -> None:
    if offer.agent not in agents:
        known = ", ".join(agents) or "none"
        raise UnknownAgent(f"There is no agent {offer.agent!r} to offer; there is: {known}.")
    if not NAME.fullmatch(offer.tool):
        raise ConfigurationError(
            f"{offer.tool!r} cannot name a tool: up to 64 letters, digits, _ . and -. Give another"
            " one: Offer(agent=..., name=...)."
        )
    if offer.tool in taken:
        raise ConfigurationError(
            f"Two tools are called {offer.tool!r}. Give another name: Offer(agent=..., name=...)."
        )
    fields = offer.takes.model_fields
    if unknown := [name for name in offer.asks if name not in fields]:
        raise ConfigurationError(f"{offer.tool} asks for {unknown}, which {offer.takes} lacks.")
