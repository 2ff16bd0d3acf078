"""Unions that nobody wrote: random fields of random types, to each vendor's schema and back.

What the exporter makes is held against the server's own rules and compiled. A text of it must be
read as Pydantic reads it, or refused where Pydantic refuses it: where a bound that the vendor does
not know was left out of the schema.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from functools import reduce
from operator import or_
from types import NoneType
from typing import Annotated, Any, Literal
from uuid import UUID

import jsonschema
import pytest
from pydantic import BaseModel, Field, ValidationError, create_model

from strict import rules
from strict.sampler import Sampler
from strict.unions import Address, Call, Mail, Urgency, meant, told_apart
from twelvefold.exceptions import SchemaRefused, StepRefused
from twelvefold.schemas import ANTHROPIC, GEMINI, OPENAI, PLAIN, export
from twelvefold.steps import Step
from twelvefold.tools import parse, schema_of, steps_from_json_schema

UNIONS, UNIONS_LONG, TEXTS = 30, 1_000, 5
STEPS_MAX, FIELDS_MAX = 4, 5
NAMES = "a b thought value next_step name arguments type items properties class_ kind error".split()


class Stars(IntEnum):
    ONE = 1
    TWO = 2


class Tree(BaseModel):
    name: str
    kids: list["Tree"] = Field(default=[])


TYPES: list[Any] = [
    *(str, int, float, bool, bytes, NoneType, Any, Decimal, UUID, date, datetime, timedelta),
    *(Urgency, Stars, Literal["a", "b"], Literal[1, 2], Literal["x"], Literal["a", 1, True, None]),
    *(Address, Tree, Mail | Call, Annotated[Mail | Call, Field(discriminator="kind")]),
    *(int | float, int | str, int | None),
    *(list[str], list[int | None], list[Address], list[list[bool]], set[int]),
    *(dict[str, int], tuple[int, int], tuple[int, str]),
    *(Annotated[int, Field(ge=1, le=9)], Annotated[float, Field(multiple_of=0.5)]),
    *(Annotated[str, Field(max_length=5)], Annotated[str, Field(pattern="^[a-z]+$")]),
    Annotated[list[int], Field(min_length=1, max_length=3)],
]
PROFILES = {
    "openai": (OPENAI, rules.OPENAI),
    "anthropic": (ANTHROPIC, rules.ANTHROPIC),
    "gemini": (GEMINI, rules.GEMINI),
    "plain": (PLAIN, None),
}


def union(chance: random.Random) -> Any:
    return reduce(or_, [step(chance, n) for n in range(chance.randint(1, STEPS_MAX))])


def step(chance: random.Random, number: int) -> Any:
    intent = f"do_{number}"
    fields: dict[str, Any] = {"intent": (Literal[intent], intent)}
    for name in chance.sample(NAMES, chance.randint(0, FIELDS_MAX)):
        form = chance.choice(TYPES)
        form = list[form] if chance.random() < 0.1 else form
        fields[name] = (form | None, None) if chance.random() < 0.3 else (form, ...)
    return create_model(f"Do{number}", __base__=Step, **fields)


def outcomes(profile: Any, own: Any, seeds: range) -> Iterator[str]:
    """What became of each text, and of the unions that the exporter refused."""
    for seed in seeds:
        steps = union(random.Random(seed))
        try:
            made = export(schema_of(steps), profile)
        except SchemaRefused:
            yield "schema refused"
            continue
        found = rules.complaints(made.schema, own) if own else rules.loose_complaints(made.schema)
        assert list(found) == [], made.text
        sampler = Sampler(seed)
        yield from (outcome(sampler.text(made.text), made.text, steps) for _ in range(TEXTS))


def outcome(text: str, schema: str, steps: Any) -> str:
    try:
        expected = meant(text, schema, steps)
    except ValidationError:
        with pytest.raises(StepRefused):
            parse(text, steps)
        return "refused as Pydantic does"
    found = parse(text, steps).step
    assert not told_apart(found, expected), f"{text}: {found!r} is not {expected!r}"
    return "right"


def run(vendor: str, seeds: range) -> None:
    counts = Counter(outcomes(*PROFILES[vendor], seeds))

    assert counts["right"] > len(seeds)
    assert counts["refused as Pydantic does"] < counts["right"] / 2


@pytest.mark.parametrize("vendor", PROFILES)
def test_any_union_is_read_as_it_was_said_or_refused_at_once(vendor: str):
    run(vendor, range(UNIONS))


@pytest.mark.long
@pytest.mark.parametrize("vendor", PROFILES)
def test_a_thousand_unions_are_read_as_they_were_said_or_refused_at_once(vendor: str):
    run(vendor, range(UNIONS, UNIONS + UNIONS_LONG))


# Steps from a JSON Schema, as MCP tools come


LIST_ISSUES: dict[str, Any] = {
    "type": "object",
    "properties": {
        "repo": {"type": "string"},
        "state": {"type": "string", "enum": ["open", "closed"], "default": "open"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        "labels": {"type": "array", "items": {"type": "string"}},
        "since": {"type": ["string", "null"]},
    },
    "required": ["repo"],
}
TOOLS = [
    {"name": "list-issues", "description": "List them.", "inputSchema": LIST_ISSUES},
    {"name": "ping", "inputSchema": {"type": "object"}},
]


@pytest.mark.parametrize("vendor", PROFILES)
def test_steps_from_a_json_schema_fit_it_or_are_refused(vendor: str):
    steps, (profile, own) = steps_from_json_schema(TOOLS), PROFILES[vendor]
    schema = json.loads(schema_of(steps))
    made = export(schema_of(steps), profile)
    assert own is None or list(rules.complaints(made.schema, own)) == []

    sampler, right = Sampler(), 0
    for _ in range(UNIONS):
        text = sampler.text(made.text)
        limit = json.loads(text)["next_step"].get("limit", 1)
        if limit is not None and not 1 <= limit <= 100:  # a bound that the vendor does not know
            with pytest.raises(StepRefused, match="limit: must be at"):
                parse(text, steps)
            continue
        jsonschema.validate(parse(text, steps).step, schema)
        right += 1
    assert right >= UNIONS / 2
