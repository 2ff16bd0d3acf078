"""`twelvefold version`."""

import platform

import click

from twelvefold import __version__
from twelvefold.cli.here import Here
from twelvefold.cli.options import command


@command()
@click.pass_obj
def version(here: Here) -> None:
    """The version of twelvefold, Python and SQLite."""
    import sqlite3

    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    if here.json:
        here.out.document("version/1", twelvefold=__version__, **found)
    else:
        here.out.line(
            f"twelvefold {__version__}  Python {found['python']}  SQLite {found['sqlite']}"
        )
