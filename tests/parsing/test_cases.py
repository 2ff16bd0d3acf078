"""Every reply of the cases: the step that was clearly said, or a refusal for the right reason."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from offer import Crew

from twelvefold.exceptions import StepRefused
from twelvefold.steps import args_of, intent_of, members, read_step
from twelvefold.thread import to_text
from twelvefold.tools import parse

CASES_MIN = 150
CASES: list[dict[str, Any]] = [
    {"file": path.stem, **case}
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]
ACCEPTED = [case for case in CASES if "step" in case]
REFUSED = [case for case in CASES if "refused" in case]


def named(case: dict[str, Any]) -> str:
    return f"{case['file']}: {case['name']}"


def wanted(case: dict[str, Any]) -> Any:
    args = dict(case["step"])
    return read_step(members(Crew)[args.pop("intent")], args)


@pytest.mark.parametrize("case", ACCEPTED, ids=named)
def test_a_step_that_was_clearly_said_is_read(case: dict[str, Any]):
    parsed = parse(case["reply"], Crew)

    assert parsed.step == wanted(case)


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_what_was_not_clearly_said_is_refused(case: dict[str, Any]):
    with pytest.raises(StepRefused) as caught:
        parse(case["reply"], Crew)

    assert caught.value.reason == case["refused"]
    assert caught.value.detail


@pytest.mark.parametrize("case", ACCEPTED, ids=named)
def test_a_reply_that_was_cut_off_never_becomes_another_step(case: dict[str, Any]):
    reply, step = case["reply"], wanted(case)

    assert all(read is None or read == step for read in map(read_or_none, prefixes(reply)))


def prefixes(reply: str) -> list[str]:
    return [reply[:end] for end in range(len(reply))]


def read_or_none(reply: str) -> Any:
    try:
        return parse(reply, Crew).step
    except StepRefused:
        return None


@pytest.mark.parametrize("case", ACCEPTED, ids=named)
def test_a_clean_reply_needs_no_repair_and_any_other_says_its_own(case: dict[str, Any]):
    step = wanted(case)
    clean = parse(to_text({"intent": intent_of(type(step)), **args_of(step)}), Crew)

    assert (clean.step, clean.repairs) == (step, ())


def test_half_of_the_cases_are_traps():
    assert len(CASES) >= CASES_MIN
    assert len(REFUSED) * 2 >= len(CASES)
    assert len({named(case) for case in CASES}) == len(CASES)
