"""`twelvefold eval`: the cases beside the prompts, asked of a live model several times each."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twelvefold.cli import exits
from twelvefold.cli.cases import only_option, paths_argument, read_all
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.exceptions import ConfigurationError

if TYPE_CHECKING:
    from twelvefold.cases import Case, Stand
    from twelvefold.evals import Change, Rate, Result, Trial
    from twelvefold.messages import Model

RUNS = 5
THRESHOLD = 0.9
AT_ONCE = 4
COMPLAINTS_SHOWN_MAX = 3

_file = click.Path(dir_okay=False, path_type=Path)
_there = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Options:
    """How cases are asked."""

    model: str | None
    runs: int
    threshold: float
    cost_max: float | None
    at_once: int
    record: bool


@command("eval")
@paths_argument
@only_option
@click.option("--model", metavar="NAME", help="One of App(models={...}) for every case.")
@click.option("--runs", type=click.IntRange(min=1), default=RUNS, show_default=True)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=THRESHOLD,
    show_default=True,
    help="The share of runs that must pass, of each case.",
)
@click.option(
    "--max-cost",
    "cost_max",
    type=click.FloatRange(min=0),
    metavar="USD",
    help="Begin no call beyond it.",
)
@click.option(
    "--at-once",
    type=click.IntRange(min=1),
    default=AT_ONCE,
    show_default=True,
    help="Calls together.",
)
@click.option("--out", type=_file, metavar="FILE", help="Append each run as a line of JSON.")
@click.option("--baseline", type=_there, metavar="FILE", help="Compare with an earlier --out.")
@click.option("--record", is_flag=True, help="Keep the first reply to each case for `test`.")
@click.pass_obj
def eval_(
    here: Here,
    paths: tuple[Path, ...],
    only: str | None,
    out: Path | None,
    baseline: Path | None,
    **how: Any,
) -> int:
    """Ask a live model the `*.cases.yaml` in PATHS, and say how often each case passes.

    Cases about a refused reply are left out, those about a decision of code are judged once. Exit
    code 1 when a case passes less often than the threshold, or not all runs were made.
    """
    from twelvefold.evals import changes, rates, read_results

    options = Options(**how)
    here.warns = True  # a price that is not known, a try that failed
    before = None if baseline is None else read_results(baseline)
    cases = read_all(here, paths, only=only)
    trial = here.run(_evaluate(here, cases, options, out))
    found = sorted(rates(trial.results), key=lambda rate: (rate.file, rate.line))
    whole = not (paths or only) and trial.complete
    differ = [] if before is None else changes(found, before, whole=whole)
    if here.json:
        here.out.document("eval/1", **_data(trial, found, differ, options))
    else:
        _show(here, trial, found, differ, options)
    below = any(rate.rate < options.threshold for rate in found)
    return exits.FAILED if below or not trial.complete else exits.DONE


async def _evaluate(
    here: Here, cases: "Sequence[tuple[Path, Case]]", options: Options, out: Path | None
) -> "Trial":
    from twelvefold.cases import Stand, broken, stand
    from twelvefold.evals import Result, Trial, evaluate

    # The model reads today's prompt, and nobody asks it for a reply that is refused.
    asked = [replace(case, prompt=None) for _, case in cases if case.expect.refused is None]
    trial, stands = Trial(0), list[Stand]()
    for case in asked:
        try:
            stands.append(stand(case, here.app.agents))
        except ConfigurationError:
            raise
        except Exception as error:  # a fact that cannot happen, or the agent's own code
            trial.add(Result(1, broken(case, error)))
    trial.runs_planned = len(trial.results) + sum(options.runs if s.ask else 1 for s in stands)
    with ExitStack() as closing:
        lines = closing.enter_context(out.open("a", encoding="utf-8")) if out else None
        results = evaluate(
            stands,
            _model_for(here, cases, options),
            trial,
            runs=options.runs,
            cost_max=options.cost_max,
            at_once=options.at_once,
        )
        async for result in results:
            if lines:
                lines.write(json.dumps({"schema": "twelvefold.run/1", **result.to_data()}) + "\n")
                lines.flush()  # what was paid for is kept
            if here.out.tty:
                here.out.say(_progress(result, trial))
    return trial


def _model_for(
    here: Here, cases: "Sequence[tuple[Path, Case]]", options: Options
) -> "Callable[[Stand, int], Model]":
    """The model of a case, with its price where that can be known; the first run is recorded where
    that was asked for."""
    from twelvefold.evals import replies_path
    from twelvefold.messages import model_named
    from twelvefold.models.recorded import recorded

    models = {name: _priced(model) for name, model in here.app.models.items()}
    if options.model is not None:
        models = dict.fromkeys(models, model_named(models, options.model))
    files = {case.id: replies_path(file) for file, case in cases}
    kept: dict[Path, Model] = {}

    def model_for(at: "Stand", run: int) -> "Model":
        assert at.ask is not None  # only those are asked
        model, path = model_named(models, at.ask.model), files[at.case.id]
        if not options.record or run > 1:
            return model
        return kept.setdefault(path, recorded(path, model, mode="record"))

    return model_for


def _priced(model: "Model") -> "Model":
    from twelvefold.models.priced import Priced, priced

    if isinstance(model, Priced) or getattr(model, "offline", False):
        return model
    try:
        return priced(model)
    except ConfigurationError:  # without the list of prices there is no cost to limit either
        return model


# What is said


def _progress(result: "Result", trial: "Trial") -> str:
    done, case = len(trial.results), result.verdict.case
    word = "passed" if result.verdict.passed else "failed"
    return f"{done:>4} of {trial.runs_planned}  {word}  {case.name}  {_dollars(trial.cost)}"


def _show(
    here: Here,
    trial: "Trial",
    found: "Sequence[Rate]",
    differ: "Sequence[Change]",
    options: Options,
) -> None:
    for rate in found:
        word = "ok  " if rate.rate >= options.threshold else "FAIL"
        where = f"{rate.file}:{rate.line}"
        here.out.line(f"{word}  {rate.rate:.2f}  {rate.passed}/{rate.runs}  {where}  {rate.name}")
        for said, count in rate.complaints.most_common(COMPLAINTS_SHOWN_MAX):
            first, *rest = said.split("\n")
            here.out.line(f"      {count}x {first}")
            for line in rest:
                here.out.line(f"         {line}")
    for change in differ:
        before, now = _rate(change.before), _rate(change.now)
        here.out.line(f"{change.word:<7} {before} -> {now}  {change.id}")
    if trial.stopped:
        here.out.say(f"stopped before --max-cost: {trial.stopped}")
    passed = sum(rate.rate >= options.threshold for rate in found)
    many = f"{len(found)} case{'' if len(found) == 1 else 's'}"
    here.out.say(
        f"{many}: {passed} passed, {len(found) - passed} failed"
        f"  (threshold {options.threshold:g}, {_runs(trial)}){_dollars(trial.cost)}"
    )


def _runs(trial: "Trial") -> str:
    made = len(trial.results)
    if not trial.complete:
        return f"only {made} of {trial.runs_planned} runs were made"
    return f"{made} run{'' if made == 1 else 's'}"


def _data(
    trial: "Trial", found: "Sequence[Rate]", differ: "Sequence[Change]", options: Options
) -> dict[str, Any]:
    data: list[Any] = [
        {
            "file": rate.file,
            "line": rate.line,
            "case": rate.name,
            "runs": rate.runs,
            "passed": rate.passed,
            "rate": rate.rate,
            "below": rate.rate < options.threshold,
            "complaints": dict(rate.complaints),
        }
        for rate in found
    ]
    changed: list[Any] = [
        {"case": one.id, "before": one.before, "now": one.now, "change": one.word} for one in differ
    ]
    return {
        "threshold": options.threshold,
        "runs": len(trial.results),
        "runs_planned": trial.runs_planned,
        "stopped": trial.stopped,
        "cost": trial.cost,
        "data": data,
        "changes": changed,
    }


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.2f}"


def _dollars(cost: float) -> str:
    return f"  ${cost:.4f}" if cost else ""
