"""`twelvefold mcp serve`: the agents as tools of a client that starts this program."""

from collections.abc import Sequence

import click

from twelvefold.cli import exits
from twelvefold.cli.ancestry import refuse_descendants
from twelvefold.cli.here import Here
from twelvefold.cli.here import person as login
from twelvefold.cli.options import as_person, command


@command()
@click.option(
    "--agent",
    "agents",
    multiple=True,
    metavar="NAME",
    help="Only this agent is a tool; several times for more.",
)
@click.option("--no-runner", is_flag=True, help="Leave it to others to advance threads.")
@as_person
@click.pass_obj
def serve(here: Here, agents: Sequence[str], no_runner: bool, person: str | None) -> int:
    """Offer the agents to an MCP client, by standard input and output, until it goes.

    A client starts this; by HTTP it is `twelvefold serve --mcp`.
    """
    from twelvefold.mcp import serve_stdio

    here.warns = True
    refuse_descendants(here.store)  # a form answers, so what a model may start shows none
    serving = serve_stdio(here.app, login(person), offers=agents or None, runner=not no_runner)
    here.run(serving)
    return exits.DONE
