"""An application with a directory: read again for each answer and each decision."""

from pathlib import Path
from typing import Any

import pytest

from crew import (
    STORES,
    Clock,
    Pay,
    app_of,
    events,
    pipeline,
    ran_by,
    settle,
    state,
    status,
    store_of,
)
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Delegate
from twelvefold.exceptions import ConfigurationError, NotAllowed
from twelvefold.plan import replay
from twelvefold.policy import not_an_initiator, role

pytestmark = pytest.mark.anyio

OPS = (
    "people:\n  anna: {roles: [ops], addresses: {email: anna@example.com}}\n  ben: {roles: [ops]}\n"
)
"""And nobody else."""


@pytest.fixture(params=STORES)
def store(request: Any, tmp_path: Path):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.yaml"
    path.write_text(OPS)
    return path


def written(file: Path, text: str) -> None:
    """Somebody edits the file."""
    file.write_text(text)


def gone(file: Path) -> None:
    file.unlink()


def paying(by: Any, paid: list[str], **options: Any) -> Any:
    def carry_out(chosen: Any) -> Any:
        if chosen.approved:
            return ran_by(lambda step: paid.append(step.to))(chosen)
        return Approve(chosen.step, by=by)

    return pipeline(Pay(to="x"), carry_out=carry_out, **options)


async def asked(app: App, **more: Any) -> App:
    await app.launch("crew", "go", thread_id="t", **more)
    await settle(app)
    return app


async def test_who_left_between_yes_and_run_lets_nothing_run(store: Any, file: Path):
    paid: list[str] = []
    app = await asked(app_of(paying(role("ops"), paid), store, directory=file))
    await app.answer("t.s1.1", "approve", by="Ben")
    written(file, OPS.replace("ben: {", "ben: {active: false, "))
    await settle(app)

    [voided] = events(app, "contact_voided")
    assert paid == []
    assert voided.data["gone"] == ["ben"]
    assert voided.data["directory"] == app.directory().version
    assert [row.id for row in app.inbox()] == ["s1.2"]
    with pytest.raises(NotAllowed):
        await app.answer("t.s1.2", "approve", by="ben")
    await app.answer("t.s1.2", "approve", by="anna@example.com")
    await settle(app)
    assert paid == ["x"]
    assert events(app, "tool_started")[0].data["directory"] == app.directory().version
    assert replay(app.thread("t"), app.agent("crew")) == []


async def test_who_came_since_may_answer(store: Any, file: Path):
    paid: list[str] = []
    app = await asked(app_of(paying(role("ops"), paid), store, directory=str(file)))
    written(file, OPS + "  cleo: {roles: [ops]}\n")
    await app.answer("t.s1.1", "approve", by="cleo")
    await settle(app)

    assert paid == ["x"]


async def test_a_role_without_a_directory_parks_the_thread_with_the_remedy(store: Any):
    app = await asked(app_of(paying(role("ops"), []), store))

    assert status(app) == "failed"
    assert "App(directory=...)" in events(app, "advance_failed")[0].data["error"]


async def test_a_directory_that_cannot_be_read_holds_the_thread_and_loses_nothing(
    store: Any, file: Path
):
    clock, paid = Clock(), list[str]()
    gone(file)
    app = app_of(paying(role("ops"), paid), store, directory=file, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    engine = await settle(app)
    errors = list(engine.errors.values())
    assert [type(error) for error in errors] == [ConfigurationError]
    assert [event.type for event in app.thread("t").events] == ["message_received"]

    written(file, OPS)
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    gone(file)
    with pytest.raises(ConfigurationError):
        await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)
    assert paid == []
    written(file, OPS)
    await settle(app)
    assert paid == ["x"]


async def test_four_eyes_follow_a_task_to_another_agent(store: Any):
    paid: list[str] = []
    four = not_an_initiator(["anna", "ben"])

    def delegate(chosen: Any) -> Any:
        return Delegate(chosen.step, "clerk", "pay x")

    chief = pipeline(Pay(to="x"), carry_out=delegate)
    app = app_of([chief, paying(four, paid, name="clerk")], store)
    await asked(app, sender="anna")

    with pytest.raises(NotAllowed, match="anna asked for it"):
        await app.answer("t.s1.s1.1", "approve", by="anna")
    await app.answer("t.s1.s1.1", "approve", by="ben")
    await settle(app)
    assert paid == ["x"]
    assert state(app).finished


async def test_a_directory_may_differ_by_tenant(store: Any):
    of = {"a": Directory(roles={"ops": ["anna"]}), "b": Directory(roles={"ops": ["ben"]})}
    paid: list[str] = []
    app = app_of(paying(role("ops"), paid), store, directory=of.__getitem__)
    for tenant in of:
        await app.launch("crew", "go", thread_id="t", tenant=tenant)
    await settle(app)

    with pytest.raises(NotAllowed):
        await app.answer("t.s1.1", "approve", by="anna", tenant="b")
    await app.answer("t.s1.1", "approve", by="anna", tenant="a")
    await settle(app)
    assert paid == ["x"]
    assert app.directory(tenant="b") is of["b"]
