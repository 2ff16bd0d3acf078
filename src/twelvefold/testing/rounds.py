"""A scenario from launch to end, in this process: advance, answer, move the clock, again."""

from collections.abc import Callable, Mapping
from typing import Any

from twelvefold.app import App
from twelvefold.contacts import ACCEPTED
from twelvefold.exceptions import ConfigurationError, TwelvefoldError
from twelvefold.store import ContactRow
from twelvefold.testing.clock import Clock
from twelvefold.testing.playing import asks, name_of, who_may
from twelvefold.testing.scenario import Point, Scenario
from twelvefold.thread import DEFAULT_TENANT

ROUNDS_MAX = 200
THREADS_MAX = 10_000

Look = Callable[[ContactRow], Mapping[str, Any]]

_HOW: Mapping[str, str] = {
    "approval": '{"decision": "approve", "by": NAME}',
    "question": '{"decision": "answer", "value": ..., "by": NAME}',
    "outcome": '{"decision": "it_ran" or "run_again", "by": NAME}',
    "repair": '{"decision": "give_up", "by": NAME}',
}
"""What answers each kind of contact."""


async def work(
    scenario: Scenario,
    point: Point,
    *,
    look: Look | None = None,
    tenant: str = DEFAULT_TENANT,
) -> list[str]:
    """Launch, advance, answer, until nobody is asked and no time is left. What is left woken.

    `look` says whether a run that was cut off took place, where the scenario does not.
    """
    app = scenario.app
    _set_clock(app, tenant)
    await scenario.launch(app)
    for _ in range(ROUNDS_MAX):
        engine = await app.run(until_idle=True)
        for ref, error in engine.errors.items():
            raise RuntimeError(f"{ref.id}: {error}") from error
        if not await _answer_all(scenario, point, look, tenant) and not _move_clock(app):
            return [f"{woken.ref.id} is woken" for woken in app.store.woken()]
    asked = "\n".join(map(asks, app.inbox(tenant=tenant)))
    raise RuntimeError(f"people were still asked after {ROUNDS_MAX} rounds:\n{asked}")


async def _answer_all(scenario: Scenario, point: Point, look: Look | None, tenant: str) -> bool:
    """Whether anybody answered anything."""
    app, answered = scenario.app, False
    for contact in app.inbox(tenant=tenant):
        if (reply := _reply(scenario, contact, look, tenant)) is None:
            continue
        point("before answer")
        try:
            await app.answer(name_of(contact), **reply, tenant=tenant)
        except TwelvefoldError as refusal:
            raise _refused(contact, reply, refusal) from refusal
        point("after answer")
        answered = True
    return answered


def _reply(
    scenario: Scenario, contact: ContactRow, look: Look | None, tenant: str
) -> Mapping[str, Any] | None:
    """What the scenario says; of a run that was cut off, what whoever looks says."""
    reply = scenario.answer(contact)
    if contact.data["kind"] != "outcome" or look is None:
        return reply
    if reply is not None and reply.get("decision") in ACCEPTED["outcome"]:
        return reply
    people = who_may(contact, scenario.app.people(tenant))
    return {"by": next(iter(people), ""), **look(contact)}


def _refused(
    contact: ContactRow, reply: Mapping[str, Any], refusal: TwelvefoldError
) -> ConfigurationError:
    kind = str(contact.data["kind"])
    return ConfigurationError(
        f"{asks(contact)}. The scenario's `answer` says {dict(reply)}, which is refused: {refusal}"
        f' Let it say: if contact.data["kind"] == "{kind}": return {_HOW[kind]}'
    )


def _set_clock(app: App, tenant: str) -> None:
    """A virtual clock starts anew with its process; it is as late as the log says."""
    if isinstance(app.clock, Clock):
        rows = app.threads(tenant=tenant, limit=THREADS_MAX)
        newest = [app.thread(row.ref.id, tenant=tenant).events[-1].at for row in rows]
        app.clock.now = max([app.clock.now, *newest])


def _move_clock(app: App) -> bool:
    """Go on to the next timer; False without a virtual clock, a timer, or time."""
    clock, due = app.clock, app.store.next_due()
    if not isinstance(clock, Clock) or due is None or clock.end is None or due > clock.end:
        return False
    clock.now = max(clock.now, due)
    return True
