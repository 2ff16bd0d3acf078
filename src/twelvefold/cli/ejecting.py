"""`twelvefold eject`: a module of ours as a package of the user's project."""

from collections import Counter

import click

from twelvefold.cli import exits
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.scaffold.eject import EJECTABLE, planned
from twelvefold.scaffold.using import EJECTED
from twelvefold.scaffold.writing import Change, diff, write


@command()
@click.argument("module", type=click.Choice(list(EJECTABLE)))
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option("--diff", "as_diff", is_flag=True, help="Show the change, and write nothing.")
@click.option("--overwrite", is_flag=True, help="Replace copies that you have changed.")
@click.pass_obj
def eject(here: Here, module: str, dry_run: bool, as_diff: bool, overwrite: bool) -> int:
    """Copy MODULE of twelvefold into your project, and use the copy from then on.

    loop advances threads, render makes what a model reads, parse reads what it replies.
    """
    root = here.place.root
    found = [change for change in planned(module, root) if not change.is_same]
    if not (dry_run or as_diff):
        write(found, root, overwrite=overwrite)
    shown = list(diff(found, root)) if as_diff else []
    files = {_name(change, here): _what(change) for change in found}
    if here.json:
        text = "".join(f"{line}\n" for line in shown) if as_diff else None
        here.out.document("eject/1", module=module, files=files, diff=text)
        return exits.DONE
    for line in shown:
        here.out.line(line)
    if dry_run and found:
        here.out.table([[what, name] for name, what in files.items()])
    here.out.say(_said(module, found, writes=not (dry_run or as_diff)))
    return exits.DONE


def _name(change: Change, here: Here) -> str:
    return change.path.relative_to(here.place.root).as_posix()


def _what(change: Change) -> str:
    return "new" if change.is_new else "edited" if change.edits else "replaced"


def _said(module: str, found: list[Change], *, writes: bool) -> str:
    if not found:
        return f"{module} is ejected already; nothing was written."
    counts = Counter(map(_what, found))
    many = ", ".join(f"{number} {what}" for what, number in counts.items())
    if not writes:
        return f"{many}; nothing was written."
    return (
        f"{many}. twelvefold uses {EJECTED}/{EJECTABLE[module]} from now on: it is yours. Pin the"
        " version of twelvefold that it came from, and run your tests."
    )
