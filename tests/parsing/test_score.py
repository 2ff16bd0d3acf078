"""The score tells a wrong value from a refusal, and what may be refused from what must be."""

import json
from pathlib import Path
from typing import Any

import pytest
import score

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def case(reply: str, expect: Any, tags: list[str] | None = None) -> dict[str, Any]:
    common = {"mode": "final", "root": "class", "schema": SCHEMA, "tags": tags or []}
    return {"id": reply, "input": reply, "expect": expect, **common}


@pytest.mark.parametrize(
    ("reply", "expect", "outcome"),
    [
        ('{"a": 1}', {"value": {"a": 1.0, "b": None}}, "right"),
        ('{"a": 1}', {"value": {"a": True}}, "wrong"),
        ('{"a": 1}', {"parses": True}, "right"),
        ('{"a": 1}', {"error": True}, "accepted"),
        ('{"a": ', {"error": True}, "right"),
        ('{"a": ', {"value": {"a": 1}}, "refused"),
    ],
)
def test_an_outcome_is_one_of_four(reply: str, expect: Any, outcome: str):
    assert score.outcome(case(reply, expect)) == outcome


def test_the_table_counts_what_is_ambiguous_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    cases = [
        case('{"a": 1}', {"value": {"a": 1}}),
        case('{"a": 2', {"value": {"a": 2}}, ["accepts-truncated"]),
    ]
    (tmp_path / "cases.json").write_text(json.dumps({"cases": cases}), encoding="utf-8")

    score.main(str(tmp_path / "cases.json"))

    rows = {line[:50].strip(): line[50:].split() for line in capsys.readouterr().out.splitlines()}
    assert rows["core, one meaning"] == ["1", "1", "0", "0", "0"]
    assert rows["accepts-truncated"] == ["1", "0", "1", "0", "0"]
