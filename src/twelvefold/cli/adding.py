"""`twelvefold add`: a file for the project, and the lines that are left to its owner."""

from collections.abc import Iterator
from itertools import chain, repeat

import click

from twelvefold.cli import exits
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.scaffold.adding import PIECES, Piece, planned
from twelvefold.scaffold.writing import Change, diff, write
from twelvefold.thread import Json

REFUSED = "refused"


def _completed(context: click.Context, parameter: click.Parameter, text: str) -> list[str]:
    return [name for name in PIECES if name.startswith(text)]


@command()
@click.argument("piece", required=False, shell_complete=_completed)
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option("--diff", "as_diff", is_flag=True, help="Show the change, and write nothing.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.pass_obj
def add(here: Here, piece: str | None, dry_run: bool, as_diff: bool, overwrite: bool) -> int:
    """Copy PIECE into your project: a small file that is yours. Nothing else is changed; the lines
    that put it to work are printed. Without PIECE, what there is."""
    if piece is None:
        return _list(here)
    if piece not in PIECES:
        raise click.UsageError(f"There is no piece {piece!r}. There are: {', '.join(PIECES)}.")
    root, found = here.place.root, PIECES[piece]
    [change] = planned(found, root)
    if not (dry_run or as_diff):
        write([change], root, overwrite=overwrite)
    what = _what(change, writes=not (dry_run or as_diff), overwrite=overwrite)
    shown = "".join(f"{line}\n" for line in diff([change], root)) if as_diff else None
    if here.json:
        fields = {"path": found.path, "what": what, "diff": shown, **_by_hand(found)}
        here.out.document("add/1", piece=piece, **fields)
    elif shown is None:
        here.out.table(list(_rows(found, what)))
    else:
        _show(here, shown, found)
    if what != REFUSED:
        return exits.DONE
    here.out.say(f"{found.path} says something else: --overwrite would replace it.")
    return exits.CONFLICT


def _list(here: Here) -> int:
    if here.json:
        data = [{"name": name, "path": one.path, **_by_hand(one)} for name, one in PIECES.items()]
        here.out.document("pieces/1", data=data)
    else:
        here.out.table([[name, one.path, one.says] for name, one in PIECES.items()])
    return exits.DONE


def _show(here: Here, shown: str, found: Piece) -> None:
    for line in shown.splitlines():
        here.out.line(line)
    if not shown:
        here.out.say(f"{found.path} is there, and the same.")


def _what(change: Change, *, writes: bool, overwrite: bool) -> str:
    if change.is_same:
        return "the same"
    if change.replaces and not overwrite:
        return REFUSED
    return "wrote" if writes else "would write"


def _by_hand(found: Piece) -> dict[str, Json]:
    return {
        "install": f"pip install {found.install}" if found.install else "",
        "settings": list(found.settings),
        "lines": list(_lines(found)),
        "then": list(found.then),
    }


def _lines(found: Piece) -> Iterator[str]:
    yield found.imported
    if found.given:
        yield f"App(..., {found.given})"


def _rows(found: Piece, what: str) -> Iterator[tuple[str, str]]:
    yield what, found.path
    if found.install:
        yield "install", f"pip install {found.install}"
    if found.settings:
        yield "set", ", ".join(found.settings)
    yield from zip(chain(["in app.py"], repeat("")), _lines(found), strict=False)
    yield from zip(chain(["then"], repeat("")), found.then, strict=False)
