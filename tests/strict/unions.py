"""What the proofs run over: the unions of the examples and of the tests, answers of other types,
and a reading of a model's text that shares no line with the product's."""

import json
import re
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from loading import example
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from crew import Steps as CrewSteps
from golden.agents import agents
from twelvefold.steps import Step


class Urgency(Enum):
    LOW = "low"
    HIGH = "high"


class Address(BaseModel):
    street: str
    number: int | None
    note: str = "none"


class Mail(BaseModel):
    kind: Literal["mail"] = "mail"
    to: list[str]


class Call(BaseModel):
    kind: Literal["call"] = "call"
    minutes: int = 5


class Everything(Step):
    """A step with a field of each shape that strict modes know."""

    intent: Literal["everything"] = "everything"
    thought: str = Field(default="none yet", description="What you make of it, in a few words.")
    count: int
    price: float
    both: int | float
    sure: bool = False
    urgency: Urgency = Urgency.LOW
    stars: Literal[1, 2, 3]
    maybe: str | None = "kept"
    home: Address
    work: Address | None = None
    contact: Mail | Call
    tagged: Annotated[Mail | Call, Field(discriminator="kind")] = Call()
    names: list[str] = Field(default=[])
    places: list[Address] = Field(default=[])
    grid: list[list[int]] = Field(default=[[1]])
    mixed: list[str | int | bool | None] = Field(default=[])


class Renamed(Step):
    model_config = ConfigDict(populate_by_name=True)
    intent: Literal["renamed"] = "renamed"
    from_: str = Field(alias="from")
    klass: str = Field(default="first", alias="class")


class Nothing(Step):
    intent: Literal["nothing_to_do"] = "nothing_to_do"


class Verdict(BaseModel):
    good: bool
    why: str
    grade: Literal["a", "b", "c"] | None = None


class Yes(BaseModel):
    sure: bool


class No(BaseModel):
    reason: str


calculator = example("calculator")
release = example("release_pipeline")
outer_loop = example("outer_loop")
first_agent = example("first_agent")
mailcrew = example("mailcrew")
deploybot = example("deploybot")
linear_triage = example("linear_triage")
support_triage = example("support_triage")

OF_EXAMPLES: dict[str, Any] = {
    "calculator": calculator.CalculatorStep,
    "release_pipeline": release.BotStep,
    "release_pipeline, all": release.AnyStep,
    "rollback": release.rollback.steps,
    "outer_loop": outer_loop.BotStep,
    "outer_loop, all": outer_loop.AnyStep,
    "first_agent": first_agent.Deploy | first_agent.Done,
    "mailcrew": mailcrew.AnyStep,
    "deploybot": deploybot.AnyStep,
    "linear_triage": linear_triage.BotStep,
    "support_triage": support_triage.AnyStep,
    "crew": CrewSteps,
    "golden": agents([])[0].steps,
}
UNIONS: dict[str, Any] = {
    **OF_EXAMPLES,
    "everything": Everything | Renamed | Nothing,
    "one": Everything,
}
ANSWERS: dict[str, Any] = {
    "a model": Verdict,
    "a list": list[str],
    "models": list[Verdict],
    "a number": int,
    "truth": bool,
    "a choice": Literal["red", "green"],
    "one or none": Verdict | None,
    "two models": Yes | No,
    "numbers": list[int | float],
}
TEXTS: dict[str, Any] = {
    "a text or none": str | None,
    "a short text": Annotated[str, Field(max_length=200)],
}
"""Without a schema on the wire, a text is the reply itself, not a JSON text."""


def meant(text: str, schema: str | None, form: Any) -> Any:
    """What the model's text says: its JSON without the wrapper of the schema that was sent, null
    read as a default, then Pydantic. Raises `ValidationError` where Pydantic does."""
    value = json.loads(text)
    if schema is not None and list(json.loads(schema)["properties"]) == ["next_step"]:
        value = value["next_step"]
    return _adapter(form).validate_python(_without_nulls(value, form))


@cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    return TypeAdapter(form)


def _without_nulls(value: Any, form: Any) -> Any:
    """The value without each null whose field has a default and takes no null."""
    if isinstance(value, list):
        items = [get_args(one)[:1] for one in _flat(form) if get_origin(one) in {list, set}]
        inner = tuple(part for parts in items for part in parts)
        return [_without_nulls(one, inner) for one in value]
    model = _model(value, form) if isinstance(value, dict) else None
    if model is None:
        return value
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    return {
        name: _without_nulls(one, fields[name].annotation)
        for name, one in value.items()
        if one is not None or fields[name].is_required() or NoneType in _parts(fields[name])
    }


def _parts(field: Any) -> tuple[Any, ...]:
    return (*_flat(field.annotation), NoneType if None in _literals(field.annotation) else Any)


def _literals(form: Any) -> tuple[Any, ...]:
    return tuple(v for one in _flat(form) if get_origin(one) is Literal for v in get_args(one))


def _model(value: dict[str, Any], form: Any) -> type[BaseModel] | None:
    """The model that this object is of: by its tag, else by its names."""
    models = [one for one in _flat(form) if isinstance(one, type) and issubclass(one, BaseModel)]
    for model in models:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        forms = {name: field.annotation for name, field in fields.items()}
        tags = {n: get_args(f) for n, f in forms.items() if get_origin(f) is Literal}
        known = value.keys() <= fields.keys()
        if known and all(value.get(n, "") in (*values, None) for n, values in tags.items()):
            return model
    return None


def _flat(form: Any) -> list[Any]:
    """The members of a union or of several, what is annotated, or the form itself."""
    if isinstance(form, tuple):
        return [one for part in form for one in _flat(part)]
    if get_origin(form) is Annotated:
        return _flat(get_args(form)[0])
    if get_origin(form) in {Union, UnionType}:
        return [one for part in get_args(form) for one in _flat(part)]
    return [form]


def told_apart(one: Any, other: Any) -> bool:
    """Whether two values differ, where 1, 1.0 and True are three. Decimals have many spellings."""
    return one != other or _spelled(one) != _spelled(other)


def _spelled(value: Any) -> str:
    return re.sub(r"Decimal\('[^']*'\)", "Decimal", repr(value))


__all__ = ["ANSWERS", "OF_EXAMPLES", "TEXTS", "UNIONS", "ValidationError", "meant", "told_apart"]
