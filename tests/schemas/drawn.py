"""Random unions of step models, and steps as a strict model would write them."""

import enum
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, Optional, cast
from uuid import UUID

from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from twelvefold.steps import Step

FIELDS_MAX = 4
STEPS_MAX = 4


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Point(BaseModel):
    """A place on the map."""

    x: int
    y: int = 0


@dataclass(frozen=True)
class Type:
    """An annotation, and values of it as Pydantic takes them."""

    form: Any
    values: st.SearchStrategy[Any]


TEXTS = st.text(string.printable, max_size=12)
WHENS = st.datetimes(timezones=st.just(UTC))
SIMPLE = [
    Type(int, st.integers(-(10**9), 10**9)),
    Type(float, st.floats(-1e9, 1e9, allow_nan=False)),
    Type(str, TEXTS),
    Type(bool, st.booleans()),
    Type(None, st.none()),
    Type(Colour, st.sampled_from(Colour)),
    Type(Literal["a", "b", 3], st.sampled_from(["a", "b", 3])),
    Type(datetime, WHENS),
    Type(date, st.dates(date(2000, 1, 1))),
    Type(timedelta, st.timedeltas(timedelta(0), timedelta(days=99))),
    Type(UUID, st.uuids(version=4)),
    Type(Decimal, st.decimals(-1000, 1000, places=2)),
    Type(Annotated[int, Field(ge=1, le=5)], st.integers(1, 5)),
    Type(Annotated[str, Field(min_length=1, pattern="^[a-z]+$")], st.sampled_from(["a", "bc"])),
    Type(Point, st.builds(Point, x=st.integers(0, 9), y=st.integers(0, 9))),
    Type(tuple[int, int], st.tuples(st.integers(0, 9), st.integers(0, 9))),
]


def _grown(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    return st.one_of(
        inner.map(lambda one: Type(list[one.form], st.lists(one.values, max_size=3))),
        # None | None is an error.
        inner.map(lambda one: Type(Optional[one.form], one.values | st.none())),  # noqa: UP045
        inner.map(_model),
    )


def _model(inner: Type) -> Type:
    form = create_model("Inner", item=(inner.form, ...), note=(str, "none"))
    return Type(form, st.builds(form, item=inner.values, note=TEXTS))


TYPES = st.recursive(st.sampled_from(SIMPLE), _grown, max_leaves=3)


@dataclass(frozen=True)
class Offer:
    """A union of steps, or one, with steps of it."""

    steps: Any
    chosen: st.SearchStrategy[BaseModel]


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    made = [draw(_steps(f"step_{n}")) for n in range(draw(st.integers(1, STEPS_MAX)))]
    return Offer(reduce(or_, [one.form for one in made]), st.one_of([one.values for one in made]))


@st.composite
def _steps(draw: st.DrawFn, intent: str) -> Type:
    names = [f"field_{n}" for n in range(draw(st.integers(0, FIELDS_MAX)))]
    types = {name: draw(TYPES) for name in names}
    fields: dict[str, Any] = {"intent": (Literal[intent], intent)}
    for name, one in types.items():
        words = draw(st.sampled_from([None, "What it is.", "Two\nlines"]))
        if draw(st.booleans()):
            fields[name] = (one.form, Field(draw(one.values), description=words))
        else:
            fields[name] = (one.form, Field(description=words))
    make = cast("Callable[..., type[BaseModel]]", create_model)
    form = make(
        intent.title(), __base__=Step, __doc__=draw(st.sampled_from(["", "Does."])), **fields
    )
    return Type(form, st.builds(form, **{name: one.values for name, one in types.items()}))
