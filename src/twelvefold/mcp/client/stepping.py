"""A pinned tool as a step model: its types, its own schema as the last word, what is sent of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, create_model, model_validator

from twelvefold.exceptions import InvalidSteps, ToolRefused
from twelvefold.mcp.client.arguments import stored_name
from twelvefold.mcp.client.dialect import Refused, todays
from twelvefold.mcp.client.naming import full_name, intent_for
from twelvefold.mcp.client.pins import Pin
from twelvefold.mcp.client.remotes import Allowed
from twelvefold.mcp.client.shapes import Part, Shapes, opens
from twelvefold.policy import Risk
from twelvefold.schemas.checking import Checker
from twelvefold.schemas.nodes import Node
from twelvefold.steps import Step, intent_of
from twelvefold.thread import Json

INTENT = stored_name("intent")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a step comes from: the server, what the user allowed, and what was pinned."""

    server: str
    allowed: Allowed
    pin: Pin
    checker: Checker

    @property
    def name(self) -> str:
        return full_name(self.server, self.allowed.tool)


class McpStep(Step):
    """A call of a tool of another server. Its fields are the tool's arguments."""

    model_config = ConfigDict(protected_namespaces=())
    risk: ClassVar[Risk] = "high"
    origin: ClassVar[Origin]
    left_out: ClassVar[frozenset[str]] = frozenset()
    takes_intent: ClassVar[bool] = False

    def sent(self) -> dict[str, Json]:
        """The arguments as the server gets them, without those that are filled in at the call."""
        made = _sent(self)
        if self.takes_intent:
            made = {"intent" if name == INTENT else name: value for name, value in made.items()}
        return made

    @model_validator(mode="after")
    def _as_the_server_says(self) -> Self:
        if complaints := self.origin.checker.complaints(self.sent()):
            raise ValueError("; ".join(complaints))
        return self


class OpenMcpStep(McpStep):
    """One whose tool takes more arguments than it names."""

    model_config = ConfigDict(extra="allow")


def step_of(server: str, allowed: Allowed, pin: Pin) -> type[McpStep]:
    """The step model of a tool. Raises `ToolRefused`, naming the tool and the place."""
    name = full_name(server, allowed.tool)
    schema = _without(todays(pin.input_schema, of=name), allowed, name)
    origin = Origin(server, allowed, pin, Checker(schema))
    try:
        made = _model(schema, origin)
        made.model_json_schema()
        intent_of(made)
        return made
    except Refused as refused:
        raise ToolRefused(f"{name}: its input schema cannot be offered: {refused}.") from None
    except InvalidSteps as error:
        raise ToolRefused(f"{name}: {error} Give it another: Allowed(intent=...).") from error
    except Exception as error:  # a schema that says what no type can: whose, and what
        raise ToolRefused(f"{name}: its input schema cannot be offered: {error}") from error


def _model(schema: Node, origin: Origin) -> type[McpStep]:
    allowed, intent = origin.allowed, intent_for(origin.server, origin.allowed)
    fields, left_out = Shapes(schema, prefix=intent).fields_of_root()
    model: type[McpStep] = cast(Any, create_model)(
        intent,
        __base__=OpenMcpStep if opens(schema) else McpStep,
        __module__=__name__,
        __doc__=allowed.description or origin.pin.description,
        **{"intent": (Literal[intent], intent), **fields},
    )
    model.risk, model.origin, model.left_out = allowed.risk, origin, left_out
    model.takes_intent = "intent" in schema.get("properties", {})
    return model


def _without(schema: Node, allowed: Allowed, name: str) -> Node:
    """Without the arguments that are filled in. Raises `ToolRefused` for one that is not there."""
    fields: Node = schema.get("properties", {})
    if unknown := [one for one in allowed.fill if one not in fields]:
        raise ToolRefused(f"{name} has no argument {unknown[0]!r} to fill: correct Allowed(fill=).")
    if INTENT in fields and "intent" in fields:
        raise ToolRefused(f"{name} has both `intent` and `intent_`. Fill one: Allowed(fill=...).")
    return {
        **schema,
        "properties": {one: node for one, node in fields.items() if one not in allowed.fill},
        "required": [one for one in schema.get("required", []) if one not in allowed.fill],
    }


def _sent(value: Any) -> Any:
    if isinstance(value, Part | McpStep):
        return _sent_fields(value, value.left_out)
    if isinstance(value, dict):
        return {name: _sent(one) for name, one in cast(Mapping[str, Any], value).items()}
    return [_sent(one) for one in cast(list[Any], value)] if isinstance(value, list) else value


def _sent_fields(value: BaseModel, left_out: frozenset[str]) -> dict[str, Json]:
    made: dict[str, Json] = {}
    for name, field in type(value).model_fields.items():
        one = getattr(value, name)
        is_name = name == "intent" and isinstance(value, McpStep)
        if is_name or (one is None and name in left_out):
            continue
        made[field.alias or name] = _sent(one)
    return {**made, **{name: _sent(one) for name, one in (value.model_extra or {}).items()}}
