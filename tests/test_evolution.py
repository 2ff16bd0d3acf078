"""Code changes while threads wait: what still counts, what is asked again, who repairs the rest.

Each test plays a thread with the code of yesterday and goes on with that of today.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from crew import STORES, Clock, events, settle, state, status, store_of, types
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.effects import Approve, Ask, Choose, Finish, Wait, run
from twelvefold.exceptions import AskedAnew, InvalidAnswer, UnknownAgent
from twelvefold.policy import Risk
from twelvefold.state import Chosen
from twelvefold.steps import Step
from twelvefold.store import Append
from twelvefold.testing.logs import put
from twelvefold.thread import Draft, Event, Thread

pytestmark = pytest.mark.anyio

Today = Callable[..., App]


class Note(Step):
    """What every version of the agent has, so that its union is never empty."""

    intent: Literal["note"] = "note"


class Pay(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["pay"] = "pay"
    to: str


class PaySaidBetter(Step):
    """Pay somebody, from the account of the company."""

    risk: ClassVar[Risk] = "high"
    intent: Literal["pay"] = "pay"
    to: str = Field(title="Payee", description="Who gets the money")


class PayInCurrency(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["pay"] = "pay"
    to: str
    currency: str = "EUR"


class PayPayee(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["pay"] = "pay"
    payee: str


class Transfer(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["transfer"] = "transfer"
    to: str


class Ping(Step):
    intent: Literal["ping"] = "ping"
    host: str
    question: str = "Which one?"


class PingMany(Step):
    intent: Literal["ping"] = "ping"
    hosts: list[str]


class Code:
    """The application at different times, on one store. `ran` are the steps that took effect."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.store = store_of(kind, folder)
        self.clock = Clock()
        self.ran: list[Mapping[str, Any]] = []

    def app(self, *classes: type[Step], name: str = "crew", **options: Any) -> App:
        """Chooses the first class once, has it approved where it is risky, runs it and finishes."""
        union: Any = Note
        for cls in classes:
            union |= cls

        def decide(thread: Thread, state: Any) -> Any:
            if state.ready:
                return self._carry_out(state.ready[0])
            if state.waiting or state.finished:
                return Wait()
            if state.by_id("s1") is None:
                return Choose(FIRST[classes[0]])
            return Finish(state.by_id("s1").error or "done")

        agent = Agent(name, decide, union, owner="olga", **options)
        return App([agent], store=self.store, clock=self.clock)

    def _carry_out(self, chosen: Chosen[Any]) -> Any:
        step = chosen.step
        if getattr(step, "question", None) == "ask":
            return Ask(step, step.question, to="anna")
        risky = getattr(type(step), "risk", "low") != "low"
        return Approve(step, by="anna") if risky and not chosen.approved else run(self._tool, step)

    def _tool(self, step: Step) -> str:
        self.ran.append(step.model_dump(exclude={"intent"}))
        return "done"


FIRST: Mapping[type[Step], Step] = {
    Pay: Pay(to="bob"),
    Ping: Ping(host="db"),
    PingMany: PingMany(hosts=["db"]),
    Transfer: Transfer(to="bob"),
}


@pytest.fixture(params=STORES)
def code(tmp_path: Path, request: pytest.FixtureRequest) -> Code:
    return Code(tmp_path, request.param)


async def asked(app: App) -> App:
    """The thread waits for the approval of its first step."""
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    assert types(app)[-1] == "contact_requested"
    return app


async def voted(app: App) -> App:
    """The approval was given, and the process ended before anything ran."""
    await asked(app)
    await app.answer("t.s1.1", "approve", by="anna")
    return app


async def chosen_only(app: App, step: Step) -> App:
    """A step was chosen, and the process ended there."""
    data = {"intent": step.intent, "args": step.model_dump(exclude={"intent"}), "by": "code"}  # pyright: ignore
    now = app.clock()
    await app.launch("crew", "go", thread_id="t")
    await app.store.commit(Append("t", [Draft("next_step_chosen", data, now, after=1)], wake=True))
    return app


async def goes_on(app: App) -> App:
    """A new process takes the thread up; what wakes it is of no meaning."""
    await app.store.commit(Append("t", [], wake=True))
    await settle(app)
    return app


# Approvals


async def test_an_approval_given_before_a_docstring_change_counts(code: Code):
    await voted(code.app(Pay))

    app = await goes_on(code.app(PaySaidBetter))

    assert (code.ran, status(app)) == ([{"to": "bob"}], "finished")
    assert len(events(app, "contact_requested")) == 1


async def test_an_approval_asked_before_a_docstring_change_can_be_given(code: Code):
    await asked(code.app(Pay))

    app = code.app(PaySaidBetter)
    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)

    assert code.ran == [{"to": "bob"}]


async def test_an_approval_given_before_a_structural_change_is_asked_again(code: Code):
    await voted(code.app(Pay))

    app = await goes_on(code.app(PayInCurrency))

    assert code.ran == []
    assert "the arguments or the shape of pay" in events(app, "contact_voided")[0].data["reason"]
    await app.answer("t.s1.2", "approve", by="anna")
    await settle(app)
    assert code.ran == [{"to": "bob", "currency": "EUR"}]


async def test_an_approval_asked_before_a_structural_change_is_asked_again(code: Code):
    await asked(code.app(Pay))

    app = code.app(PayInCurrency)
    with pytest.raises(AskedAnew, match="changed since, so it is asked again"):
        await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)  # the refused answer has woken it

    [closed] = events(app, "contact_closed")
    assert closed.data["outcome"] == "voided"
    await app.answer("t.s1.2", "approve", by="anna")
    await settle(app)
    assert code.ran == [{"to": "bob", "currency": "EUR"}]


# Upcasters


def to_payee(args: dict[str, Any]) -> dict[str, Any]:
    return {"payee": args["to"]} if "to" in args else args


async def test_an_approval_given_before_an_upcast_is_asked_again_with_the_new_arguments(code: Code):
    await voted(code.app(Pay))

    app = await goes_on(code.app(PayPayee, upcasters={"pay": to_payee}))

    assert code.ran == []
    assert events(app, "contact_requested")[-1].data["args"] == {"payee": "bob"}
    await app.answer("t.s1.2", "approve", by="anna")
    await settle(app)
    assert code.ran == [{"payee": "bob"}]
    assert app.thread("t").events[1].data["args"] == {"to": "bob"}


async def test_an_upcaster_that_changes_an_argument_voids_the_approval_too(code: Code):
    await voted(code.app(Pay))

    app = await goes_on(code.app(Pay, upcasters={"pay": lambda args: {"to": "eve"}}))

    assert code.ran == []
    assert events(app, "contact_requested")[-1].data["args"] == {"to": "eve"}


async def test_an_upcaster_brings_an_open_step_up_to_date(code: Code):
    await chosen_only(code.app(Ping), Ping(host="db"))

    app = code.app(PingMany, upcasters={"ping": lambda args: {"hosts": [args["host"]]}})
    await settle(app)

    assert (code.ran, status(app)) == ([{"hosts": ["db"]}], "finished")


async def test_an_upcaster_that_fails_asks_the_owner(code: Code):
    await chosen_only(code.app(Ping), Ping(host="db"))

    def broken(args: dict[str, Any]) -> dict[str, Any]:
        raise KeyError("hosts")

    app = code.app(PingMany, upcasters={"ping": broken})
    await settle(app)

    [contact] = events(app, "contact_requested")
    assert (contact.data["kind"], contact.data["to"]["people"]) == ("repair", ["olga"])
    assert "its upcaster fails: KeyError" in contact.data["question"]


# Repairs


async def unreadable(code: Code) -> App:
    await chosen_only(code.app(Ping), Ping(host="db"))
    app = code.app(PingMany)
    await settle(app)
    return app


async def test_a_step_that_no_longer_parses_asks_the_owner(code: Code):
    app = await unreadable(code)

    [contact] = app.inbox()
    assert (contact.data["kind"], contact.data["to"]["people"]) == ("repair", ["olga"])
    assert "ping no longer parses: " in contact.data["question"]
    assert (status(app), code.ran) == ("waiting", [])


async def test_a_repaired_step_runs(code: Code):
    app = await unreadable(code)

    await app.answer("t.s1.1", "edit", by="olga", changes={"hosts": ["db", "web"]})
    await settle(app)

    assert (code.ran, status(app)) == ([{"hosts": ["db", "web"]}], "finished")
    assert state(app).by_id("s1").status == "edited"


async def test_a_repair_must_fit_todays_shape(code: Code):
    app = await unreadable(code)

    with pytest.raises(InvalidAnswer, match="hosts"):
        await app.answer("t.s1.1", "edit", by="olga", changes={"hosts": "db"})
    assert status(app) == "waiting"


async def test_a_step_that_is_given_up_failed(code: Code):
    app = await unreadable(code)

    await app.answer("t.s1.1", "give_up", by="olga", comment="not needed any more")
    await settle(app)

    assert (code.ran, status(app)) == ([], "finished")
    assert events(app, "finished")[0].data["message"] == "give_up by olga: not needed any more"


async def test_a_repair_is_no_approval(code: Code):
    await asked(code.app(Pay))
    app = await goes_on(code.app(PayPayee))

    await app.answer("t.s1.2", "edit", by="olga", changes={"payee": "bob"})
    await settle(app)

    assert code.ran == []
    await app.answer("t.s2.1", "approve", by="anna")
    await settle(app)
    assert code.ran == [{"payee": "bob"}]


@pytest.mark.parametrize("today", [(), (Transfer,)], ids=["removed", "renamed"])
async def test_a_step_that_is_gone_can_only_be_given_up(code: Code, today: tuple[type[Step], ...]):
    await asked(code.app(Pay))

    app = await goes_on(code.app(*today, Note))

    contact = events(app, "contact_requested")[-1]
    assert contact.data["kind"] == "repair"
    assert "no step of this agent has the intent 'pay'" in contact.data["question"]
    with pytest.raises(InvalidAnswer, match="use give_up"):
        await app.answer("t.s1.2", "edit", by="olga", changes={"to": "eve"})
    await app.answer("t.s1.2", "give_up", by="olga")
    await settle(app)
    assert (code.ran, status(app)) == ([], "finished")


async def test_a_step_that_parses_again_needs_no_repair(code: Code):
    await asked(code.app(Pay))
    await goes_on(code.app(Note))

    app = await goes_on(code.app(Pay))

    assert [e.data["kind"] for e in events(app, "contact_requested")] == [
        "approval",
        "repair",
        "approval",
    ]
    assert events(app, "contact_closed")[-1].data["comment"] == "pay parses again"
    await app.answer("t.s1.3", "approve", by="anna")
    await settle(app)
    assert code.ran == [{"to": "bob"}]


async def test_a_settled_step_that_no_longer_parses_is_left_alone(code: Code):
    app = code.app(Ping)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    app = await goes_on(code.app(PingMany))

    assert status(app) == "finished"
    assert state(app).by_id("s1").result == "done"
    assert not state(app).by_id("s1").readable


# Agents


@pytest.mark.parametrize("today", ["renamed", "gone"])
async def test_a_thread_of_an_agent_that_is_gone_waits_for_it(code: Code, today: str):
    await voted(code.app(Pay))

    engine = await settle(code.app(Pay, name=today))

    assert isinstance(next(iter(engine.errors.values())), UnknownAgent)
    assert code.ran == []
    app = code.app(Pay)
    await settle(app)
    assert (code.ran, status(app)) == ([{"to": "bob"}], "finished")


# Newer versions


def written_by_tomorrow(app: App, *more: Event) -> Thread:
    """A log whose second event is of a version that nobody knows here."""
    now = app.clock()
    first = Event(1, "message_received", {"text": "go"}, now)
    return Thread("t", "crew", [first, *more])


async def test_a_newer_core_event_parks_the_thread_until_the_upgrade(code: Code):
    app = code.app(Pay)
    newer = Event(2, "tool_returned", {"of": "s1"}, app.clock(), after=1, v=2)
    put(code.store, written_by_tomorrow(app, newer))

    await settle(app)

    assert (status(app), code.ran) == ("failed", [])
    assert "event 2 (tool_returned) has version 2" in events(app, "advance_failed")[0].data["error"]
    assert "Upgrade" in state(app).failed
    await app.retry("t")
    await settle(app)
    assert (status(app), types(app).count("advance_failed")) == ("failed", 2)


async def test_a_users_own_event_may_have_any_version(code: Code):
    app = code.app(Ping)
    put(code.store, written_by_tomorrow(app, Event(2, "weather", {}, app.clock(), v=9)))

    await settle(app)

    assert (status(app), code.ran) == ("finished", [{"host": "db", "question": "Which one?"}])
