"""Random steps of every union, through the real SDKs and back: none refused, none misread.

Each text is read a second time by `meant`, and both must come to the same value.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from loading import EXAMPLES

from strict.server import StrictServer
from strict.unions import ANSWERS, OF_EXAMPLES, TEXTS, UNIONS, meant, told_apart
from strict.vendors import WAYS, Way, asking, obeyed
from twelvefold.exceptions import StepRefused
from twelvefold.steps import members
from twelvefold.tools import parse, parse_answer, schema_of

pytestmark = pytest.mark.anyio

STEPS_PER_UNION = 1_000
STEPS = -(-STEPS_PER_UNION // len(WAYS))
"""Per union and way, so that each union of the examples has a thousand in `make test`."""
STEPS_LONG = 1_000
ANSWERS_PER_MODE = 10

each_union = pytest.mark.parametrize("steps", UNIONS.values(), ids=UNIONS)
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


ASKED_FOR = {
    f"{name}-{kind}": (way, form)
    for name, way in WAYS.items()
    for kind, form in (ANSWERS if way.mode == "prompt" else ANSWERS | TEXTS).items()
}


@dataclass(slots=True)
class Tally:
    """What became of the texts."""

    right: int = 0
    refused: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    intents: frozenset[str] = frozenset()


async def tally(server: StrictServer, way: Way, steps: Any, count: int) -> Tally:
    model, request, found = way.model(server), asking(schema_of(steps)), Tally()
    server.obeys = obeyed(schema_of(steps))
    for _ in range(count):
        reply = await model(request)
        said, asked = server.said[-1], server.asked[-1]
        try:
            step = parse(reply.text, steps).step
        except StepRefused as error:
            found.refused = (*found.refused, f"{said}: {error}")
            continue
        if told_apart(step, meant(said, asked.schema, steps)):
            found.wrong = (*found.wrong, f"{said}: {step!r}")
        else:
            found.right += 1
            found.intents |= {step.intent}
    return found


def test_every_example_is_among_the_unions():
    names = {path.parent.name for path in EXAMPLES.glob("*/app.py")}

    assert len(names) > 3
    assert names <= set(OF_EXAMPLES)


@each_union
@each_way
async def test_random_steps_are_read_as_they_were_said(
    way: Way, steps: Any, strict_server: StrictServer
):
    count = STEPS if steps in OF_EXAMPLES.values() else STEPS // 4  # the others are larger
    found = await tally(strict_server, way, steps, count)

    assert found == Tally(right=count, intents=frozenset(members(steps)))
    assert strict_server.refusals == []
    assert len(strict_server.requests) == count


@pytest.mark.long
@each_union
@each_way
async def test_a_thousand_random_steps_of_each_mode(
    way: Way, steps: Any, strict_server: StrictServer
):
    found = await tally(strict_server, way, steps, STEPS_LONG)

    assert found == Tally(right=STEPS_LONG, intents=frozenset(members(steps)))
    assert strict_server.refusals == []


@pytest.mark.parametrize(("way", "form"), ASKED_FOR.values(), ids=ASKED_FOR)
async def test_random_answers_of_other_types_are_read_as_they_were_said(
    way: Way, form: Any, strict_server: StrictServer
):
    model, request = way.model(strict_server), asking(schema_of(form))
    strict_server.obeys = obeyed(schema_of(form))
    for _ in range(ANSWERS_PER_MODE):
        reply = await model(request)
        answer = parse_answer(reply.text, form)
        expected = meant(strict_server.said[-1], strict_server.asked[-1].schema, form)
        assert not told_apart(answer, dumped(expected))


@each_way
async def test_a_text_is_the_reply_as_it_is(way: Way, strict_server: StrictServer):
    strict_server.says(" 3 < 4 ")

    reply = await way.model(strict_server)(asking(None))
    assert parse_answer(reply.text, str) == " 3 < 4 "


def dumped(value: Any) -> Any:
    if isinstance(value, list):
        return [dumped(one) for one in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
