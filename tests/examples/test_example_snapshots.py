"""Every byte that the prompts of the examples send in the longest of their cases."""

from functools import cache
from pathlib import Path

import pytest
from loading import EXAMPLES, example

from twelvefold.cases import SUFFIX, read_cases, stand
from twelvefold.messages import ModelRequest
from twelvefold.testing import snapshot

PROMPTS = sorted(path for path in EXAMPLES.glob("*/*.md") if path.name != "README.md")
loaded = cache(example)


def longest_request(prompt: Path) -> ModelRequest:
    """Of the cases beside a prompt, that with the most to read."""
    agents = loaded(prompt.parent.name).app.agents
    stands = [stand(case, agents) for case in read_cases(prompt.with_suffix(SUFFIX))]
    return max((at.ask.request for at in stands if at.ask), key=lambda made: len(made.text))


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_byte_of_a_prompt_is_the_one_that_was_reviewed(prompt: Path):
    snapshot(longest_request(prompt), prompt.with_suffix(".snap"))
