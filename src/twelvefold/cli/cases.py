"""`twelvefold test`: the cases beside the prompts, offline."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twelvefold.cli import exits
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.cli.out import CELL_CHARS_MAX, shortened
from twelvefold.cli.writing import write_whole
from twelvefold.exceptions import NotFound

if TYPE_CHECKING:
    from twelvefold.cases import Case
    from twelvefold.evals import Checked
    from twelvefold.messages import ModelRequest

FILES_MAX = 10_000
_NOT_LOOKED_IN = frozenset({"node_modules", "__pycache__", "site-packages"})

paths_argument = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
only_option = click.option("--only", metavar="TEXT", help="Cases whose name holds this.")


@command()
@paths_argument
@only_option
@click.option(
    "--accept-prompts",
    is_flag=True,
    help="Keep today's hashes and snapshots of prompts, and the replies.",
)
@click.pass_obj
def test(here: Here, paths: tuple[Path, ...], only: str | None, accept_prompts: bool) -> int:
    """Check the `*.cases.yaml` in PATHS (the whole project otherwise), offline.

    Replies come from the case, from the recording beside it (`*.replies.jsonl`), or from a scripted
    model. Exit code 1 when a case does not pass.
    """
    cases = read_all(here, paths, only=only)
    checked = here.run(_check(here, cases))
    accepted = _accept(cases, checked) if accept_prompts else 0
    if accepted:
        checked = here.run(_check(here, read_all(here, paths, only=only)))
    failed = sum(not one.verdict.passed for one in checked)
    if here.json:
        data: list[Any] = [_data(one) for one in checked]
        here.out.document("test/1", passed=len(checked) - failed, failed=failed, data=data)
    else:
        for one in checked:
            _show(here, one)
        words = f", accepted: {accepted}" if accepted else ""
        many = f"{len(checked)} case{'s' * (len(checked) > 1)}"
        here.out.say(f"{many}: {len(checked) - failed} passed, {failed} failed{words}")
    return exits.FAILED if failed else exits.DONE


# Finding cases


def read_all(
    here: Here, paths: Sequence[Path], *, only: str | None = None
) -> "list[tuple[Path, Case]]":
    """Each case with its file, which complaints name from the root. Raises `NotFound`,
    `InvalidCase`."""
    from twelvefold.cases import read_cases

    root = here.place.root
    files = [file for path in paths or (root,) for file in files_in(path)]
    found = [
        (file, case)
        for file in dict.fromkeys(files)
        for case in read_cases(file, name=_named(file, root))
        if only is None or only in case.name
    ]
    if not found:
        where = ", ".join(map(str, paths)) or str(root)
        which = f" whose name holds {only!r}" if only else ""
        raise NotFound(
            f"There is no case{which} in {where}: cases stand in *.cases.yaml."
            " `twelvefold threads export THREAD --format case` makes one of what happened."
        )
    return found


def files_in(path: Path) -> list[Path]:
    """A file itself, or the files of cases below a folder. Raises `NotFound`."""
    from twelvefold.cases import SUFFIX

    if path.is_file():
        return [path]
    if not path.is_dir():
        raise NotFound(f"There is no file or folder {path}.")
    found = [file for file in path.rglob(f"*{SUFFIX}") if _is_ours(file.relative_to(path))]
    return sorted(found)[:FILES_MAX]


def _is_ours(path: Path) -> bool:
    return not any(part in _NOT_LOOKED_IN or part.startswith(".") for part in path.parts[:-1])


def _named(file: Path, root: Path) -> str:
    whole = file.absolute()
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else str(file)


# Checking


async def _check(here: Here, cases: "Sequence[tuple[Path, Case]]") -> "list[Checked]":
    from twelvefold.evals import check, replies_of

    app = here.app
    replies = {file: replies_of(file) for file, _ in cases}
    return [
        await check(case, app.agents, app.models, replies=replies[file]) for file, case in cases
    ]


def _show(here: Here, checked: "Checked") -> None:
    verdict, case = checked.verdict, checked.verdict.case
    where = f"{case.file}:{case.line}"
    if verdict.passed:
        source = f"  ({checked.source})" if checked.source else ""
        said = shortened(verdict.shown, CELL_CHARS_MAX)
        here.out.line(f"ok    {where}  {case.name}  {said}{source}")
        return
    here.out.line(f"FAIL  {where}  {case.name}", bold=True)
    for line in (line for said in verdict.complaints for line in said.split("\n")):
        here.out.line(f"      {line}")


def _data(checked: "Checked") -> dict[str, Any]:
    verdict, case = checked.verdict, checked.verdict.case
    return {
        "file": case.file,
        "line": case.line,
        "case": case.name,
        "passed": verdict.passed,
        "found": dict(verdict.found),
        "complaints": list(verdict.complaints),
        "source": checked.source or None,
    }


def _accept(cases: "Sequence[tuple[Path, Case]]", checked: "Sequence[Checked]") -> int:
    """Keep what the model would read today, as a hash or a snapshot; how many."""
    count = 0
    for (path, case), one in zip(cases, checked, strict=True):
        ask = one.stand.decided.ask if one.stand else None
        if case.prompt is not None and ask is not None:
            keep = _keep_hash if case.has_hash else _keep_snapshot
            count += keep(path, case, ask.request)
    return count


def _keep_hash(path: Path, case: "Case", request: "ModelRequest") -> bool:
    today, kept = request.hash(), str(case.prompt)
    if today == kept:
        return False
    lines = path.read_text(encoding="utf-8").split("\n")
    at = next(n for n, line in enumerate(lines) if n >= case.line - 1 and kept in line)
    lines[at] = lines[at].replace(kept, today)
    write_whole(path, "\n".join(lines))
    return True


def _keep_snapshot(path: Path, case: "Case", request: "ModelRequest") -> bool:
    from twelvefold.prompts import written

    text = written(request)
    if text == case.snapshot:
        return False
    (path.parent / str(case.prompt)).write_bytes(text.encode("utf-8", "surrogatepass"))
    return True
