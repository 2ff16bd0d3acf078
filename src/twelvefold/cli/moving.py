"""`twelvefold reassign`, `escalate` and `remind`: who is asked, and that they are asked again."""

import click

from twelvefold.cli import exits
from twelvefold.cli.decision import ASSURANCE, CHANNEL, Asked, find, who_decides
from twelvefold.cli.here import Here
from twelvefold.cli.options import command

contact_argument = click.argument("name", metavar="CONTACT")
as_option = click.option("--as", "me", metavar="NAME", help="Who; your login otherwise.")


@command()
@contact_argument
@click.option("--to", required=True, metavar="NAME", help="Who takes the place.")
@click.option("--instead-of", default="", metavar="NAME", help="Whose place; your own otherwise.")
@as_option
@click.option("--comment", metavar="TEXT", help="Why; kept in the log.")
@click.pass_obj
def reassign(
    here: Here, name: str, to: str, instead_of: str, me: str | None, comment: str | None
) -> int:
    """Give a place among those who are asked to somebody else.

    Your own; or anybody's, if you may decide for the owner of the agent.
    """
    asked, by = find(here, name, expect=None), who_decides(here, me)
    here.run(
        here.app.reassign(
            asked.id,
            to=to,
            by=by,
            instead_of=instead_of,
            comment=comment,
            channel=CHANNEL,
            assurance=ASSURANCE,
        )
    )
    if here.json:
        here.out.document(
            "reassigned/1", contact=asked.id, to=to, instead_of=instead_of or by, by=by
        )
    else:
        here.out.line(f"{asked.shown_id}   asks {to} instead of {instead_of or by}")
    return exits.DONE


@command()
@contact_argument
@as_option
@click.option("--comment", metavar="TEXT", help="Why; kept in the log.")
@click.pass_obj
def escalate(here: Here, name: str, me: str | None, comment: str | None) -> int:
    """Ask those now whom the deadline of a contact would ask.

    If you decide it alone, or may decide for the owner of the agent.
    """
    asked, by = find(here, name, expect=None), who_decides(here, me)
    wish = here.app.escalate(asked.id, by=by, comment=comment, channel=CHANNEL, assurance=ASSURANCE)
    here.run(wish)
    to = _asked_now(here, asked)
    if here.json:
        here.out.document("escalated/1", contact=asked.id, to=to, by=by)
    else:
        here.out.line(f"{asked.shown_id}   asks {to}")
    return exits.DONE


def _asked_now(here: Here, asked: Asked) -> str:
    from twelvefold.reducer import read

    return str(read(here.app.thread(asked.thread.id)).contacts[asked.row.id].policy)


@command()
@contact_argument
@as_option
@click.pass_obj
def remind(here: Here, name: str, me: str | None) -> int:
    """Send what is asked once more to everybody who is asked."""
    asked = find(here, name, expect=None)
    here.run(here.app.remind(asked.id, by=who_decides(here, me)))
    if here.json:
        here.out.document("reminded/1", contact=asked.id)
    else:
        here.out.line(f"{asked.shown_id}   asked once more")
    return exits.DONE
