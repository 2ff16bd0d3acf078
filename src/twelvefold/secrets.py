"""Secrets by reference: a step, an event and a model hold the name, only a running tool the value.

Use it as the type of a field (`token: SecretRef`) and resolve it with `call.secret(step.token)`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic_core import CoreSchema, core_schema

from twelvefold.exceptions import ConfigurationError, NothingHappened

SECRET_NAME_CHARS_MAX = 200
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.:/@-]*"

Secrets = Mapping[str, str] | Callable[[str, str], str | None]
"""{name: value} for every tenant, or a function of tenant and name."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The name of a secret. As JSON it is that name. Raises `ConfigurationError` for what is none.

    A model that fills such a field picks a name: what it may name is for `App(secrets=...)`, for
    the
    type (`Literal["github"]` and `call.secret("github")`), or for `decide` to say.
    """

    name: str

    def __post_init__(self) -> None:
        if len(self.name) > SECRET_NAME_CHARS_MAX or not re.fullmatch(_NAME, self.name):
            raise ConfigurationError(
                f"A secret's name is at most {SECRET_NAME_CHARS_MAX} of the characters"
                " A-Z a-z 0-9 _ . : / @ - and begins with a letter, a digit or _."
            )

    def __str__(self) -> str:
        return self.name

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        text = core_schema.str_schema(pattern=f"^{_NAME}$", max_length=SECRET_NAME_CHARS_MAX)
        named = core_schema.no_info_after_validator_function(cls, text)
        either = core_schema.union_schema([core_schema.is_instance_schema(cls), named])
        return core_schema.json_or_python_schema(
            json_schema=named,
            python_schema=either,
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=core_schema.str_schema()
            ),
        )


def checked(secrets: Any) -> Secrets | None:
    """What `App(secrets=...)` was given. Raises `ConfigurationError`."""
    if secrets is not None and not isinstance(secrets, Mapping) and not callable(secrets):
        raise ConfigurationError(
            "App(secrets=...) takes a mapping of names or a function of tenant and name,"
            f" not {type(secrets).__name__}."
        )
    return cast("Secrets | None", secrets)


def look_up(secrets: Secrets | None, ref: SecretRef | str, *, tenant: str) -> str:
    """The value. Raises `NothingHappened` when there is none; what is said never holds a value."""
    name = str(ref) if isinstance(ref, SecretRef) else _name_of(ref)
    if secrets is None:
        raise NothingHappened(f"there is no secret {name!r}: the App has no secrets=.")
    try:
        value: Any = secrets(tenant, name) if callable(secrets) else secrets.get(name)
    except LookupError:
        value = None
    except Exception as error:  # its text could hold anything
        raise NothingHappened(
            f"App(secrets=...) could not look up {name!r}: {type(error).__name__}."
        ) from None
    if not isinstance(value, str) or not value:
        raise NothingHappened(
            f"there is no secret {name!r} (tenant {tenant!r}): add it to App(secrets=...)."
        )
    return value


def _name_of(ref: Any) -> str:
    try:
        return SecretRef(ref).name
    except (ConfigurationError, TypeError) as error:
        raise NothingHappened(f"call.secret takes a SecretRef or a name: {error}") from None
