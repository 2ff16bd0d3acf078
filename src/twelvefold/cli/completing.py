"""`twelvefold completion`: the script that a shell reads once."""

import click
from click.shell_completion import get_completion_class

from twelvefold.cli.here import Here
from twelvefold.cli.options import command

PROGRAM = "twelvefold"
VARIABLE = "_TWELVEFOLD_COMPLETE"
"""Click looks for this variable when the shell asks what fits."""


@command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_obj
def completion(here: Here, shell: str) -> None:
    """The script that completes commands and options in SHELL.

    bash, zsh: eval "$(twelvefold completion bash)". fish: twelvefold completion fish | source.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # the choice holds only what Click knows
    script = kind(click.get_current_context().find_root().command, {}, PROGRAM, VARIABLE).source()
    if here.json:
        here.out.document("completion/1", shell=shell, script=script)
    else:
        here.out.raw(script)
