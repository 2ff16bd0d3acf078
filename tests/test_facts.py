"""What a tool brought is kept while the store is away, and given up only after a while."""

import asyncio
from typing import Any

import pytest

from crew import (
    START,
    STORES,
    Look,
    app_of,
    pipeline,
    ran_by,
    settle,
    store_of,
    types,
)
from twelvefold.exceptions import StoreUnavailable
from twelvefold.loop import facts, record
from twelvefold.store import Append, Create, Ref
from twelvefold.thread import Draft

pytestmark = pytest.mark.anyio
AWAY = StoreUnavailable("the server starts anew")
GONE = StoreUnavailable("the store is closed", retryable=False)


class Away:
    """A store that is away for the first commits of an event of this type."""

    def __init__(self, store: Any, type: str, *errors: Exception) -> None:
        self._store, self._type, self._errors = store, type, list(errors)
        self.tries = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *appends: Append) -> Any:
        self._meet(appends)
        return await self._store.commit(*appends)

    def commit_now(self, *appends: Append, tx: Any = None) -> Any:
        self._meet(appends)
        return self._store.commit_now(*appends, tx=tx)

    def _meet(self, appends: Any) -> None:
        if any(draft.type == self._type for append in appends for draft in append.drafts):
            self.tries += 1
            if self._errors:
                raise self._errors.pop()


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "PAUSE_FIRST_S", 0.001)


def outcome() -> Draft:
    return Draft("tool_returned", {"step": "s1", "attempt": 1}, START, key="outcome:s1:1")


async def begun(store: Any) -> Ref:
    await store.commit(Append("t", [Draft("noted", {}, START)], create=Create("crew")))
    return Ref("default", "t")


async def kept(store: Any, ref: Ref, *, now: bool) -> None:
    if now:  # as in the thread of a tool that was given up
        await asyncio.to_thread(facts.record_now, store, ref, outcome(), wake=False)
    else:
        await record(store, ref, outcome(), wake=False)


async def test_an_outcome_outlasts_a_store_that_is_away(store):
    away = Away(store, "tool_returned", AWAY, AWAY, AWAY)
    app = app_of(pipeline(Look(), carry_out=ran_by(lambda _: 1)), away)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await settle(app)

    assert types(app).count("tool_returned") == 1
    assert "tool_outcome_unknown" not in types(app)
    assert away.tries > 3


@pytest.mark.parametrize("now", [False, True])
async def test_a_fact_is_tried_until_it_is_kept(store, now):
    ref, away = await begun(store), Away(store, "tool_returned", AWAY, AWAY)

    await kept(away, ref, now=now)

    assert (away.tries, store.load("t").head) == (3, 2)


@pytest.mark.parametrize("now", [False, True])
@pytest.mark.parametrize("error", [GONE, AWAY])
async def test_what_cannot_pass_or_lasts_too_long_is_raised(store, monkeypatch, error, now):
    ref, away = await begun(store), Away(store, "tool_returned", *[error] * 1000)
    monkeypatch.setattr(facts, "PATIENCE_S", 0.02)

    with pytest.raises(StoreUnavailable):
        await kept(away, ref, now=now)

    assert (away.tries == 1) is not error.retryable
