"""What a model may answer, as text: JSON Schema for strict modes, a short form for prompts."""

from twelvefold.schemas.compact import output_format
from twelvefold.schemas.exporting import NEXT_STEP, Dropped, Exported, export
from twelvefold.schemas.given import JsonSteps, steps_from_json_schema
from twelvefold.schemas.neutral import schema_of
from twelvefold.schemas.profiles import ANTHROPIC, GEMINI, OPENAI, PLAIN, Profile

__all__ = [
    "ANTHROPIC",
    "GEMINI",
    "NEXT_STEP",
    "OPENAI",
    "PLAIN",
    "Dropped",
    "Exported",
    "JsonSteps",
    "Profile",
    "export",
    "output_format",
    "schema_of",
    "steps_from_json_schema",
]
