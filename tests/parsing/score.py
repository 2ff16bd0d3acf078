"""Score the parser on a file of cases: `make parser-score CASES=file.json`; the file's README has
the format.

Right: the value, or a refusal where one must be. Refused: no value where there is one, which costs
a turn. Wrong: another value, silently. Accepted: a value where a refusal must be.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from twelvefold.exceptions import ConfigurationError, StepRefused
from twelvefold.tools import parse, steps_from_json_schema
from twelvefold.tools.values import same

Case = dict[str, Any]
OUTCOMES = ("right", "refused", "wrong", "accepted")
APART = ("accepts-truncated", "accepts-bare-scalar-as-object", "several-candidates")
NOT_CORE = {"constraints", "xml", "skip"}


def outcome(case: Case) -> str:
    expect = case["expect"]
    try:
        value = parse(case["input"], steps_from_json_schema(case["schema"])).step
    except (StepRefused, ConfigurationError):
        return "right" if expect.get("error") else "refused"
    if expect.get("error"):
        return "accepted"
    return (
        "right" if "parses" in expect or same(filled(value), filled(expect["value"])) else "wrong"
    )


def filled(value: Any) -> Any:
    """A value without its nulls: an absent optional is one."""
    if isinstance(value, dict):
        return {key: filled(one) for key, one in value.items() if one is not None}
    return [filled(one) for one in value] if isinstance(value, list) else value


def is_core(case: Case) -> bool:
    root = case["root"] in {"class", "class_union"}
    return case["mode"] == "final" and root and not NOT_CORE & set(case["tags"])


def is_clear(case: Case) -> bool:
    return not set(APART) & set(case["tags"])


GROUPS: dict[str, Callable[[Case], bool]] = {
    "core, one meaning": lambda case: is_core(case) and is_clear(case),
    "core, must refuse": lambda case: is_core(case) and "error" in case["expect"],
    "core, alias": lambda case: is_core(case) and "alias" in case["tags"],
    **{tag: (lambda case, tag=tag: final(case) and tag in case["tags"]) for tag in APART},
    "constraints": lambda case: final(case) and "constraints" in case["tags"],
    "other roots, one meaning": lambda case: final(case) and not is_core(case) and is_clear(case),
    "all final, must refuse": lambda case: final(case) and "error" in case["expect"],
    "all final": lambda case: final(case),
    "partial (prefixes of streams, as BAML reads them)": lambda case: not final(case),
}


def final(case: Case) -> bool:
    return case["mode"] == "final"


def table(cases: list[Case], outcomes: dict[str, str]) -> Iterator[str]:
    yield f"{'group':50} {'cases':>6}" + "".join(f"{name:>10}" for name in OUTCOMES)
    for name, belongs in GROUPS.items():
        counts = Counter(outcomes[case["id"]] for case in cases if belongs(case))
        numbers = "".join(f"{counts[one]:>10}" for one in OUTCOMES)
        yield f"{name:50} {counts.total():>6}{numbers}"


def main(path: str) -> None:
    cases: list[Case] = json.loads(Path(path).read_text(encoding="utf-8"))["cases"]
    outcomes = {case["id"]: outcome(case) for case in cases}
    lines = list(table(cases, outcomes))
    for case in cases:
        if final(case) and outcomes[case["id"]] != "right":
            lines.append(f"{outcomes[case['id']]:>10}  {case['id']}  {', '.join(case['tags'])}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
