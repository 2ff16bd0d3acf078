"""Whatever the types: what a strict model writes is a step, and nothing else passes."""

import json
from typing import Any

from drawn import Offer, offers
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from strict import rules
from twelvefold.exceptions import SchemaRefused
from twelvefold.schemas import ANTHROPIC, GEMINI, OPENAI, PLAIN, Exported, Profile, export
from twelvefold.tools import parse, schema_of

FEWER = settings(max_examples=60)  # making models is slow
PROFILES = st.sampled_from([OPENAI, ANTHROPIC, GEMINI, PLAIN])


def exported(offer: Offer, profile: Profile) -> Exported:
    try:
        return export(schema_of(offer.steps), profile)
    except SchemaRefused as refused:
        within_reach = "properties with a union type" in str(refused)
        assume(not within_reach)
        raise


def right(schema: Any, value: Any) -> bool:
    return Draft202012Validator(schema).is_valid(value)


def on_the_wire(step: BaseModel, made: Exported) -> Any:
    value = step.model_dump(mode="json")
    return {made.wrapped: value} if made.wrapped else value


@FEWER
@given(offers(), PROFILES, st.data())
def test_a_step_on_the_wire_is_right_and_comes_back_as_it_was(
    offer: Offer, profile: Profile, data: st.DataObject
):
    made, step = exported(offer, profile), data.draw(offer.chosen)
    value = on_the_wire(step, made)

    assert right(made.schema, value)
    assert parse(json.dumps(value), offer.steps).step == step


@FEWER
@given(offers(), st.sampled_from([OPENAI, GEMINI]), st.data())
def test_null_in_the_place_of_a_default_is_the_default(
    offer: Offer, profile: Profile, data: st.DataObject
):
    made, step = exported(offer, profile), data.draw(offer.chosen)
    defaults = {n for n, field in type(step).model_fields.items() if not field.is_required()}
    left_out = data.draw(st.sets(st.sampled_from(sorted(defaults - {"intent"}) or [""])))
    value = on_the_wire(step, made)
    body = value[made.wrapped] if made.wrapped else value
    body |= {name: None for name in left_out if name}
    again = type(step).model_validate({n: v for n, v in body.items() if n not in left_out})

    assert right(made.schema, value)
    parsed = parse(json.dumps(value), offer.steps).step
    for name in type(step).model_fields:
        takes_null = right_alone(offer, type(step), name, None)
        expected = None if name in left_out and takes_null else getattr(again, name)
        assert getattr(parsed, name) == expected


def right_alone(offer: Offer, cls: type[BaseModel], name: str, value: Any) -> bool:
    whole = cls.model_json_schema()
    return right({**whole["properties"][name], "$defs": whole.get("$defs", {})}, value)


BREAKS = ["lost", "added", "other intent", "list", "no intent"]


@FEWER
@given(offers(), PROFILES, st.sampled_from(BREAKS), st.data())
def test_what_the_neutral_schema_refuses_in_shape_no_wire_schema_takes(
    offer: Offer, profile: Profile, way: str, data: st.DataObject
):
    made, step = exported(offer, profile), data.draw(offer.chosen)
    body = broken(step.model_dump(mode="json"), way, data)
    neutral = json.loads(schema_of(offer.steps))
    assume(not right(neutral, body))

    assert not right(made.schema, {made.wrapped: body} if made.wrapped else body)


def broken(body: dict[str, Any], way: str, data: st.DataObject) -> dict[str, Any]:
    name = data.draw(st.sampled_from(sorted(body)))
    match way:
        case "lost":
            return {key: value for key, value in body.items() if key != name}
        case "added":
            return {**body, "more": 1}
        case "other intent":
            return {**body, "intent": "elsewhere"}
        case "no intent":
            return {**body, "intent": None}
        case _:
            return {**body, name: [[{}]]}


RULES = {OPENAI.name: rules.OPENAI, ANTHROPIC.name: rules.ANTHROPIC, GEMINI.name: rules.GEMINI}


@FEWER
@given(offers(), st.sampled_from([OPENAI, ANTHROPIC, GEMINI]))
def test_the_strict_server_has_no_complaint(offer: Offer, profile: Profile):
    made = exported(offer, profile)

    assert list(rules.complaints(made.schema, RULES[profile.name])) == []


@FEWER
@given(offers(), PROFILES)
def test_only_the_users_words_are_in_it(offer: Offer, profile: Profile):
    made = exported(offer, profile)
    neutral = json.loads(schema_of(offer.steps))

    assert words(made.schema) <= words(neutral)
    assert not {"title", "default"} & keys(made.schema) - keys_of(PLAIN, profile)


def keys_of(plain: Profile, profile: Profile) -> set[str]:
    return {"default"} if profile is plain else set()


def words(node: Any) -> set[str]:
    return {one["description"] for one in maps(node) if isinstance(one.get("description"), str)}


def keys(node: Any) -> set[str]:
    return {key for one in maps(node) for key in one}


def maps(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        return [node, *(one for value in node.values() for one in maps(value))]
    return [one for value in node for one in maps(value)] if isinstance(node, list) else []
