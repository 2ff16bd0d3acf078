"""Every union of the examples is an offer to every provider, in every mode."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from examples.loading import EXAMPLES, example
from strict import rules
from twelvefold.schemas import ANTHROPIC, GEMINI, OPENAI, PLAIN, Profile, export, output_format
from twelvefold.steps import members
from twelvefold.tools import schema_of

RULES = {OPENAI.name: rules.OPENAI, ANTHROPIC.name: rules.ANTHROPIC, GEMINI.name: rules.GEMINI}


def unions() -> Iterator[tuple[str, Any]]:
    for folder in sorted(EXAMPLES.iterdir()):
        if (folder / "app.py").exists():
            app = example(folder.name).app
            yield from ((f"{folder.name}/{one.name}", one.steps) for one in app.agents.values())


OFFERS = dict(unions())


@pytest.mark.parametrize("profile", [OPENAI, ANTHROPIC, GEMINI, PLAIN], ids=lambda one: one.name)
@pytest.mark.parametrize("name", OFFERS)
def test_an_example_is_exported(name: str, profile: Profile):
    made = export(schema_of(OFFERS[name]), profile)

    Draft202012Validator.check_schema(made.schema)
    assert made.dropped == ()
    if profile.strict:
        assert list(rules.complaints(made.schema, RULES[profile.name])) == []
    else:
        assert list(rules.loose_complaints(made.schema)) == []


@pytest.mark.parametrize("name", OFFERS)
def test_an_example_has_a_short_form_that_names_all(name: str):
    steps = OFFERS[name]
    text = output_format(steps)

    for intent, cls in members(steps).items():
        assert f"intent: {json.dumps(intent)}" in text
        assert all(f"{field}" in text for field in cls.model_fields)
    assert len(text) < len(schema_of(steps)) * 0.6
