"""`twelvefold pause`, `resume`, `cancel` and `retry`."""

import click

from twelvefold.cli import exits
from twelvefold.cli.bulk import Many, alone, as_status, change_all, every, status_option
from twelvefold.cli.following import act_and_follow
from twelvefold.cli.here import Here, person
from twelvefold.cli.options import command, follows
from twelvefold.summary import short

thread_argument = click.argument("thread")
as_option = click.option("--as", "name", metavar="NAME", help="Who; your login otherwise.")


@command()
@thread_argument
@as_option
@click.pass_obj
def pause(here: Here, thread: str, name: str | None) -> int:
    """Decide nothing more until resume. What runs may end, and its outcome is kept."""
    thread_id = here.thread_id(thread)
    here.run(here.app.pause(thread_id, by=person(name)))
    return _done(here, thread_id, "paused")


@command()
@click.argument("thread", required=False)
@every
@status_option
@as_option
@click.option("--reason", default="", metavar="TEXT", help="Kept in the log.")
@click.pass_obj
def cancel(
    here: Here,
    thread: str | None,
    every: bool,
    agent: str | None,
    status: str | None,
    count: int | None,
    name: str | None,
    reason: str,
) -> int:
    """End a THREAD (or --all) and those it launched, for good. Open contacts close."""
    one = alone(thread, every=every, given=bool(agent or status) or count is not None)
    by = person(name)
    if one is None:
        if not (agent or status):
            raise click.UsageError("Say which: --all with --agent or --status.")
        many = Many(as_status(status), agent, count)
        return change_all(
            here, many, lambda each: here.app.cancel(each, by=by, reason=reason), "cancelled"
        )
    thread_id = here.thread_id(one)
    here.run(here.app.cancel(thread_id, by=by, reason=reason))
    return _done(here, thread_id, "cancelled")


@command()
@click.argument("thread", required=False)
@every
@as_option
@follows
@click.pass_obj
def resume(
    here: Here,
    thread: str | None,
    every: bool,
    agent: str | None,
    count: int | None,
    name: str | None,
    detach: bool,
    timeout_s: float | None,
) -> int:
    """Go on: after a pause, a limit, a due timer, or a process that ended midway.

    --all means the threads that a limit stopped; what a person paused is resumed by its name. A
    THREAD that is not paused is only advanced and followed; nothing is written for that.
    """
    one = alone(thread, every=every, given=bool(agent) or count is not None)
    by = person(name)
    if one is None:
        many = Many("paused", agent, count, limited=True)
        return change_all(here, many, lambda each: here.app.resume(each, by=by), "resumed")
    thread_id = here.thread_id(one)
    status = here.app.store.thread_row(thread_id).status

    async def go_on() -> None:
        if status not in {"running", "waiting"}:
            await here.app.resume(thread_id, by=by)

    return act_and_follow(here, thread_id, go_on, detach=detach, timeout_s=timeout_s)


@command()
@click.argument("thread", required=False)
@every
@as_option
@follows
@click.pass_obj
def retry(
    here: Here,
    thread: str | None,
    every: bool,
    agent: str | None,
    count: int | None,
    name: str | None,
    detach: bool,
    timeout_s: float | None,
) -> int:
    """Decide again after a failure: in a THREAD, or in --all that failed."""
    one = alone(thread, every=every, given=bool(agent) or count is not None)
    by = person(name)
    if one is None:
        many = Many("failed", agent, count)
        return change_all(here, many, lambda each: here.app.retry(each, by=by), "retried")
    thread_id = here.thread_id(one)

    async def again() -> None:
        await here.app.retry(thread_id, by=by)

    return act_and_follow(here, thread_id, again, detach=detach, timeout_s=timeout_s)


def _done(here: Here, thread_id: str, status: str) -> int:
    if here.json:
        here.out.document("thread/1", thread=thread_id, status=status)
    else:
        here.out.line(f"{status}  {short(thread_id)}")
    return exits.DONE
