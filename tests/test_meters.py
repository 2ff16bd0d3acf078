"""Rates delay calls, budgets pause threads: by what all processes did together."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crew import (
    STORES,
    Clock,
    Done,
    Look,
    app_of,
    chat,
    ended,
    events,
    ran_by,
    seen,
    settle,
    status,
    store_of,
)
from twelvefold.app import App
from twelvefold.exceptions import ConfigurationError, StoreUnavailable
from twelvefold.messages import ModelReply, ModelRequest, Usage
from twelvefold.meters import WAIT_MAX, Budget, Rate
from twelvefold.models.scripted import ScriptedModel
from twelvefold.store import EmbeddedStore

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)
AGENT = chat(ran_by(lambda step, call: "seen"))


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


class Dear:
    """A model that finishes at once and says what that cost."""

    def __init__(self, *, cost: float = 0.4, tokens: int = 0) -> None:
        self.calls: list[str] = []
        self._usage = Usage(input=tokens, cost=cost)

    async def __call__(self, request: ModelRequest) -> ModelReply:
        self.calls.append(request.thread_id)
        return ModelReply(text='{"intent": "done_for_now", "message": "bye"}', usage=self._usage)


def app_with(store: EmbeddedStore, model: Any, **options: Any) -> App:
    return App([AGENT], store=store, model=model, clock=options.pop("clock", Clock()), **options)


async def launched(app: App, *threads: str, tenant: str = "default") -> None:
    for thread in threads:
        await app.launch("crew", "go", thread_id=thread, tenant=tenant)
        await settle(app)


async def test_a_budget_pauses_the_next_thread_and_says_which(store: EmbeddedStore):
    model = Dear(cost=0.6)
    app = app_with(store, model, budgets=[Budget(cost=1.0, agent="crew")])

    await launched(app, "a", "b", "c")

    assert model.calls == ["a", "b"]
    assert [status(app, t) for t in "abc"] == ["finished", "finished", "paused"]
    [limit] = events(app, "limit_reached", "c")
    assert limit.data == {
        "limit": "budget: 1 USD per day of the agent crew",
        "used": 1.2,
        "allowed": 1.0,
        "by": "advance",
    }


async def test_what_was_paused_goes_on_in_the_next_time(store: EmbeddedStore):
    clock, model = Clock(), Dear(tokens=700)
    app = app_with(store, model, clock=clock, budgets=[Budget(tokens=500)])
    await launched(app, "a", "b")
    await app.resume("b", by="olga")
    await settle(app)
    assert status(app, "b") == "paused"

    clock.forward(DAY)
    await app.resume("b", by="olga")
    await settle(app)

    assert status(app, "b") == "finished"


async def test_another_tenant_and_another_agent_have_budgets_of_their_own(store: EmbeddedStore):
    model = Dear(cost=2.0)
    budgets = [Budget(cost=1.0, tenant="acme"), Budget(cost=1.0, agent="other")]
    app = app_with(store, model, budgets=budgets)

    await launched(app, "a", "b", tenant="acme")
    await launched(app, "c", "d")

    assert model.calls == ["a", "c", "d"]


async def test_two_processes_spend_one_budget(tmp_path: Path):
    budgets = [Budget(cost=1.0)]
    stores = [store_of("sqlite", tmp_path) for _ in range(2)]
    models = [Dear(cost=1.0), Dear(cost=1.0)]
    one, other = (
        app_with(store, model, budgets=budgets) for store, model in zip(stores, models, strict=True)
    )

    await launched(one, "a")
    await launched(other, "b")

    assert (models[0].calls, models[1].calls) == (["a"], [])
    for store in stores:
        store.close()


async def test_calls_wait_for_their_turn(store: EmbeddedStore):
    began: list[float] = []

    def reply(_: ModelRequest) -> Done:
        began.append(asyncio.get_running_loop().time())
        return Done()

    rate = Rate(20, per=timedelta(seconds=1))
    app = app_of(AGENT, store, reply, rates={"default": rate})
    for thread in "abcd":
        await app.launch("crew", "go", thread_id=thread)

    await settle(app)

    # Each turn is 50 ms after the one before; the loop's clock and the store's may differ a little.
    assert began[-1] - began[0] >= 0.1
    assert {status(app, thread) for thread in "abcd"} == {"finished"}


async def test_a_call_that_would_wait_too_long_is_a_counted_failure(store: EmbeddedStore):
    app = app_of(
        AGENT, store, Look(), Done(), rates={"default": Rate(1, per=2 * WAIT_MAX)}, clock=Clock()
    )
    await app.launch("crew", "go", thread_id="t")

    await settle(app)

    failure = events(app, "model_failed")[0].data
    assert failure["reason"] == "rate_limited"
    assert "more calls wait than its rate lets through in 10 minutes" in failure["error"]


async def test_a_reply_is_kept_although_it_could_not_be_counted(store: EmbeddedStore, caplog):
    class Deaf:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def spend(self, *_: Any, **__: Any) -> None:
            raise StoreUnavailable("locked")

    app = app_with(Deaf(), Dear(), budgets=[Budget(cost=1.0)])  # pyright: ignore

    await launched(app, "t")

    assert status(app) == "finished"
    assert "0.4 was used and not counted" in caplog.text


async def test_a_database_that_does_not_answer_is_no_failure_of_the_model(store: EmbeddedStore):
    class Slow:
        answers = False

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def spent(self, names: Any) -> Any:
            if not self.answers:
                self.answers = True
                raise StoreUnavailable("locked")
            return store.spent(names)

    app = app_with(Slow(), Dear(), budgets=[Budget(cost=1.0)], clock=None)  # pyright: ignore
    await app.launch("crew", "go", thread_id="t")
    engine = asyncio.create_task(app.run())
    await seen(app, "t", "finished")
    await ended(engine)

    assert events(app, "model_failed") == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Rate(0),
        lambda: Rate(1, per=timedelta()),
        lambda: Rate(2, burst=3),
        lambda: Budget(),
        lambda: Budget(cost=1.0, tokens=1),
        lambda: Budget(cost=1.0, per=timedelta()),
        lambda: App([AGENT], model=ScriptedModel([]), rates={"gpt": Rate(1)}),
    ],
)
async def test_what_lets_nothing_through_is_refused_at_once(wrong: Any):
    with pytest.raises(ConfigurationError):
        wrong()


async def test_a_name_is_never_everybody():
    anybody, star = Budget(cost=1.0), Budget(cost=1.0, agent="*")
    now = Clock()()

    assert anybody.meter(now) != star.meter(now)
    assert not star.concerns(agent="crew", tenant="default")
