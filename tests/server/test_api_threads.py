"""Threads over HTTP: launch, pages, events, verbs, and what a client that saw less may not do."""

from pathlib import Path

import httpx
import pytest

from crew import Clock, Done, Look, Meddled, Pay, app_of, approved_then, chat, pipeline, settle
from server.api_world import as_, visiting
from twelvefold.app import App
from twelvefold.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anyio
V1 = "/v1/threads"


def payers(folder: Path, *steps: object) -> App:
    paying = approved_then(lambda step: f"paid {step.to}")
    agent = pipeline(*(steps or (Pay(to="the baker"),)), carry_out=paying)
    return app_of(agent, SqliteStore(folder / "api.db"), clock=Clock())


async def launched(client: httpx.AsyncClient, text: str = "go", **more: object) -> httpx.Response:
    answer = await client.post(V1, json={"agent": "crew", "input": text, **more})
    assert answer.status_code == 201, answer.text
    return answer


async def test_a_launch_says_where_the_thread_is_and_what_its_head_is(tmp_path: Path):
    async with visiting(payers(tmp_path)) as client:
        answer = await launched(client, "pay the baker")
        again = await client.get(answer.headers["location"])

    thread = answer.json()
    assert again.json() == thread
    assert (again.headers["etag"], thread["head"]) == ('"1"', 1)
    assert (thread["status"], thread["title"]) == ("running", "pay the baker")
    assert thread["created_at"] == "2026-11-20T09:00:00.000000Z"


async def test_who_launches_is_the_sender_of_the_message(tmp_path: Path):
    app = payers(tmp_path)
    async with visiting(app) as client:
        thread = (await launched(client)).json()

    assert app.thread(thread["id"]).events[0].data == {"from": "anna", "text": "go"}


async def test_with_an_id_of_ones_own_the_same_launch_is_one_thread(tmp_path: Path):
    app = payers(tmp_path)
    async with visiting(app) as client:
        one, two = [await launched(client, id="rent-11") for _ in range(2)]
        other = await client.post(V1, json={"agent": "crew", "input": "other", "id": "rent-11"})

    assert one.json() == two.json()
    assert (other.status_code, len(app.threads())) == (409, 1)
    assert "Nothing was done" in other.json()["detail"]


async def test_waiting_answers_when_the_thread_rests(tmp_path: Path):
    app = payers(tmp_path)
    async with visiting(app) as client:
        thread = (await launched(client)).json()
        await settle(app)
        message = f"{V1}/{thread['id']}/messages?wait_s=30"
        answer = await client.post(message, json={"text": "hurry"})
        [wait] = answer.json()["waits"]

    assert (answer.status_code, answer.json()["status"]) == (200, "waiting")
    assert wait == {"kind": "contact", "name": f"{thread['id']}.s1.1", "step": "s1"}


async def test_pages_of_threads_follow_each_other_without_gap_or_repeat(tmp_path: Path):
    seen: list[str] = []
    async with visiting(payers(tmp_path)) as client:
        ids = [(await launched(client)).json()["id"] for _ in range(5)]
        page = (await client.get(V1, params={"limit": 2})).json()
        await launched(client)  # after the first page was read
        while True:
            seen += [thread["id"] for thread in page["data"]]
            if page["next_cursor"] is None:
                break
            more = {"limit": 2, "cursor": page["next_cursor"]}
            page = (await client.get(V1, params=more)).json()

    assert seen == ids[::-1]


async def test_pages_of_events_follow_each_other_without_gap_or_repeat(tmp_path: Path):
    app, seen = payers(tmp_path), []
    async with visiting(app) as client:
        thread = (await launched(client)).json()
        await settle(app)
        url = f"{V1}/{thread['id']}/events"
        page = (await client.get(url, params={"limit": 1})).json()
        while True:
            seen += [event["seq"] for event in page["data"]]
            if page["next_cursor"] is None:
                break
            more = {"limit": 1, "cursor": page["next_cursor"]}
            page = (await client.get(url, params=more)).json()
        rest = (await client.get(url, params={"after": 2})).json()["data"]

    assert seen == list(range(1, app.thread(thread["id"]).head + 1))
    assert [event["seq"] for event in rest] == seen[2:]
    assert rest[0]["type"] == "contact_requested"


@pytest.mark.parametrize(
    ("verbs", "statuses"),
    [
        (("pause", "pause", "resume", "resume"), (200, 409, 200, 409)),
        (("cancel", "cancel", "messages"), (200, 409, 409)),
        (("retry",), (409,)),
    ],
)
async def test_a_verb_that_changes_nothing_says_so(
    verbs: tuple[str, ...], statuses: tuple[int, ...], tmp_path: Path
):
    async with visiting(payers(tmp_path)) as client:
        url = (await launched(client)).headers["location"]
        body = {"text": "hello"}
        answers = [
            await client.post(f"{url}/{verb}", json=body if verb == "messages" else None)
            for verb in verbs
        ]

    assert tuple(answer.status_code for answer in answers) == statuses
    for answer in answers:
        assert answer.status_code == 200 or "Nothing was done" in answer.json()["detail"]


async def test_a_verb_for_an_older_head_is_refused_and_appends_nothing(tmp_path: Path):
    app = payers(tmp_path)
    async with visiting(app) as client:
        url = (await launched(client)).headers["location"]
        first = await client.post(
            f"{url}/messages", json={"text": "a"}, headers={"If-Match": '"1"'}
        )
        late = await client.post(f"{url}/pause", headers={"If-Match": '"1"'})

    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    assert late.status_code == 412
    assert late.json()["type"].endswith("/moved")
    assert app.threads()[0].head == 2


async def test_a_verb_is_refused_when_the_thread_moves_while_it_is_judged(tmp_path: Path):
    app = payers(tmp_path)
    thread = await app.launch("crew", "go")

    async def meddle() -> None:
        await plain.send(thread, "in between")

    plain = payers(tmp_path)
    app.use_store(Meddled(app.store, "paused", meddle))  # pyright: ignore
    async with visiting(app) as client:
        late = await client.post(f"{V1}/{thread}/pause", headers={"If-Match": '"1"'})

    assert late.status_code == 412
    assert [event.type for event in app.thread(thread).events] == ["message_received"] * 2


async def test_a_fork_is_a_thread_of_its_own_with_the_changed_message(tmp_path: Path):
    app = payers(tmp_path)
    async with visiting(app) as client:
        url = (await launched(client, "pay ben")).headers["location"]
        changed = {"from": "anna", "text": "pay anna"}
        forked = await client.post(f"{url}/fork", json={"at_seq": 1, "edits": {"1": changed}})
        wrong = await client.post(f"{url}/fork", json={"at_seq": 9})

    new = forked.json()["id"]
    assert (forked.status_code, forked.headers["location"]) == (201, f"{V1}/{new}")
    assert app.thread(new).events[0].data == changed
    assert wrong.status_code in (409, 422)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", V1, {"agent": "crew"}, 422, "body.input"),
        ("POST", V1, {"agent": "crew", "input": "go", "urgent": True}, 422, "body.urgent"),
        ("POST", V1, {"agent": "crew", "input": "go", "id": "a.b"}, 422, "body.id"),
        ("POST", V1 + "?wait_s=31", {"agent": "crew", "input": "go"}, 422, "query.wait_s"),
        ("GET", V1 + "?limit=0", None, 422, "query.limit"),
        ("GET", V1 + "?colour=red", None, 422, "query.colour"),
        ("GET", V1 + "/t?colour=red", None, 422, "query.colour"),
        ("POST", V1 + "/t/pause?colour=red", None, 422, "query.colour"),
        ("GET", V1 + "?cursor=nonsense", None, 422, "query.cursor"),
        ("GET", V1 + "?cursor=WyJubyJd", None, 422, "query.cursor"),
    ],
)
async def test_what_is_not_described_is_refused_by_field(
    method: str, path: str, body: object, status: int, field: str, tmp_path: Path
):
    app = payers(tmp_path)
    async with visiting(app) as client:
        answer = await client.request(method, path, json=body)

    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert field in answer.json()["errors"]
    assert app.threads() == []


@pytest.mark.parametrize(
    ("content", "type", "status"),
    [
        (b'{"agent": "crew", "input": "go"}', "text/plain", 415),
        (b'{"agent": "crew", "input": "go"}', None, 415),
        (b"{agent: crew}", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"agent": "crew", "input": "' + b"x" * 1_000_001 + b'"}', "application/json", 413),
        (b'{"agent": "nobody", "input": "go"}', "application/json", 404),
        (b'{"agent": "crew", "input": "\\ud800"}', "application/json", 422),
        (b'{"agent": "crew", "input": "go", "\\ud800": 1}', "application/json", 422),
    ],
)
async def test_a_body_that_cannot_be_taken_is_a_problem(
    content: bytes, type: str | None, status: int, tmp_path: Path
):
    app = payers(tmp_path)
    async with visiting(app) as client:
        headers = {} if type is None else {"Content-Type": type}
        answer = await client.post(V1, content=content, headers=headers)

    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.json()["detail"]
    assert app.threads() == []


async def test_a_body_without_a_length_is_counted_as_it_comes(tmp_path: Path):
    async def endless():
        for _ in range(2_000):
            yield b" " * 1_000

    async with visiting(payers(tmp_path), body_bytes_max=100_000) as client:
        headers = {"Content-Type": "application/json"}
        answer = await client.post(V1, content=endless(), headers=headers)

    assert answer.status_code == 413
    assert "body_bytes_max = 100000" in answer.json()["detail"]


async def test_another_tenants_thread_is_as_unknown_as_one_that_never_was(tmp_path: Path):
    async with visiting(payers(tmp_path)) as client:
        url = (await launched(client)).headers["location"]
        foreign = await client.get(url, headers=as_("stranger"))
        missing = await client.get(f"{V1}/nothing", headers=as_("stranger"))
        listed = await client.get(V1, headers=as_("stranger"))

    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["type"] == missing.json()["type"]
    assert listed.json() == {"data": [], "next_cursor": None}


@pytest.mark.parametrize(("who", "status"), [("nobody", 401), ("reader", 403), ("robot", 201)])
async def test_who_may_not_launch_launches_nothing(who: str, status: int, tmp_path: Path):
    app = payers(tmp_path)
    async with visiting(app, who=who) as client:
        answer = await client.post(V1, json={"agent": "crew", "input": "go"})

    assert answer.status_code == status
    assert len(app.threads()) == (status == 201)


async def test_what_came_in_as_a_lone_surrogate_comes_out_as_one(tmp_path: Path):
    app = app_of(chat(lambda _: None), SqliteStore(tmp_path / "api.db"), Look(), Done())
    thread = await app.launch("crew", "go")
    await app.signal(thread, "odd", {"name": "\ud800"})
    async with visiting(app) as client:
        answer = await client.get(f"{V1}/{thread}/events")

    assert answer.json()["data"][1]["data"]["data"] == {"name": "\ud800"}
