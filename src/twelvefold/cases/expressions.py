"""Assertions over a step: Jinja2's sandboxed expressions, never Python's `eval`.

An expression sees the arguments of the step, `intent`, `args` and `answer`, and nothing else: no
functions, no attributes of Python, and no `**`, with which ten characters fill a machine's memory.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from twelvefold.thread import Json, to_text

SHOWN_CHARS_MAX = 200

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
_ENVIRONMENT.globals.clear()


def fault_of(expression: str) -> str | None:
    """What is wrong with an expression before any step is there; None when nothing is."""
    try:
        _compiled(expression)
        tree = _ENVIRONMENT.parse(_in_template(expression))
    except TemplateError as error:
        return f"{expression!r} is no expression: {error}"
    if next(tree.find_all(nodes.Pow), None) is not None:
        return f"{expression!r}: ** is not there."
    return None


def complaint(expression: str, variables: Mapping[str, Json]) -> str | None:
    """Why the expression does not hold, with the values it read; None when it holds."""
    if fault := fault_of(expression):
        return fault
    try:
        if _compiled(expression)(**variables):
            return None
    except Exception as error:  # whatever the expression does to a value of another kind
        return f"assert {expression}\n  {error}{_read(expression, variables)}"
    return f"assert {expression}{_read(expression, variables)}"


@cache
def _compiled(expression: str) -> Callable[..., Any]:
    return _ENVIRONMENT.compile_expression(expression, undefined_to_none=False)


def _read(expression: str, variables: Mapping[str, Json]) -> str:
    names = meta.find_undeclared_variables(_ENVIRONMENT.parse(_in_template(expression)))
    there = sorted(names & variables.keys())
    return "".join(f"\n  {name} is {_shown(variables[name])}" for name in there)


def _shown(value: Json) -> str:
    text = to_text(value)
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]}..."


def _in_template(expression: str) -> str:
    return "{{ (" + expression + "\n) }}"
