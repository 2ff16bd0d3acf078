"""The steps on offer as a neutral JSON Schema: what is hashed, and what every form is made of."""

from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from typing_extensions import TypeForm

from twelvefold.exceptions import SchemaRefused
from twelvefold.schemas.given import JsonSteps
from twelvefold.thread import to_text


def schema_of(steps: TypeForm[Any]) -> str:
    """The JSON Schema of the union as text, the same bytes each time.

    Raises `SchemaRefused` for a field of a type that has none, such as a function.
    """
    return steps.text if isinstance(steps, JsonSteps) else _schema_of(steps, get_args(steps))


@cache
def _schema_of(steps: Any, order: tuple[Any, ...]) -> str:  # `order` because A | B equals B | A
    try:
        return to_text(_schema(steps))
    except PydanticInvalidForJsonSchema as error:
        places = ", ".join(_without_schema(steps, order)) or str(steps)
        why = error.message.rstrip(".")
        raise SchemaRefused(f"{places}: {why}. Give the field a type of plain data.") from error


class _Whole(GenerateJsonSchema):
    """As Pydantic's own, which leaves a variant without a schema out of its union in silence."""

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        if kind == "skipped-choice":
            raise PydanticInvalidForJsonSchema(detail)
        super().emit_warning(kind, detail)


def _schema(form: Any) -> dict[str, Any]:
    return TypeAdapter(form).json_schema(schema_generator=_Whole)


def _without_schema(steps: Any, order: tuple[Any, ...]) -> list[str]:
    """The fields, as `Step.field`, that no JSON Schema can say."""
    found: list[str] = []
    for cls in order or (steps,):
        for name, field in getattr(cls, "model_fields", {}).items():
            try:
                _schema(field.annotation)
            except PydanticInvalidForJsonSchema:
                found.append(f"{cls.__name__}.{name}")
    return found
