"""What each provider's strict mode accepts: data, each limit with its source.

The sources were read in 2026. A provider that allows more tomorrow needs one line here, or
`dataclasses.replace(OPENAI, depth_max=...)` in your own file today.
"""

from dataclasses import dataclass
from typing import Literal

Recursion = Literal["anywhere", "where_absent", "never"]

_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_ITEMS = frozenset({"minItems", "maxItems"})
_FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The JSON Schema that one provider accepts. A limit that is None is not counted.

    `strict`: objects are closed and all properties required, with null for those that may be left
    out. `keywords` and `formats`: the bounds that are kept; others are dropped, and said.
    `recursion` `where_absent`: only below a property that need not be written.
    """

    name: str
    strict: bool = True
    keywords: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    enum_types: frozenset[str] = frozenset({"string", "integer", "number", "boolean"})
    maps: bool = False
    tuples: bool = False
    recursion: Recursion = "never"
    first_keys_differ: bool = False
    min_items_max: int | None = None
    properties_max: int | None = None
    depth_max: int | None = None
    name_chars_max: int | None = None
    enum_values_max: int | None = None
    large_enum_values: int | None = None
    large_enum_chars_max: int | None = None
    optionals_max: int | None = None
    unions_max: int | None = None


# https://developers.openai.com/api/docs/guides/structured-outputs, "Supported schemas".
OPENAI = Profile(
    name="OpenAI's strict mode",
    keywords=_NUMBERS | _ITEMS | {"pattern"},
    formats=_FORMATS,
    recursion="anywhere",
    # Not in the guide; the API answers 400 with this rule (openai-python issue 2193).
    first_keys_differ=True,
    properties_max=5_000,
    depth_max=10,
    name_chars_max=120_000,
    enum_values_max=1_000,
    large_enum_values=250,
    large_enum_chars_max=15_000,
)

# https://platform.claude.com/docs/en/build-with-claude/structured-outputs, "JSON Schema
# limitations" and "Schema complexity limits"; the formats also in the SDK's own transform.
# One offer is one schema, so its limit of 20 strict tools in a request is never near.
ANTHROPIC = Profile(
    name="Anthropic's strict mode",
    keywords=frozenset({"minItems"}),
    formats=_FORMATS | {"uri"},
    min_items_max=1,
    optionals_max=24,
    unions_max=16,
)

# https://ai.google.dev/api/generate-content, `responseJsonSchema`: the list of what is supported.
GEMINI = Profile(
    name="Gemini's structured output",
    keywords=frozenset({"minimum", "maximum"}) | _ITEMS,
    # https://ai.google.dev/gemini-api/docs/structured-output names these for strings.
    formats=frozenset({"date-time", "date", "time"}),
    enum_types=frozenset({"string", "integer", "number"}),
    maps=True,
    tuples=True,
    recursion="where_absent",
)

# A server that compiles any JSON Schema, or a schema that nothing enforces.
PLAIN = Profile(name="plain JSON Schema", strict=False)
