"""`twelvefold config show`: each setting, and who named it."""

import os

import click

from twelvefold.cli.finding import leaves_store_to_us
from twelvefold.cli.here import Here, person
from twelvefold.cli.options import command
from twelvefold.exceptions import TwelvefoldError
from twelvefold.stores import shown_url

APPLICATION = "App(store=...)"


@command()
@click.pass_obj
def show(here: Here) -> None:
    """Each setting and where it comes from: an option, the environment, pyproject.toml, the app."""
    place = here.place
    store, store_from = _store(here)
    rows = [
        ("root", str(place.root), "the nearest folder with pyproject.toml or app.py"),
        ("app", place.app, place.app_from),
        ("store", store, store_from),
        ("engine", place.engine, place.engine_from if place.engine else "App(engine=...)"),
        ("person", person(None), "the login of the operating system"),
        ("color", "off" if os.environ.get("NO_COLOR") else "on a terminal", "NO_COLOR"),
        ("editor", os.environ.get("VISUAL") or os.environ.get("EDITOR"), "VISUAL, EDITOR"),
    ]
    if here.json:
        data = [{"name": name, "value": value, "from": origin} for name, value, origin in rows]
        here.out.document("config/1", data=data)
    else:
        here.out.table([[name, value or "-", origin] for name, value, origin in rows])


def _store(here: Here) -> tuple[str | None, str]:
    """The store that commands would open. Nothing is opened, and a broken app is only said."""
    place = here.place
    if place.store_named or leaves_store_to_us(place):
        return shown_url(place.store), place.store_from
    try:
        app = here.app
    except TwelvefoldError as error:
        return None, f"the application does not load: {error}"
    if app.leaves_store_open:
        return shown_url(place.store), place.store_from
    return shown_url(app.store_name or type(app.store).__name__), APPLICATION
