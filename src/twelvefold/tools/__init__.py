"""Tools are structured outputs: a model's text to one step, a return value to the log."""

from twelvefold.schemas.given import JsonSteps, steps_from_json_schema
from twelvefold.schemas.neutral import schema_of
from twelvefold.tools.parsing import REASONS, Parsed, parse, parse_answer
from twelvefold.tools.peeking import peek
from twelvefold.tools.results import (
    RESULT_BYTES_MAX,
    Hide,
    Result,
    result_data,
    result_of,
    unstorable,
)

__all__ = [
    "REASONS",
    "RESULT_BYTES_MAX",
    "Hide",
    "JsonSteps",
    "Parsed",
    "Result",
    "parse",
    "parse_answer",
    "peek",
    "result_data",
    "result_of",
    "schema_of",
    "steps_from_json_schema",
    "unstorable",
]
