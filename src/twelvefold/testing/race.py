"""The race: several processes answer one contact in the same instant, and each advances what there
is.

One of them wins, the others are told; the outside world sees what was approved once, or not at all.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twelvefold.testing.processes import Order, children
from twelvefold.thread import Json

RIVALS = 4
ROUNDS = 10


@dataclass(slots=True)
class Race:
    """What came of it. `wins` counts the decisions that won; `faults` is empty when all went
    right."""

    rounds: int
    wins: dict[str, int] = field(default_factory=dict[str, int])
    faults: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        """For a failing test: `assert raced.faults == [], str(raced)`."""
        return "\n\n".join(self.faults)


def race(
    build: str, *, path: Sequence[Path | str] = (), rivals: int = RIVALS, rounds: int = ROUNDS
) -> Race:
    """Race over the first contact of the scenario, `rounds` times.

    `build` and `path` are those of `crash_matrix`. An approval is answered by half of the rivals
    as the
    scenario says, and denied by the others.
    """
    outcome = Race(rounds)
    with children(build, path) as order:
        for number in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                fault = _round(order, Path(folder), rivals, outcome)
            outcome.faults += [f"round {number + 1}: {fault}"] if fault else []
    return outcome


def _round(order: Order, folder: Path, rivals: int, outcome: Race) -> str | None:
    """One race from launch to end; what was wrong."""
    for what in ({"do": "ask"}, {"do": "rival", "rivals": rivals}, {"do": "work", "kill_at": 0}):
        ended = order(folder, what)
        if ended.code:
            return f"{what['do']} failed, exit {ended.code}: {ended.why}"
    said = [json.loads(path.read_text()) for path in sorted(folder.glob("rival-*.json"))]
    winners = [one for one in said if one["won"]]
    for winner in winners:
        decision = str(winner["decision"])
        outcome.wins[decision] = outcome.wins.get(decision, 0) + 1
    return _wrong(winners, said, json.loads((folder / "ended.json").read_text()))


def _wrong(
    winners: Sequence[dict[str, Json]], said: Sequence[dict[str, Json]], ended: dict[str, Json]
) -> str | None:
    if len(winners) != 1:
        return f"{len(winners)} of {len(said)} were told that they won"
    untold = [one["told"] for one in said if not one["won"] and "already" not in one["told"]]
    if untold:
        return f"a loser was told: {untold[0]}"
    twice = [effect for effect, times in ended["effects"].items() if times > 1]
    if twice:
        return f"took place twice: {', '.join(twice)}"
    return f"left behind: {', '.join(ended['left'])}" if ended["left"] else None
