"""The event stream: everything once, in order, over drops, slow readers and stops of the server."""

import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from streaming import PATIENCE_S, Served, messages, serve, streamed

from twelvefold.app import App
from twelvefold.loop import utc_now
from twelvefold.store import Append, Create, EmbeddedStore
from twelvefold.stores import open_store
from twelvefold.thread import Draft, Event, to_iso
from twelvefold.watching import PAGE_EVENTS

EVENTS = "/v1/threads/t1/events"
DROPS = 120
"""In each store."""
READERS = 50
APPENDS = """
import sys
from twelvefold.stores import open_store
from twelvefold.store import Append
from twelvefold.thread import Draft, from_iso
store = open_store(sys.argv[1])
for n in range(int(sys.argv[2])):
    store.commit_now(Append("t1", [Draft("noted", {"n": n}, from_iso(sys.argv[3]))]))
store.close()
"""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return str(tmp_path / "threads.db")


@pytest.fixture
def store(url: str) -> Iterator[EmbeddedStore]:
    """Of the process that appends; the server opens its own."""
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
def served(url: str, store: EmbeddedStore) -> Iterator[Served]:
    app = App([], store=open_store(url))
    with serve(app) as served:
        yield served
    app.close()


def begin(store: EmbeddedStore, id: str = "t1", *drafts: Draft, **options: Any) -> list[Event]:
    drafts = drafts or (noted(),)
    return store.commit_now(Append(id, drafts, create=Create("bot"), **options))[0]


def noted(type: str = "noted", **data: Any) -> Draft:
    return Draft(type, data, utc_now())


def append(store: EmbeddedStore, *drafts: Draft) -> None:
    store.commit_now(Append("t1", drafts))


def read(served: Served, count: int, *, path: str = EVENTS, **how: Any) -> list[Any]:
    with streamed(served.url, path, **how) as response:
        assert response.status_code == 200, response.read()
        return list(islice(messages(response), count))


def ids(found: list[Any]) -> list[int]:
    return [int(sent.id) for sent in found]


def refused(served: Served, path: str = EVENTS, **headers: str) -> tuple[int, str]:
    with streamed(served.url, path, **headers) as response:
        return response.status_code, response.read().decode()


# What a message is


def test_a_message_is_the_event_as_the_api_shows_it(served: Served, store: EmbeddedStore):
    [event] = begin(store, "t1", Draft("noted", {"b": 1, "a": [None]}, utc_now(), key="k"))

    [sent] = read(served, 1)

    assert httpx.get(served.url + EVENTS).json()["data"] == [sent.data]
    assert (sent.id, sent.event) == ("1", "noted")
    assert list(sent.data.items()) == [
        ("seq", 1),
        ("type", "noted"),
        ("at", to_iso(event.at)),
        ("key", "k"),
        ("after", None),
        ("v", 1),
        ("data", {"b": 1, "a": [None]}),
    ]


def test_no_text_ends_its_message_or_begins_another(served: Served, store: EmbeddedStore):
    odd = "one\r\n\r\ndata: two\n\nid: 99\u2028three\x85four\x0b\x1e\0five \udc80"
    begin(store, "t1", noted(text=odd), noted("odd\nid: 99\r\ndata: x"), noted(last=True))

    found = read(served, 3)

    assert ids(found) == [1, 2, 3]
    assert found[0].data["data"]["text"] == odd
    assert found[1].data["type"] == "odd\nid: 99\r\ndata: x"


def test_the_stream_says_how_to_come_back(served: Served, store: EmbeddedStore):
    begin(store)

    with streamed(served.url, EVENTS) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        assert next(response.iter_raw()).startswith(b"retry: 1000\n\n")


# From stored to live


def test_what_is_stored_comes_first_and_then_what_is_appended(served: Served, store: EmbeddedStore):
    begin(store, "t1", *(noted(n=n) for n in range(2 * PAGE_EVENTS + 1)))
    head = 2 * PAGE_EVENTS + 1

    with streamed(served.url, EVENTS) as response:
        found = messages(response)
        stored = list(islice(found, head))
        append(store, noted())
        append(store, noted("finished", saw=0, result=None), noted())
        live = list(islice(found, 3))
        append(store, noted("message_received", text="go on"))
        live.append(next(found))

    assert ids([*stored, *live]) == list(range(1, head + 5))


def test_the_last_event_id_wins_over_after(served: Served, store: EmbeddedStore):
    begin(store, "t1", *(noted(n=n) for n in range(6)))

    assert ids(read(served, 2, path=f"{EVENTS}?after=4")) == [5, 6]
    assert ids(read(served, 3, path=f"{EVENTS}?after=1", last_id=3)) == [4, 5, 6]


def test_nothing_is_lost_or_twice_over_drops_at_random_places(served: Served, store: EmbeddedStore):
    chance = random.Random(12)
    begin(store)
    stop, wrote = threading.Event(), [1]

    def write() -> None:
        while not stop.is_set():
            many = chance.randint(1, 4)
            append(store, *(noted(text="x" * chance.randint(0, 400)) for _ in range(many)))
            wrote[0] += many
            stop.wait(chance.random() / 100)

    seen: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        for _ in range(DROPS):
            seen += cut_off(served, seen[-1] if seen else 0, chance.randint(0, 6_000))
        stop.set()
        writing.result()
    while len(seen) < wrote[0]:
        seen += ids(read(served, wrote[0] - len(seen), last_id=seen[-1] if seen else None))

    assert seen == list(range(1, wrote[0] + 1))


def cut_off(served: Served, last_id: int, bytes_max: int) -> list[int]:
    """The ids of whole messages in the first bytes of a stream, which is then cut."""
    got = b""
    with streamed(served.url, EVENTS, last_id=last_id) as response:
        for piece in response.iter_raw():
            got += piece
            if len(got) >= bytes_max:
                break
    whole = got[:bytes_max].split(b"\n\n")[:-1]
    return [int(one.split(b"\n")[0][4:]) for one in whole if one.startswith(b"id: ")]


def test_many_read_at_once_and_each_has_all(served: Served, store: EmbeddedStore):
    begin(store, "t1", *(noted(n=n) for n in range(30)))
    joined = threading.Barrier(READERS + 1, timeout=PATIENCE_S)

    def follow(after: int) -> list[int]:
        with streamed(served.url, f"{EVENTS}?after={after}") as response:
            found = messages(response)
            first = list(islice(found, 30 - after))
            joined.wait()
            return ids([*first, *islice(found, 40)])

    with ThreadPoolExecutor(READERS) as pool:
        following = [pool.submit(follow, n % 30) for n in range(READERS)]
        joined.wait()
        for n in range(40):
            append(store, noted(n=n))
        found = [one.result(PATIENCE_S) for one in following]

    assert found == [list(range(n % 30 + 1, 71)) for n in range(READERS)]


def test_what_another_process_appends_is_seen(served: Served, store: EmbeddedStore, url: str):
    begin(store)

    with streamed(served.url, EVENTS) as response:
        found = messages(response)
        assert next(found).id == "1"
        subprocess.run(
            [sys.executable, "-c", APPENDS, url, "20", to_iso(utc_now())], check=True, timeout=60
        )
        assert ids(list(islice(found, 20))) == list(range(2, 22))


# Who is slow, and who is gone


def test_a_slow_reader_is_dropped_and_the_others_are_not(served: Served, store: EmbeddedStore):
    begin(store)
    with slow_stream(served) as stuck, streamed(served.url, EVENTS) as response:
        found = messages(response)
        next(found)
        total = 1
        while not served.feed.dropped:
            append(store, *(noted(text="x" * 20_000) for _ in range(20)))
            assert ids(list(islice(found, 20))) == list(range(total + 1, total + 21))
            total += 20
            assert total < 20_000, "a reader who takes nothing is never dropped"
        rest = whole_of(stuck)

    assert b"too slow" in rest
    assert rest.endswith(b"go on with Last-Event-ID\n\n\r\n0\r\n\r\n")
    seen = [int(line[4:]) for line in rest.split(b"\n") if line.startswith(b"id: ")]
    assert seen == list(range(1, len(seen) + 1))
    resumed = ids(read(served, total - len(seen), last_id=seen[-1]))
    assert resumed == list(range(len(seen) + 1, total + 1))


def slow_stream(served: Served) -> socket.socket:
    """A connection that asks for the stream, and takes little of it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", served.port))
    connection.settimeout(PATIENCE_S)
    lines = [f"GET {EVENTS} HTTP/1.1", "Host: localhost", "Accept: text/event-stream"]
    connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    return connection


def whole_of(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_nobody_is_left_when_all_have_gone(served: Served, store: EmbeddedStore):
    begin(store)
    read(served, 1)
    read(served, 1, path="/inbox/changes?about=contacts")

    served.until(lambda: served.feed.readers == 0)


# The server


def test_a_server_that_stops_says_so_and_the_next_one_goes_on(url: str, store: EmbeddedStore):
    begin(store, "t1", noted(), noted())
    said: list[str] = []

    with closing(App([], store=open_store(url))) as app, serve(app) as first:
        with streamed(first.url, EVENTS) as response:
            found = messages(response, said)
            assert ids(list(islice(found, 2))) == [1, 2]
            first.stop()
            assert list(found) == []
        append(store, noted())
    with closing(App([], store=open_store(url))) as app, serve(app, port=first.port) as second:
        assert ids(read(second, 1, last_id=2)) == [3]

    assert said == ["the server stops; go on with Last-Event-ID"]


# Who may read


@pytest.mark.parametrize(
    ("path", "headers", "status", "says"),
    [
        ("/v1/threads/t9/events", {}, 404, "t9"),
        (EVENTS, {"X_Tenant": "acme"}, 404, "t1"),
        (EVENTS, {"X_Scopes": "contacts:read"}, 403, "threads:read"),
        (EVENTS, {"X_Tenant": "nobody"}, 401, "not-signed-in"),
        (EVENTS, {"Last_Event_ID": "2"}, 409, "from its beginning"),
        (EVENTS, {"Last_Event_ID": "-1"}, 422, "Last-Event-ID"),
        (EVENTS, {"Last_Event_ID": "one"}, 422, "Last-Event-ID"),
        ("/inbox/changes", {}, 422, "about"),
        ("/inbox/changes?about=weather", {}, 404, "weather"),
        ("/inbox/changes?about=thread:t9", {}, 404, "t9"),
        ("/inbox/changes?about=thread:t1", {"X_Tenant": "acme"}, 404, "t1"),
        ("/inbox/changes?about=threads", {"X_Scopes": "contacts:read"}, 403, "threads:read"),
        ("/inbox/changes?about=contacts", {"X_Scopes": "threads:read"}, 403, "contacts:read"),
        ("/inbox/changes?about=thread:t1", {"X_Scopes": "threads:write"}, 403, "threads:read"),
    ],
)
def test_a_stream_is_refused_before_it_begins(
    served: Served, store: EmbeddedStore, path: str, headers: dict[str, str], status: int, says: str
):
    begin(store)

    found, text = refused(served, path, **headers)

    assert (found, says in text) == (status, True), text


# Pages


def test_a_page_is_told_the_state_at_once_and_then_each_change(
    served: Served, store: EmbeddedStore
):
    begin(store)
    path = "/inbox/changes?about=contacts&about=threads&about=thread:t1"
    with streamed(served.url, path) as response:
        found = messages(response)
        marks = {one.data["about"]: one.data["mark"] for one in islice(found, 3)}
        assert list(marks) == ["contacts", "threads", "thread:t1"]
        assert marks["thread:t1"] == "1"

        begin(store, "t7", noted(), tenant="acme")
        begin(store, "t2")
        assert (sent := next(found)).data["about"] == "threads"
        assert sent.data["mark"] != marks["threads"]

        asked = {"contact": "s1.1", "step": "s1", "deadline": None}
        append(store, noted("contact_requested", **asked))
        told = {one.data["about"]: one.data["mark"] for one in islice(found, 3)}
        assert told["thread:t1"] == "2"
        assert told["contacts"] != marks["contacts"]


@pytest.mark.parametrize("scope", ["threads:read", "contacts:read"])
def test_whoever_decides_or_reads_is_told_that_the_thread_grew(
    served: Served, store: EmbeddedStore, scope: str
):
    begin(store)

    [sent] = read(served, 1, path="/inbox/changes?about=thread:t1", X_Scopes=scope)

    assert sent.data == {"about": "thread:t1", "mark": "1"}


def test_a_page_that_opens_later_is_told_the_state_as_well(served: Served, store: EmbeddedStore):
    begin(store)
    path = "/inbox/changes?about=thread:t1"
    with streamed(served.url, path) as first:
        assert next(messages(first)).data["mark"] == "1"
        append(store, noted())
        with streamed(served.url, path) as second:
            found = messages(second)
            while next(found).data["mark"] != "2":
                continue
