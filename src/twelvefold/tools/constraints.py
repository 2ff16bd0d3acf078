"""Asserts that a schema carries beside its keywords, as BAML types have them: `x-constraints`.

An expression is Jinja2 over `this`, in a sandbox. What cannot be evaluated is not met. A `check`
says something about a value and refuses none.
"""

from functools import cache
from typing import Any

from twelvefold.schemas.nodes import Node
from twelvefold.thread import Json

CONSTRAINTS = "x-constraints"


def unmet(value: Json, schema: Node) -> str:
    """The name of the first assert that the value does not meet; empty when it meets all."""
    for one in schema.get(CONSTRAINTS, ()):
        if one.get("level") == "assert" and not _holds(one.get("expr", ""), value):
            return one.get("name") or one.get("expr", "")
    return ""


def _holds(expression: str, value: Json) -> bool:
    try:
        return _compiled(expression)(this=value) is True
    except Exception:  # whatever an expression may raise: it does not hold
        return False


@cache
def _compiled(expression: str) -> Any:
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # slow to load, and seldom needed

    return ImmutableSandboxedEnvironment().compile_expression(expression, undefined_to_none=False)
