"""Whatever a model writes: a step that it said, or a refusal. Never a crash, never another step."""

import json
import random
from contextlib import suppress
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offer import (
    AskHuman,
    Choice,
    Crew,
    DeployBackend,
    DoneForNow,
    Level,
    ListPods,
    NothingToDo,
    Options,
    Refund,
    Scale,
    SendMail,
    SetPriority,
    WriteFile,
)

from twelvefold.encoding import DEPTH_MAX
from twelvefold.exceptions import StepRefused
from twelvefold.steps import Step, args_of, intent_of
from twelvefold.thread import to_text
from twelvefold.tools import parse, parse_answer, peek

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
PIECES = st.sampled_from(
    """{ } [ ] " ' ` ``` , : \\ \\" // /* */ # <think> </think> <error> </error> ```json intent
    "intent" list_pods "list_pods" tag deploy_backend {"intent": null true 1 1e999 NaN For_example
    > | From:_x Subject:_y { { [ “ ” \"\"\" name arguments next_step \n \ufeff \u2028 é""".split(
        " "
    )
)
STEPS = st.one_of(
    st.builds(DeployBackend, tag=TEXT, dry_run=st.booleans()),
    st.builds(ListPods, namespace=TEXT),
    st.builds(
        Refund,
        order=TEXT,
        amount=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
        reason=st.none() | TEXT,
    ),
    st.builds(SendMail, to=st.lists(TEXT, max_size=3), subject=TEXT, body=TEXT),
    st.builds(SetPriority, level=st.sampled_from(Level), due=st.none() | st.dates()),
    st.builds(Scale, service=TEXT, replicas=st.integers()),
    st.builds(WriteFile, path=TEXT, content=TEXT),
    st.builds(
        AskHuman,
        question=TEXT,
        options=st.builds(
            Options,
            urgency=st.sampled_from(["low", "high"]),
            choices=st.lists(st.builds(Choice, name=TEXT), max_size=2),
        ),
    ),
    st.builds(DoneForNow, message=TEXT),
    st.just(NothingToDo()),
)


def written(step: Any) -> str:
    return to_text({"intent": intent_of(type(step)), **args_of(step)})


def read(reply: str) -> Any:
    """The step, or None for a refusal: nothing else may happen."""
    try:
        return parse(reply, Crew).step
    except StepRefused:
        return None


@given(STEPS)
@settings(deadline=None)
def test_what_is_written_is_read_without_a_repair(step: Any):
    for level in ("strict", "lenient"):
        parsed = parse(written(step), Crew, level=level)

        assert (parsed.step, parsed.repairs) == (step, ())


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_no_beginning_of_a_reply_is_another_step(step: Any):
    reply = written(step)

    assert {read(reply[:end]) == step for end in range(len(reply)) if read(reply[:end])} <= {True}


DRESSES = (
    "```json\n{}\n```",
    "I look at it first.\n\n{}\n\nThat is all.",
    '{{"next_step": {}}}',
    "[{}]",
    "<think>{{'a</think>{}",
    "<tool_call>{}</tool_call>",
)


@given(STEPS, st.sampled_from(DRESSES))
@settings(max_examples=200, deadline=None)
def test_what_stands_around_a_step_changes_nothing(step: Any, dress: str):
    reply = dress.format(written(step))

    assert read(reply) in (step, None) if has_marks(reply, dress) else read(reply) == step
    assert {read(reply[:end]) == step for end in range(len(reply)) if read(reply[:end])} <= {True}


def has_marks(reply: str, dress: str) -> bool:
    """Whether the step's own texts hold what a reply is cut at: then a refusal is right, too."""
    return sum(reply.count(mark) for mark in ("```", "</")) > sum(
        dress.count(mark) for mark in ("```", "</")
    )


def as_python(data: dict[str, Any]) -> str:
    return repr(data)


def unescaped(data: dict[str, Any]) -> str:
    return to_text(data).replace('\\"', '"').replace("\\n", "\n")


def without_quotes(data: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {to_text(value)}" for key, value in data.items()) + ",}"


@given(STEPS, st.sampled_from([as_python, unescaped, without_quotes]))
@settings(max_examples=300, deadline=None)
def test_a_step_in_loose_json_is_this_step_or_refused(step: Any, loose: Any):
    reply = loose({"intent": intent_of(type(step)), **args_of(step)})

    # Cut after an inner quote that is not escaped, a reply has the text whole and lacks its closers
    # alone, which rule 4 adds; that it was cut, only its finish reason says.
    inner = loose is unescaped and '\\"' in to_text(args_of(step))
    for end in [len(reply)] if inner else range(len(reply) + 1):
        assert read(reply[:end]) in (None, step)


@given(STEPS, st.integers(0), st.sampled_from(["drop", "double", "swap"]))
@settings(max_examples=300, deadline=None)
def test_a_damaged_reply_is_this_step_or_a_valid_one_or_refused(step: Any, at: int, how: str):
    reply = written(step)
    at %= len(reply)
    damaged = {
        "drop": reply[:at] + reply[at + 1 :],
        "double": reply[: at + 1] + reply[at:],
        "swap": reply[:at] + reply[at : at + 2][::-1] + reply[at + 2 :],
    }[how]

    got = read(damaged)

    assert got is None or type(got) is type(step)


@given(st.one_of(TEXT, st.lists(PIECES | TEXT, max_size=25).map(" ".join)))
@settings(max_examples=500, deadline=None)
def test_no_text_crashes(text: str):
    read(text)
    read("".join(text.split(" ")))
    peek(text)
    with suppress(StepRefused):
        parse_answer(text, list[int])


@given(st.lists(PIECES, min_size=2, max_size=12), STEPS)
@settings(max_examples=300, deadline=None)
def test_what_is_not_said_clearly_is_never_a_step_of_the_pieces(pieces: list[str], step: Any):
    got = read("".join(pieces) + written(step))

    assert got is None or got == step


HUGE = (
    *("[", "{", "[]", "{}", '"', "`", "```json\n", "<think>", "</think>", '{"a":', '{"a":"b" '),
    *('{"intent":"list_pods"} ', "{/*", "//", "> {", "| {", "From: a\n", '{"', "{a:b(", "[{", "{“"),
    *(
        '{"a":"""',
        '{"a":b // ',
        '{"a": "// ',
        "\\",
        "<a>",
        "{'a':'b' ",
        '{"a":1,',
        "To: x\n{a:1}\n",
    ),
)


@pytest.mark.parametrize("piece", HUGE)
def test_a_hundred_thousand_of_anything_end_in_a_refusal(piece: str):
    assert read(piece * (100_000 // len(piece))) is None
    quoted = '{"intent": "list_pods", "namespace": "' + piece * (100_000 // len(piece))
    assert read(quoted + '", "x": 1}') is None


class Hold(Step):
    intent: Literal["hold"] = "hold"
    what: Any


def test_as_deep_as_the_log_can_hold_and_no_deeper():
    for before in ('{"intent":"hold","what":', "```\n{intent:hold,what:"):
        whole = before + "[" * (DEPTH_MAX - 1) + "]" * (DEPTH_MAX - 1) + "}"
        assert parse(whole, Hold).step == Hold(what=json.loads(whole[len(before) : -1]))
        with pytest.raises(StepRefused, match="too_deep"):
            parse(before + "[" * DEPTH_MAX + "]" * DEPTH_MAX + "}", Hold)


def test_two_hundred_replies_cut_off_anywhere():
    seed = random.Random(7)
    steps = [
        Refund(order=f"A-{n}", amount=n + 0.5, reason='he said "no", {twice}\n' * (n % 2) or None)
        if n % 3
        else SendMail(to=[f"{n}@x"] * seed.randint(0, 3), subject="`a`", body='{"intent": 1}')
        for n in range(200)
    ]

    for step in steps:
        reply = seed.choice(DRESSES).format(written(step))
        assert all(read(reply[:end]) in (None, step) for end in range(0, len(reply), 2))
