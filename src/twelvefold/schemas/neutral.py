"""The steps on offer as a neutral JSON Schema: what is hashed, and what every form is made of."""

from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter
from typing_extensions import TypeForm

from twelvefold.schemas.given import JsonSteps
from twelvefold.thread import to_text


def schema_of(steps: TypeForm[Any]) -> str:
    """The JSON Schema of the union as text, the same bytes each time."""
    return steps.text if isinstance(steps, JsonSteps) else _schema_of(steps, get_args(steps))


@cache
def _schema_of(steps: Any, order: tuple[Any, ...]) -> str:  # `order` because A | B equals B | A
    return to_text(TypeAdapter(steps).json_schema())
