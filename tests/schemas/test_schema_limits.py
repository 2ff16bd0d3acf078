"""What a provider would refuse for its size is refused before it is sent."""

from functools import reduce
from operator import or_
from typing import Any, Literal

import pytest
from pydantic import BaseModel, create_model
from shown import exported, step

from twelvefold.exceptions import SchemaRefused
from twelvefold.schemas import ANTHROPIC, GEMINI, OPENAI, PLAIN, Profile


def nested(levels: int) -> Any:
    """A model of that many objects in each other."""
    form: Any = int
    for n in range(levels):
        form = create_model(f"Level{n}", inner=(form, ...))
    return form


def choice(count: int, size: int) -> Any:
    return Literal[tuple(f"{n:0{size}}" for n in range(count))]


UNIONS = {f"u{n}": int | str for n in range(16)}
CASES: dict[str, tuple[Profile, Any, Any]] = {
    "levels of objects": (OPENAI, step(x=nested(9)), step(x=nested(10))),
    "properties": (
        OPENAI,
        step(**{f"f{n}": int for n in range(4_999)}),
        step(**{f"f{n}": int for n in range(5_000)}),
    ),
    "enum values": (OPENAI, step(x=choice(999, 3)), step(x=choice(1_000, 4))),
    "characters in names": (
        OPENAI,
        step(**{"a" * 119_000: int}),
        step(**{"a" * 120_000: int}),
    ),
    "characters in an enum": (OPENAI, step(x=choice(251, 59)), step(x=choice(251, 60))),
    "a union type": (ANTHROPIC, step(**UNIONS), step(**UNIONS, v=int | str)),
    "may be left out": (
        ANTHROPIC,
        step(**UNIONS, **{f"f{n}": (int, 1) for n in range(24)}),
        step(**UNIONS, **{f"f{n}": (int, 1) for n in range(25)}),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_limit_is_the_last_that_passes(name: str):
    profile, within, above = CASES[name]

    assert exported(within, profile).text
    with pytest.raises(SchemaRefused, match=name) as refused:
        exported(above, profile)
    assert profile.name in str(refused.value)
    assert 'mode="tool" or mode="prompt"' in str(refused.value)


@pytest.mark.parametrize("name", CASES)
def test_a_plain_schema_has_no_limit(name: str):
    assert exported(CASES[name][2], PLAIN).text


def test_the_wrapper_counts_as_a_union():
    steps = reduce(or_, [step("a", **UNIONS), step("b")])

    with pytest.raises(SchemaRefused, match="this has 17"):
        exported(steps, ANTHROPIC)


def test_variants_that_begin_alike_are_refused_by_openai():
    class Thinks(BaseModel):
        thought: str
        kind: Literal["a"] = "a"

    class Also(BaseModel):
        thought: str
        kind: Literal["b"] = "b"

    with pytest.raises(SchemaRefused, match="several begin with 'thought'"):
        exported(Thinks | Also, OPENAI)
    assert exported(Thinks | Also, ANTHROPIC).wrapped
    assert exported(step("a", thought=str) | step("b", thought=str), OPENAI).wrapped


def test_a_recursive_model_is_counted_once():
    class Tree(BaseModel):
        below: "list[Tree]" = []

    Tree.model_rebuild()

    assert exported(step(x=Tree), OPENAI).text
    assert exported(step(x=Tree), GEMINI).text
