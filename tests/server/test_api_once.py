"""`Idempotency-Key`: one request, however often it comes, and whatever dies in between."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from crew import Clock, Look, Pay, app_of, pipeline, settle
from server.api_world import as_, visiting
from twelvefold.app import App
from twelvefold.effects import Approve, escalate, run
from twelvefold.exceptions import StoreUnavailable
from twelvefold.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anyio
V1 = "/v1/threads"
KEY = {"Idempotency-Key": "one"}
GO = {"agent": "crew", "input": "go"}


class Dying:
    """A store whose process dies after the commit, before the answer is kept."""

    def __init__(self, store: Any) -> None:
        self._store, self.dies = store, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def settle(self, *args: Any) -> bool:
        if self.dies:
            raise StoreUnavailable("the process died")
        return self._store.settle(*args)


def paying(chosen: Any) -> Any:
    if chosen.approved:
        return run(lambda step: f"paid {step.to}", chosen.step)
    later = escalate(to="olga", within=timedelta(hours=1))
    by, within = ("anna", "bob"), timedelta(hours=1)
    return Approve(chosen.step, by=by, within=within, on_expiry=later)


class World:
    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store: Any = Dying(SqliteStore(folder / "api.db"))
        agents = [
            pipeline(Pay(to="the baker"), carry_out=paying),
            pipeline(Look(), carry_out=lambda chosen: None, name="broken"),
        ]
        settles = {"signed_in": "high"}
        self.app: App = app_of(agents, self.store, clock=self.clock, settles=settles)

    async def waiting(self) -> None:
        await self.app.launch("crew", "go", thread_id="t")
        await settle(self.app)

    @asynccontextmanager
    async def visited(self) -> AsyncGenerator[httpx.AsyncClient]:
        async with visiting(self.app) as client:
            yield client


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_the_same_request_twice_is_one_thread_and_one_answer(world: World):
    async with world.visited() as client:
        first, second = [await client.post(V1, json=GO, headers=KEY) for _ in range(2)]
        waited = await client.post(V1 + "?wait_s=1", json=GO, headers=KEY)

    assert first.status_code == second.status_code == waited.status_code == 201
    assert first.content == second.content == waited.content
    for name in ("etag", "location", "content-type"):
        assert first.headers[name] == second.headers[name]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert len(world.app.threads()) == 1


async def test_without_a_key_two_requests_are_two(world: World):
    async with world.visited() as client:
        for _ in range(2):
            await client.post(V1, json=GO)

    assert len(world.app.threads()) == 2


@pytest.mark.parametrize(
    ("path", "body", "who"),
    [
        (V1, GO | {"input": "stop"}, "anna"),
        (V1, GO, "ben"),
        (f"{V1}/t/messages", {"text": "go"}, "anna"),
    ],
)
async def test_another_request_with_a_used_key_is_refused(
    path: str, body: dict[str, str], who: str, world: World
):
    await world.waiting()
    head = world.app.thread("t").head
    async with world.visited() as client:
        await client.post(V1, json=GO, headers=KEY)
        other = await client.post(path, json=body, headers=KEY | as_(who))

    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (422, "key-reused")
    assert (len(world.app.threads()), world.app.thread("t").head) == (2, head)


async def test_the_keys_of_two_tenants_do_not_meet(world: World):
    async with world.visited() as client:
        for who in ("anna", "stranger"):
            answer = await client.post(V1, json=GO, headers=KEY | as_(who))
            assert "idempotency-replayed" not in answer.headers

    assert [len(world.app.threads(tenant=each)) for each in ("default", "other")] == [1, 1]


async def test_while_it_is_worked_on_the_same_request_is_told_to_come_back(world: World):
    began, go_on = asyncio.Event(), asyncio.Event()
    commit = world.store.commit

    async def slowly(*appends: Any) -> Any:
        began.set()
        await go_on.wait()
        return await commit(*appends)

    world.store.commit = slowly
    async with world.visited() as client:
        first = asyncio.create_task(client.post(V1, json=GO, headers=KEY))
        await began.wait()
        second = await client.post(V1, json=GO, headers=KEY)
        go_on.set()
        answered = await first
        third = await client.post(V1, json=GO, headers=KEY)

    assert (second.status_code, second.json()["retryable"]) == (409, True)
    assert second.headers["retry-after"] == "1"
    assert (answered.status_code, third.content) == (201, answered.content)
    assert len(world.app.threads()) == 1


async def test_of_many_servers_one_does_it_and_all_answer_alike(tmp_path: Path):
    worlds = [World(tmp_path) for _ in range(3)]
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(world.visited()) for world in worlds]
        sent = [client.post(V1, json=GO, headers=KEY) for client in clients * 4]
        answers = await asyncio.gather(*sent)
        last = await clients[0].post(V1, json=GO, headers=KEY)

    assert {answer.status_code for answer in answers} <= {201, 409}
    done = [answer.content for answer in answers if answer.status_code == 201]
    assert set(done) == {last.content}
    assert len(worlds[0].app.threads()) == 1


async def test_a_refusal_is_not_kept_and_the_corrected_request_is_done(world: World):
    async with world.visited() as client:
        wrong = await client.post(V1, json=GO | {"agent": "nobody"}, headers=KEY)
        right = await client.post(V1, json=GO, headers=KEY)

    assert (wrong.status_code, right.status_code) == (404, 201)


async def test_an_answer_is_kept_for_a_day(world: World):
    async with world.visited() as client:
        first = await client.post(V1, json=GO, headers=KEY)
        world.clock.forward(timedelta(hours=23, minutes=59))
        second = await client.post(V1, json=GO, headers=KEY)
        world.clock.forward(timedelta(minutes=2))
        other = await client.post(V1, json=GO | {"input": "stop"}, headers=KEY)

    assert second.content == first.content
    assert other.status_code == 201


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "ü"])
async def test_what_is_no_key_is_refused(key: str, world: World):
    async with world.visited() as client:
        answer = await client.post(V1, json=GO, headers={"Idempotency-Key": key.encode()})

    assert answer.status_code == 422
    assert "header.idempotency-key" in answer.json()["errors"]
    assert world.app.threads() == []


VERBS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("launch", V1, GO),
    ("message", f"{V1}/t/messages", {"text": "hurry"}),
    ("signal", f"{V1}/t/signals/merged", {"data": 1}),
    ("pause", f"{V1}/t/pause", None),
    ("resume", f"{V1}/p/resume", None),
    ("retry", f"{V1}/f/retry", None),
    ("cancel", f"{V1}/t/cancel", {"reason": "enough"}),
    ("fork", f"{V1}/t/fork", {"at_seq": 1}),
    ("begin", V1, GO | {"id": "new", "on_conflict": "send"}),
    ("go on", V1, GO | {"id": "t", "input": "more", "on_conflict": "send"}),
    ("answer", "/v1/contacts/t.s1.1/answer", {"decision": "deny", "comment": "no"}),
    ("reassign", "/v1/contacts/t.s1.1/reassign", {"to": "dora"}),
    ("escalate", "/v1/contacts/t.s1.1/escalate", {"comment": "olga knows"}),
    ("remind", "/v1/contacts/t.s1.1/remind", None),
]


@pytest.mark.parametrize(("path", "body"), [verb[1:] for verb in VERBS], ids=[v[0] for v in VERBS])
async def test_who_dies_before_the_answer_is_kept_has_not_doubled_anything(
    path: str, body: dict[str, Any] | None, world: World
):
    await world.waiting()
    await world.app.launch("crew", "go", thread_id="p")
    await world.app.pause("p")
    await world.app.launch("broken", "go", thread_id="f")
    await settle(world.app)

    async with world.visited() as client:
        about = re.match(r"/v1/(threads|contacts)/[^/]+", path)
        seen = await client.get(about[0]) if about else None
        headers = KEY | ({"If-Match": seen.headers["etag"]} if seen else {})
        before = written(world.app)
        world.store.dies = True
        died = await client.post(path, json=body, headers=headers)
        world.store.dies, once = False, written(world.app)
        at_once = await client.post(path, json=body, headers=headers)
        world.clock.forward(timedelta(seconds=11))
        again = await client.post(path, json=body, headers=headers)
        kept = await client.post(path, json=body, headers=headers)

    assert (died.status_code, at_once.status_code) == (503, 409)
    assert again.status_code in (200, 201), again.text
    assert kept.content == again.content
    assert before != once == written(world.app)


def written(app: App) -> dict[str, list[str]]:
    rows = app.threads()
    return {r.ref.id: [event.type for event in app.thread(r.ref.id).events] for r in rows}


async def test_what_was_left_before_it_was_done_is_done_by_the_next(world: World):
    await world.waiting()
    commit, died = world.store.commit, StoreUnavailable("the process died")

    async def dies(*_: Any) -> Any:
        raise died

    async with world.visited() as client:
        world.store.commit, world.store.give_up = dies, lambda _: None  # nothing runs after death
        first = await client.post(f"{V1}/t/pause", headers=KEY)
        world.store.commit = commit
        world.clock.forward(timedelta(seconds=11))
        second = await client.post(f"{V1}/t/pause", headers=KEY)

    assert (first.status_code, second.status_code) == (503, 200)
    assert second.json()["status"] == "paused"
