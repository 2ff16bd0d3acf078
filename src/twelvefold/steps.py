"""Steps are Pydantic models: their union, their intents, their risk, and the digest a person
approves.

A step model is frozen and has a field `intent: Literal["..."] = "..."`. Any such model will do;
`Step` only saves the configuration lines.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, cast, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import TypeForm

from twelvefold.exceptions import InvalidAnswer, InvalidSteps, Unstorable
from twelvefold.policy import RISKS, Risk
from twelvefold.thread import Json, canonical, to_text

SCHEMA_HASH_VERSION = "1"
DIGEST_VERSION = "1"

# Tags and wire names of the core: an intent of the same name could not be told from them.
CORE_EVENTS = frozenset(
    """
    message_received next_step_chosen model_answered model_failed model_superseded tool_started
    tool_returned tool_failed tool_outcome_unknown step_settled contact_requested contact_sent
    contact_answered contact_closed contact_reassigned contact_reminded contact_escalated
    contact_voided contact_not_sent answer_refused timer_set timer_fired signal_awaited
    signal_received child_launched child_finished context_compacted limit_reached advance_failed
    paused resumed cancelled forked imported finished erased
    """.split()
)
_CORE_TAGS = CORE_EVENTS | {"error", "human_response", "summary"}
_INTENT = re.compile(r"[a-z_][a-z0-9_]*")


class Step(BaseModel):
    """A frozen model that refuses unknown fields. Subclasses add `intent` and, when it matters,
    `risk`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    risk: ClassVar[Risk] = "low"


def members(steps: TypeForm[Any]) -> Mapping[str, type[BaseModel]]:
    """`A | B`, or one `A`, as {intent: class} in that order. Raises `InvalidSteps`."""
    return _members(steps, get_args(steps))


# A | B equals B | A, so without the order as part of its key a cache would answer with whichever
# union this process has met first: what a model reads would depend on it.
@cache
def _members(steps: Any, order: tuple[Any, ...]) -> Mapping[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for cls in _flat(steps):
        intent = intent_of(cls)
        if intent in found:
            raise InvalidSteps(f"{found[intent].__name__} and {cls.__name__} share {intent!r}.")
        found[intent] = cls
    return found


def _flat(steps: Any) -> list[Any]:
    return [cls for part in get_args(steps) for cls in _flat(part)] or [steps]


@cache
def intent_of(cls: type[BaseModel]) -> str:
    """The intent of a step model. Raises `InvalidSteps` for a model that cannot be a step."""
    field = getattr(cls, "model_fields", {}).get("intent")
    intent = field.default if field is not None else None
    if field is None or not isinstance(intent, str) or get_args(field.annotation) != (intent,):
        raise InvalidSteps(
            f"{getattr(cls, '__name__', cls)} needs a field like"
            ' intent: Literal["deploy"] = "deploy".'
        )
    if not _INTENT.fullmatch(intent) or intent in _CORE_TAGS:
        raise InvalidSteps(f"{cls.__name__}: {intent!r} is not a free name of [a-z_][a-z0-9_]*.")
    if intent.endswith(("_result", "_message")):
        raise InvalidSteps(f"{cls.__name__}: an intent may not end in _result or _message.")
    if not cls.model_config.get("frozen"):
        raise InvalidSteps(f"{cls.__name__} needs model_config = ConfigDict(frozen=True).")
    if "risk" in cls.model_fields:
        raise InvalidSteps(
            f'{cls.__name__}.risk is an argument, which a model fills in: risk: ClassVar = "high".'
        )
    if risk_of(cls) not in RISKS:
        raise InvalidSteps(
            f"{cls.__name__}.risk is {risk_of(cls)!r}, not one of {', '.join(RISKS)}."
        )
    return intent


def risk_of(cls: type[BaseModel]) -> Risk:
    """The declared risk; undeclared is low."""
    return cast(Risk, getattr(cls, "risk", "low"))


def args_of(step: BaseModel) -> dict[str, Json]:
    """The arguments that are stored: all fields but the intent, as JSON, in their own order.

    Raises `Unstorable` when they would not read back as this very step (secrets, NaN, validators
    that change a value each time): what runs is what is stored.
    """
    cls = type(step)
    args = step.model_dump(mode="json", by_alias=True, round_trip=True, exclude={"intent"})
    try:
        again = read_step(cls, args)
    except ValidationError as error:
        raise Unstorable(f"{cls.__name__} cannot read what it wrote: {complaint(error)}") from error
    if lost := sorted(arg_names(cls) - args.keys()):
        raise Unstorable(f"{cls.__name__} does not write {', '.join(lost)}: nobody would see it.")
    if again != step:
        raise Unstorable(f"{cls.__name__} reads back as another step: {to_text(args)}")
    return args


def filled(args: dict[str, Json], step: BaseModel) -> dict[str, Json]:
    """Stored arguments with those that `step`, read from them, has besides: defaults that its class
    got since."""
    today = step.model_dump(mode="json", by_alias=True, round_trip=True, exclude={"intent"})
    return _filled_map(args, today)


def _filled(stored: Json, today: Json) -> Json:
    if isinstance(stored, dict) and isinstance(today, dict):
        return _filled_map(cast(dict[str, Json], stored), cast(dict[str, Json], today))
    if isinstance(stored, list) and isinstance(today, list):
        items, others = cast(list[Json], stored), cast(list[Json], today)
        if len(items) == len(others):
            return [_filled(*pair) for pair in zip(items, others, strict=True)]
    return cast(Json, stored)


def _filled_map(stored: dict[str, Json], today: dict[str, Json]) -> dict[str, Json]:
    whole = {name: _filled(value, today.get(name)) for name, value in stored.items()}
    return whole | {name: value for name, value in today.items() if name not in stored}


@cache
def arg_names(cls: type[BaseModel]) -> frozenset[str]:
    """The names under which the arguments of a step are stored."""
    fields = cls.model_fields.items()
    return frozenset(field.serialization_alias or name for name, field in fields) - {"intent"}


def changed_args(
    cls: type[BaseModel], old: Mapping[str, Json], changes: Mapping[str, Json]
) -> dict[str, Json]:
    """Stored arguments after a person's edit. What `cls` no longer has is left out; raises
    `InvalidAnswer` for a change that it does not know, or refuses."""
    names = arg_names(cls)
    if unknown := sorted(set(changes) - names):
        raise InvalidAnswer(
            f"{cls.__name__} has no argument {', '.join(unknown)}. Nothing was done.",
            errors=dict.fromkeys(unknown, "no such argument"),
        )
    keeps_all = cls.model_config.get("extra") == "allow"
    known = {name: value for name, value in old.items() if keeps_all or name in names}
    try:
        return args_of(read_step(cls, {**known, **changes}))
    except ValidationError as error:
        errors = complaints(error)
        raise InvalidAnswer(f"{complaint(error)}. Nothing was done.", errors=errors) from error


def read_step(cls: type[BaseModel], args: Mapping[str, Json]) -> BaseModel:
    """The step from stored arguments. Raises `ValidationError`."""
    return cls.model_validate({**args, "intent": intent_of(cls)})


def complaint(error: ValidationError) -> str:
    """One line: each wrong field and what is wrong with it, without the input."""
    return "; ".join(f"{field}: {what}" for field, what in _complaints(error))


def complaints(error: ValidationError) -> dict[str, str]:
    """What is wrong by field; the last word on it where there are several."""
    return dict(_complaints(error))


def _complaints(error: ValidationError) -> list[tuple[str, str]]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [(".".join(map(str, e["loc"])) or "step", e["msg"]) for e in found]


def digest(
    *, tenant: str, thread_id: str, contact: str, intent: str, schema: str, args: Json
) -> str:
    """SHA-256, hex, over exactly what a person decides on. Any change of any part changes it."""
    bound = {
        "version": DIGEST_VERSION,
        "tenant": tenant,
        "thread": thread_id,
        "contact": contact,
        "intent": intent,
        "schema": schema,
        "args": args,
    }
    return hashlib.sha256(canonical(bound).encode()).hexdigest()


@cache
def schema_hash(cls: type[BaseModel]) -> str:
    """A hash of the structure: names, types, enums, required, defaults, bounds. Titles and
    descriptions
    do not count, so a docstring voids no approval."""
    schema = cls.model_json_schema()
    text = canonical(_structure(schema, schema.get("$defs", {}), ()))
    return f"{SCHEMA_HASH_VERSION}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


_WORDS_FOR_PEOPLE = frozenset({"title", "description", "examples", "deprecated", "$defs"})


def _structure(schema: Json, defs: Mapping[str, Json], seen: tuple[str, ...]) -> Json:
    """A JSON Schema without words for people, its references followed."""
    if not isinstance(schema, dict):
        return schema
    node = cast(dict[str, Json], schema)
    if isinstance(ref := node.get("$ref"), str):
        name = ref.rsplit("/", 1)[-1]
        if name in seen:
            return {"recursive": name}
        node = {**defs[name], **{k: v for k, v in node.items() if k != "$ref"}}
        seen = (*seen, name)
    return {k: _part(k, v, defs, seen) for k, v in node.items() if k not in _WORDS_FOR_PEOPLE}


def _part(key: str, value: Json, defs: Mapping[str, Json], seen: tuple[str, ...]) -> Json:
    if key in {"default", "const", "enum"}:  # data, not schemas
        return value
    if key == "required":
        return sorted(value)
    if key in {"properties", "patternProperties"}:
        return {name: _structure(schema, defs, seen) for name, schema in value.items()}
    if key in {"anyOf", "oneOf", "allOf"}:
        return sorted((_structure(one, defs, seen) for one in value), key=canonical)
    if key == "prefixItems":
        return [_structure(one, defs, seen) for one in value]
    return _structure(value, defs, seen)
