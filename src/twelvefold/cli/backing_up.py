"""`twelvefold db backup`: the log as it is, in another file."""

import sqlite3
from pathlib import Path

import click

from twelvefold.cli import exits
from twelvefold.cli.database import inspected, url_of
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.exceptions import Conflict, StoreFull, StoreUnavailable
from twelvefold.stores import is_postgres, shown_url


@command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(here: Here, file: Path) -> int:
    """Copy the log into FILE as it is at one moment, while others read and write it.

    For a Postgres database it prints the command that does it.
    """
    url = url_of(here)
    dump = f"pg_dump --format=custom --file={file} '{shown_url(url)}'" if is_postgres(url) else None
    if dump is None:
        _copy(url, file)
    if here.json:
        here.out.document("backup/1", path=str(file), done=dump is None, command=dump)
    else:
        here.out.line(dump or f"{file} holds {url} as it is now ({file.stat().st_size} bytes)")
    return exits.DONE


def _copy(path: str, file: Path) -> None:
    from twelvefold.stores.sqlite.schema import back_up

    if file.exists():
        raise Conflict(f"{file} exists and was left as it is: name a new file.")
    found = inspected(path)
    if not found.exists:
        raise Conflict(f"{path} does not exist yet: there is nothing to copy.")
    try:
        back_up(path, str(file))
    except (sqlite3.Error, OSError) as error:
        failed = StoreFull if "full" in str(error) or "space" in str(error) else StoreUnavailable
        raise failed(f"{file} was not written: {error}. {path} is as it was.") from error
