"""Random steps as models without a schema write them: in fences, after thoughts, in calls.

The texts in them hold braces, quotes, backslashes and every kind of character.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from strict.sampler import Sampler
from strict.unions import UNIONS, meant, told_apart
from strict.vendors import obeyed
from twelvefold.tools import parse, schema_of

STEPS = 8


def call(text: str, arguments: Callable[[Any], Any]) -> str:
    fields = json.loads(text)
    return json.dumps({"name": fields.pop("intent"), "arguments": arguments(fields)})


DRESSES: dict[str, Callable[[str], str]] = {
    "a fence": lambda text: f"```json\n{text}\n```",
    "words and a fence": lambda text: f"Here is the next step:\n\n```json\n{text}\n```\n",
    "words before": lambda text: f"Here is the next step:\n{text}",
    "words after": lambda text: f"{text}\n\nLet me know how it goes.",
    "a thought": lambda text: f"<think>Or something else, {{like this}}?</think>\n{text}",
    "a text of JSON": json.dumps,
    "a list of one": lambda text: f"[{text}]",
    "a wrapper": lambda text: f'{{"next_step": {text}}}',
    "a call": lambda text: call(text, lambda fields: fields),
    "a call with a text": lambda text: call(text, json.dumps),
    "other spelling": lambda text: json.dumps(json.loads(text), ensure_ascii=False, indent=2),
    "a byte order mark": lambda text: f"\ufeff{text}",
    "a trailing comma": lambda text: f"{text.rstrip()[:-1]},}}",
}


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
@pytest.mark.parametrize("steps", UNIONS.values(), ids=UNIONS)
def test_a_dressed_step_is_the_step(steps: Any, dress: Callable[[str], str]):
    sampler, schema = Sampler(seed=1), obeyed(schema_of(steps))
    for _ in range(STEPS):
        text = sampler.text(schema)
        parsed = parse(dress(text), steps)

        assert not told_apart(parsed.step, meant(text, None, steps)), dress(text)
