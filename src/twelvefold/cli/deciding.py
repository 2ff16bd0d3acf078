"""`twelvefold approve`, `deny`, `edit`, `choose` and `answer`: decide one exact contact.

`approve` shows the contact; on a terminal it asks then, elsewhere it decides at once, and the
transcript of a script holds what was approved. The digest of what was shown travels with the
decision, so a contact that changed meanwhile is refused.
"""

import click

from twelvefold.channels.terminal import ask_text
from twelvefold.cli import exits
from twelvefold.cli.asking import ask_about, show
from twelvefold.cli.decision import Asked, Given, decide, find, outcome_or_answer
from twelvefold.cli.editing import changes_of
from twelvefold.cli.here import Here
from twelvefold.cli.options import as_person, command, follows
from twelvefold.cli.running import json_value
from twelvefold.exceptions import InvalidAnswer

contact_argument = click.argument("name", metavar="CONTACT")
expect_option = click.option(
    "--expect", metavar="DIGEST", help="Refuse unless the contact has this digest."
)
comment_option = click.option("--comment", metavar="TEXT", help="Why; the model reads it.")


@command()
@contact_argument
@as_person
@comment_option
@expect_option
@click.option("--yes", is_flag=True, help="You know what it is: show nothing, ask nothing.")
@follows
@click.pass_obj
def approve(
    here: Here,
    name: str,
    person: str | None,
    comment: str | None,
    expect: str | None,
    yes: bool,
    detach: bool,
    timeout_s: float | None,
) -> int:
    """Let exactly this step run. CONTACT is an id, or a thread with one open contact."""
    asked = find(here, name, expect=expect)
    given: Given | None = Given("approve", comment=comment)
    if asked.is_open_approval and not yes:
        if here.terminal is None:
            show(asked, here.out.say)
        else:
            given = ask_about(here, here.terminal, asked, given)
    if given is None:
        here.out.line("Nothing was done.")
        return exits.PAUSED_FOR_HUMAN
    return decide(here, asked, given, by=person, detach=detach, timeout_s=timeout_s)


@command()
@contact_argument
@as_person
@comment_option
@expect_option
@follows
@click.pass_obj
def deny(
    here: Here,
    name: str,
    person: str | None,
    comment: str | None,
    expect: str | None,
    detach: bool,
    timeout_s: float | None,
) -> int:
    """Refuse a step. A comment is needed: the model reads it."""
    asked = find(here, name, expect=expect)
    if comment is None and here.terminal is not None:
        comment = ask_text(here.terminal, "Why not? The model reads it")
    if not comment:
        here.then[InvalidAnswer] = "the same command with --comment TEXT"
    given = Given("deny", comment=comment)
    return decide(here, asked, given, by=person, detach=detach, timeout_s=timeout_s)


@command()
@contact_argument
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="a.b.0=JSON, or text.")
@as_person
@comment_option
@expect_option
@follows
@click.pass_obj
def edit(
    here: Here,
    name: str,
    sets: tuple[str, ...],
    person: str | None,
    comment: str | None,
    expect: str | None,
    detach: bool,
    timeout_s: float | None,
) -> int:
    """Change arguments of a step, then let it run. Without --set, a terminal opens $EDITOR."""
    asked = find(here, name, expect=expect)
    changes = changes_of(here, asked, sets)
    if changes is None:
        here.out.line("Nothing was changed, and nothing was done.")
        return exits.PAUSED_FOR_HUMAN
    given = Given("edit", comment=comment, changes=changes)
    return decide(here, asked, given, by=person, detach=detach, timeout_s=timeout_s)


@command()
@contact_argument
@click.argument("option")
@as_person
@comment_option
@expect_option
@follows
@click.pass_obj
def choose(
    here: Here,
    name: str,
    option: str,
    person: str | None,
    comment: str | None,
    expect: str | None,
    detach: bool,
    timeout_s: float | None,
) -> int:
    """End a contact by one of the options it offers, by name. A step then does not run."""
    asked = find(here, name, expect=expect)
    given = Given("choose", comment=comment, value=option)
    return decide(here, asked, given, by=person, detach=detach, timeout_s=timeout_s)


@command()
@contact_argument
@click.argument("text", required=False)
@click.option("--result", metavar="JSON", help="What the tool returned, for it_ran.")
@as_person
@comment_option
@follows
@click.pass_obj
def answer(
    here: Here,
    name: str,
    text: str | None,
    result: str | None,
    person: str | None,
    comment: str | None,
    detach: bool,
    timeout_s: float | None,
) -> int:
    """Answer a question with TEXT, or settle an unknown outcome.

    For an unknown outcome TEXT is it_ran (with --result JSON), run_again or give_up.
    """
    asked: Asked = find(here, name, expect=None)
    value = None if result is None else json_value(result, "--result")
    given = outcome_or_answer(here, asked, text, value)
    given = Given(given.decision, comment=comment, value=given.value)
    return decide(here, asked, given, by=person, detach=detach, timeout_s=timeout_s)
