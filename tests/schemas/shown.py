"""Small steps of every shape, and what becomes of them."""

from typing import Any, Literal

from pydantic import create_model

from twelvefold.schemas import Exported, Profile, export, schema_of
from twelvefold.steps import Step


def step(intent: str = "act", doc: str = "", **fields: Any) -> type[Step]:
    """A step model; a field is its type, or (type, default)."""
    whole = {name: one if isinstance(one, tuple) else (one, ...) for name, one in fields.items()}
    name = "".join(word.title() for word in intent.split("_"))
    return create_model(name, __base__=Step, __doc__=doc, intent=(Literal[intent], intent), **whole)


def exported(steps: Any, profile: Profile) -> Exported:
    return export(schema_of(steps), profile)


def field(form: Any, profile: Profile) -> Any:
    """The wire schema of one field of this type."""
    return exported(step(x=form), profile).schema["properties"]["x"]


def dropped(form: Any, profile: Profile) -> list[str]:
    return [one.keyword for one in exported(step(x=form), profile).dropped]
