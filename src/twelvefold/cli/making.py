"""`twelvefold new`: a project that is the user's from its first line."""

import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click

from twelvefold.cli import exits
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.exceptions import AlreadyThere, ConfigurationError
from twelvefold.scaffold.new import PERSON, TEMPLATES, Template, create, name_of
from twelvefold.scaffold.taken import refuse_nested, refuse_taken


@command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--template",
    type=click.Choice(list(TEMPLATES)),
    default=next(iter(TEMPLATES)),
    show_default=True,
    help="; ".join(f"{name}: {one.what}" for name, one in TEMPLATES.items()) + ".",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--inside", is_flag=True, help="Also where DIR is inside another project.")
@click.pass_obj
def new(here: Here, folder: Path, template: str, yes: bool, inside: bool) -> int:
    """Make a project in DIR, which is not there yet, or empty: plain files that are yours.

    It works as it stands, offline, with a model that follows a script.
    """
    try:
        name = name_of(folder)
        refuse_taken(folder)
        if not inside:
            refuse_nested(folder)
    except (ConfigurationError, AlreadyThere) as error:
        raise click.UsageError(str(error)) from error
    if not yes and here.terminal is not None:
        click.confirm(f"Make {name} in {folder} from {template}?", default=True, abort=True)
    files = create(folder, template)
    then = list(_next(folder, TEMPLATES[template]))
    if here.json:
        here.out.document("new/1", path=str(folder), template=template, files=files, next=then)
        return exits.DONE
    here.out.line(f"{folder}: {len(files)} files, all of them yours. README.md says what they are.")
    here.out.line("next:")
    for line in then:
        here.out.line(f"  {line}")
    return exits.DONE


def _next(folder: Path, template: Template) -> Iterator[str]:
    if folder.resolve() != Path.cwd():
        yield f"cd {shlex.quote(str(folder))}"
    if missing := [what for module, what in template.needs.items() if find_spec(module) is None]:
        yield f"pip install {' '.join(missing)}"
    yield f'twelvefold dev --as {PERSON} {template.agent} "{template.text}"'
    yield "python -m pytest"
