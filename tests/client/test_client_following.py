"""Following a thread: over cuts, refusals and other people's servers, each event once."""

import json
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import pytest
from clients import KINDS, client_of

from twelvefold.client import Retries
from twelvefold.client.messages import MESSAGE_BYTES_MAX, Messages
from twelvefold.exceptions import NotPermitted, Unreachable

PATIENT = Retries(wait_first_s=0.0, reconnects_max=4)
STREAM = {"Content-Type": "text/event-stream; charset=utf-8"}


def message(seq: int, text: str = "") -> bytes:
    event = {"seq": seq, "type": "noted", "at": "2026-11-20T09:00:00Z", "data": {"text": text}}
    return f"id: {seq}\nevent: noted\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in these pieces, which is then cut, or ends."""

    def __init__(self, *pieces: bytes, cut: bool = False) -> None:
        self.pieces, self.cut = pieces, cut

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.cut:
            raise httpx.ReadError("cut")

    async def __aiter__(self) -> Any:
        for piece in self:
            yield piece


class Streams:
    """One answer per connection; what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.Response):
            return answer
        if isinstance(answer, type):
            raise answer("cut")
        return httpx.Response(200, headers=STREAM, stream=answer)

    @property
    def last_ids(self) -> list[str | None]:
        return [request.headers.get("last-event-id") for request in self.asked]


@pytest.fixture(params=KINDS)
def follow(request: pytest.FixtureRequest):
    clients: list[Any] = []

    def following(server: Streams, **how: Any) -> Iterator[Any]:
        clients.append(client_of(request.param, answer=server, retries=PATIENT))
        return clients[-1].follow("t1", **how)

    yield following
    for client in clients:
        client.close()


def seqs(found: Iterator[Any], count: int) -> list[int]:
    return [event.seq for event in islice(found, count)]


def test_a_stream_that_is_cut_goes_on_after_the_last_event(follow):
    server = Streams(
        Pieces(b"retry: 0\n\n", message(1), message(2)[:9], cut=True),
        httpx.ConnectError,
        Pieces(message(2), b": still here\n\n", message(3)),
        Pieces(message(4)),
    )

    assert seqs(follow(server), 4) == [1, 2, 3, 4]
    assert server.last_ids == [None, "1", "1", "3"]


@pytest.mark.parametrize("seed", range(5))
def test_no_event_is_lost_or_twice_wherever_it_is_cut(follow, seed: int):
    chance = random.Random(seed)
    total = 60

    class Cutting(Streams):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            last = int(request.headers.get("last-event-id", 0))
            rest = b"".join(message(n, "é\u2028\r" * (n % 3)) for n in range(last + 1, total + 1))
            whole = rest[: chance.randint(0, 900)]
            pieces = [whole[n : n + 7] for n in range(0, len(whole), 7)]
            return httpx.Response(
                200, headers=STREAM, stream=Pieces(b": hi\n\n", *pieces, cut=True)
            )

    server = Cutting(None)

    assert seqs(follow(server), total) == list(range(1, total + 1))
    assert len(server.asked) > 5


def test_it_begins_after_what_one_has(follow):
    server = Streams(Pieces(message(7), message(8), message(9)))

    assert seqs(follow(server, after=7), 2) == [8, 9]
    assert server.last_ids == ["7"]


def test_an_event_that_is_missing_is_not_passed_over(follow):
    with pytest.raises(Unreachable, match="Event 3 came after event 1"):
        seqs(follow(Streams(Pieces(message(1), message(3)))), 2)


def test_it_gives_up_when_nothing_comes(follow):
    server = Streams(httpx.ConnectError)

    with pytest.raises(Unreachable, match="cut"):
        seqs(follow(server), 1)

    assert len(server.asked) == 4


def test_what_comes_counts_and_the_tries_begin_anew(follow):
    dead = [httpx.ConnectError, httpx.ReadTimeout]
    alive = [Pieces(message(1), cut=True), *dead, Pieces(b": hi\n\n", cut=True), *dead]
    server = Streams(*dead, *alive, Pieces(message(2)))

    assert seqs(follow(server), 2) == [1, 2]


def test_a_refusal_is_raised_and_one_that_may_pass_is_waited_for(follow):
    type, detail = "https://x/problems/store-unavailable", "why"
    busy = httpx.Response(503, json={"type": type, "detail": detail, "retryable": True})
    server = Streams(busy, Pieces(message(1), cut=True), busy, Pieces(message(2)))
    assert seqs(follow(server), 2) == [1, 2]

    refused = httpx.Response(403, json={"type": "x/not-permitted", "detail": "no scope"})
    with pytest.raises(NotPermitted, match="no scope"):
        seqs(follow(Streams(refused)), 1)


def test_a_page_of_somebody_else_is_no_stream(follow):
    with pytest.raises(Unreachable):
        seqs(follow(Streams(httpx.Response(200, text="<html>hello</html>"))), 1)


# Messages


def test_messages_are_the_same_wherever_their_bytes_are_cut():
    text = ": hi\r\nid: 1\revent: a\ndata: x\r\n\r\ndata:y\ndata: z\nid\n\nevent: none\n\n"
    text += "retry: 7\nretry: x\n"
    content = text.encode()
    whole = Messages()
    expected = [("1", "a", "x"), ("", "message", "y\nz")]
    assert [tuple(one) for one in whole.of(content)] == expected
    assert whole.retry_ms == 7

    for at in range(len(content)):
        cut = Messages()
        found = [*cut.of(content[:at]), *cut.of(content[at:])]
        assert [tuple(one) for one in found] == expected, at


def test_a_line_without_an_end_is_no_message_of_ours():
    with pytest.raises(Unreachable):
        Messages().of(b"x" * (MESSAGE_BYTES_MAX + 1))
