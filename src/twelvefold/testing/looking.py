"""Whether a run that was cut off took place, as somebody says who looks at the world outside.

What `effects` of a scenario said when each run began is kept in a file of its folder, which
outlives the processes. When it says something else afterwards, the run took place.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from twelvefold.exceptions import ConfigurationError
from twelvefold.store import Append, ContactRow
from twelvefold.thread import Json

_ENDS = frozenset({"tool_returned", "tool_failed", "tool_outcome_unknown"})

Effects = Callable[[], Mapping[str, int]]


class Ledger:
    """`results`: what each run returned where nothing was cut off, by thread and step."""

    def __init__(self, folder: Path, effects: Effects, results: Mapping[str, Json]) -> None:
        self.path, self._effects, self._results = folder / "runs.jsonl", effects, results

    def before(self, appends: Sequence[Append]) -> None:
        """Runs are about to begin: what the world says by now."""
        if runs := _runs(appends, {"tool_started"}):
            self._note("began", runs, self._counted())

    def after(self, appends: Sequence[Append]) -> None:
        if runs := _runs(appends, _ENDS):
            self._note("ended", runs, {})

    def _counted(self) -> dict[str, int]:
        try:
            return dict(self._effects())
        except Exception:  # the file or table of the first effect, which is still to come
            return {}

    def _note(self, what: str, runs: Sequence[str], effects: Mapping[str, int]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            for run in runs:
                file.write(json.dumps([what, run, effects]) + "\n")

    def outcome(self, contact: ContactRow) -> Mapping[str, Any]:
        """`it_ran`, with what it returns, or `run_again`. Raises `ConfigurationError` where the
        effects cannot tell, since another run was under way."""
        run = f"{contact.ref.id}.{contact.data['step']}"
        before, others = self._since(run)
        if before == dict(self._effects()):
            return {"decision": "run_again"}
        if others:
            raise ConfigurationError(
                f"{contact.ref.id}.{contact.id} asks whether {contact.data['intent']} took place,"
                f" and `effects` do not tell: {', '.join(sorted(others))} ran at the same time."
                ' Say it in the `answer` of the scenario: if contact.data["kind"] == "outcome":'
                ' return {"decision": "run_again", "by": NAME} where a second run does no harm,'
                ' else "it_ran" with its "value", once you have looked.'
            )
        return {"decision": "it_ran", "value": self._results.get(run)}

    def _since(self, run: str) -> tuple[dict[str, int], set[str]]:
        """What the effects were when this run began last, and what else ran from then on."""
        before, under_way, others = dict[str, int](), set[str](), set[str]()
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        for what, name, effects in map(json.loads, lines):
            if what == "ended":
                under_way.discard(name)
                continue
            under_way.add(name)
            if name == run:
                before, others = effects, under_way - {run}
            elif run in under_way:
                others.add(name)
        return before, others


def _runs(appends: Sequence[Append], types: set[str] | frozenset[str]) -> list[str]:
    return [
        f"{append.thread_id}.{draft.data['step']}"
        for append in appends
        for draft in append.drafts
        if draft.type in types
    ]
