"""What docs/schemas.md says of types and limits is what the exporter does."""

import enum
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AnyUrl, BaseModel, Field, Json, JsonValue
from shown import dropped, step

from twelvefold.exceptions import SchemaRefused
from twelvefold.schemas import ANTHROPIC, GEMINI, OPENAI, PLAIN, Profile, export, schema_of

PAGE = (Path(__file__).parents[2] / "docs" / "schemas.md").read_text(encoding="utf-8")
PROFILES = {"OPENAI": OPENAI, "ANTHROPIC": ANTHROPIC, "GEMINI": GEMINI, "PLAIN": PLAIN}
NAMES: dict[str, Any] = {
    one.__name__: one for one in (date, datetime, timedelta, Decimal, UUID, AnyUrl)
} | {"Annotated": Annotated, "Any": Any, "Literal": Literal, "Field": Field}


class Colour(enum.Enum):
    RED = "red"


class Point(BaseModel):
    x: int


class Tree(BaseModel):
    below: "list[Tree]" = []


class Chain(BaseModel):
    after: "Chain | None"


NAMES |= {"Colour": Colour, "Point": Point, "Tree": Tree, "Chain": Chain}
NAMES |= {"Json": Json, "JsonValue": JsonValue}


def cells(start: str) -> list[list[str]]:
    table = PAGE[PAGE.index(start) :].split("\n\n")[0]
    return [re.split(r"(?<!\\)\|", row)[1:-1] for row in table.splitlines()]


def rows() -> list[tuple[str, dict[str, str]]]:
    head, _, *body = cells("| type of a field |")
    profiles = [name.strip(" `") for name in head[1:]]
    return [
        (form.replace("\\", ""), dict(zip(profiles, map(str.strip, said), strict=True)))
        for types, *said in body
        for form in re.findall(r"`([^`]+)`", types)
    ]


def told(form: Any, profile: Profile) -> str:
    try:
        lost = dropped(form, profile)
    except SchemaRefused:
        return "refused"
    return f"without {', '.join(f'`{word}`' for word in sorted(lost))}" if lost else "kept"


@pytest.mark.parametrize(("form", "said"), rows(), ids=[form for form, _ in rows()])
def test_a_row_of_the_table_is_true(form: str, said: dict[str, str]):
    kind = eval(form, NAMES)

    assert {name: told(kind, PROFILES[name]) for name in said} == said


def test_the_limits_of_the_page_are_those_of_the_profiles():
    text = " ".join(" ".join(row) for row in cells("| | `OPENAI` |"))
    limits = [
        OPENAI.properties_max,
        OPENAI.depth_max,
        OPENAI.name_chars_max,
        OPENAI.enum_values_max,
        OPENAI.large_enum_values,
        OPENAI.large_enum_chars_max,
        ANTHROPIC.optionals_max,
        ANTHROPIC.unions_max,
    ]

    assert [f"{limit:,}" for limit in limits if limit and f" {limit:,}" not in text] == []


def test_what_the_page_says_of_bytes_and_patterns():
    lookahead = Annotated[str, Field(json_schema_extra={"pattern": "a(?=b)"})]

    assert "pattern" in dropped(lookahead, OPENAI)
    assert "pattern" in export(schema_of(step(x=lookahead)), PLAIN).text
