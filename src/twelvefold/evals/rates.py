"""Pass rates of cases, and how they changed since a baseline. Pure but for reading the baseline."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twelvefold.evals.running import Result
from twelvefold.exceptions import InvalidCase
from twelvefold.thread import Json


@dataclass(slots=True)
class Rate:
    """How often a case passed. `complaints` counts what was said of the runs that did not."""

    file: str
    name: str
    line: int
    runs: int = 0
    passed: int = 0
    complaints: Counter[str] = field(default_factory=Counter[str])

    @property
    def rate(self) -> float:
        return self.passed / self.runs if self.runs else 0.0

    @property
    def id(self) -> str:
        return f"{self.file}::{self.name}"


def rates(results: Iterable[Result]) -> list[Rate]:
    """In the order in which the cases first came."""
    found: dict[str, Rate] = {}
    for result in results:
        case, verdict = result.verdict.case, result.verdict
        rate = found.setdefault(case.id, Rate(case.file, case.name, case.line))
        rate.runs += 1
        rate.passed += verdict.passed
        rate.complaints.update(c for c in verdict.complaints if not c.startswith("the reply was"))
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Change:
    """A case whose rate is not what it was; None where one side has no such case."""

    id: str
    before: float | None
    now: float | None

    @property
    def word(self) -> str:
        if self.before is None or self.now is None:
            return "new" if self.before is None else "gone"
        return "better" if self.now > self.before else "worse"


def changes(now: Sequence[Rate], before: Mapping[str, float], *, whole: bool) -> list[Change]:
    """What got worse first, then better, new and gone. Only of a whole run can a case be gone."""
    today = {rate.id: rate.rate for rate in now}
    known = {**before, **today} if whole else today
    found = [Change(id, before.get(id), today.get(id)) for id in known]
    order = ("worse", "better", "new", "gone")
    differ = [change for change in found if change.before != change.now]
    return sorted(differ, key=lambda change: (order.index(change.word), change.id))


def read_results(path: Path) -> dict[str, float]:
    """The pass rate of each case of a results file (`--out`). Raises `InvalidCase`."""
    runs: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCase(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row: dict[str, Json] = json.loads(line)
            id = f"{row['file']}::{row['case']}"
            runs[id] += 1
            passed[id] += bool(row["passed"])
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidCase(f"{path}, line {number} is no result of a run: {error}") from error
    return {id: passed[id] / count for id, count in runs.items()}
