"""What the client sends, what it sends again, and what it makes of the answers."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from clients import KINDS, URL, client_of

from twelvefold import exceptions
from twelvefold.client import Retries
from twelvefold.client.problems import KINDS as PROBLEMS
from twelvefold.client.problems import error_of
from twelvefold.client.retrying import told_s
from twelvefold.exceptions import (
    AlreadyDecided,
    ConfigurationError,
    Conflict,
    Expired,
    InFlight,
    InvalidAnswer,
    NotSignedIn,
    StoreUnavailable,
    TooManyRequests,
    UnknownContact,
    UnknownThread,
    Unreachable,
)
from twelvefold.server.problems import STATUSES

THREAD = {"id": "t1", "agent": "bot", "status": "running", "head": 1, "from_the_future": [1]}
CONTACT = {
    "id": "t1.s1.1",
    "thread": "t1",
    "agent": "bot",
    "status": "open",
    "kind": "approval",
    "digest": "d1",
}

Answers = Callable[[httpx.Request], httpx.Response | Exception]


class Server:
    """Gives one answer after the other, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, type):
            raise answer("cut")
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("idempotency-key") for request in self.asked]


def problem(status: int, type: str, *, headers: Any = None, **more: Any) -> httpx.Response:
    body = {"type": f"https://x/problems/{type}", "title": "", "status": status, "detail": "why"}
    return httpx.Response(status, json=body | more, headers=headers)


def ok(body: Any = THREAD) -> httpx.Response:
    return httpx.Response(200, json=body)


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest):
    """Makes clients of one kind."""
    clients: list[Any] = []

    def make(answer: Any, **options: Any) -> Any:
        clients.append(client_of(request.param, answer=answer, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


# What is sent


VERBS: list[tuple[Callable[[Any], Any], str, str, Any]] = [
    (lambda c: c.launch("bot", "go"), "POST", "/v1/threads", {"agent": "bot", "input": "go"}),
    (
        lambda c: c.launch("bot", "go", id="t1", metadata={"order": 7}, on_conflict="send"),
        *("POST", "/v1/threads"),
        {
            **{"agent": "bot", "input": "go", "id": "t1"},
            **{"metadata": {"order": 7}, "on_conflict": "send"},
        },
    ),
    (
        lambda c: c.launch("bot", "go", id="t1", wait_s=2),
        "POST",
        "/v1/threads?wait_s=2",
        {"agent": "bot", "input": "go", "id": "t1"},
    ),
    (lambda c: c.thread("t1"), "GET", "/v1/threads/t1", None),
    (lambda c: c.send("t1", "hi"), "POST", "/v1/threads/t1/messages", {"text": "hi"}),
    (lambda c: c.signal("t1", "a/b", [1]), "POST", "/v1/threads/t1/signals/a%2Fb", {"data": [1]}),
    (lambda c: c.pause("t1"), "POST", "/v1/threads/t1/pause", {}),
    (lambda c: c.resume("t1"), "POST", "/v1/threads/t1/resume", {}),
    (lambda c: c.retry("t1"), "POST", "/v1/threads/t1/retry", {}),
    (lambda c: c.cancel("t1", reason="x"), "POST", "/v1/threads/t1/cancel", {"reason": "x"}),
    (lambda c: c.fork("t1"), "POST", "/v1/threads/t1/fork", {}),
    (
        lambda c: c.fork("t1", 7, edits={2: {"text": "b"}}),
        "POST",
        "/v1/threads/t1/fork",
        {"at_seq": 7, "edits": {"2": {"text": "b"}}},
    ),
    (lambda c: c.thread("a/../b?c"), "GET", "/v1/threads/a%2F..%2Fb%3Fc", None),
]
ANSWERS: list[tuple[dict[str, Any], Any]] = [
    ({"decision": "approve", "digest": "d9"}, {"decision": "approve", "digest": "d9"}),
    ({"decision": "deny", "comment": "no"}, {"decision": "deny", "comment": "no"}),
    ({"decision": "edit", "changes": {"a": 1}}, {"decision": "edit", "edits": {"a": 1}}),
    ({"decision": "answer", "value": None}, {"answer": None}),
    ({"decision": "answer", "value": ["x"]}, {"answer": ["x"]}),
    ({"decision": "choose", "value": "later"}, {"choice": "later"}),
    ({"decision": "it_ran", "value": "ok"}, {"decision": "it_ran", "answer": "ok"}),
]


@pytest.mark.parametrize(("verb", "method", "path", "body"), VERBS)
def test_a_verb_is_one_request(made, verb, method, path, body):
    server = Server(ok())

    thread = verb(made(server))

    [request] = server.asked
    assert (request.method, str(request.url)) == (method, URL + path)
    assert (json.loads(request.content) if request.content else None) == body
    assert (thread.id, thread.status, thread.head) == ("t1", "running", 1)


@pytest.mark.parametrize(("given", "body"), ANSWERS)
def test_an_answer_is_one_request(made, given, body):
    server = Server(ok(CONTACT))

    contact = made(server).answer("t1.s1.1", **given)

    assert str(server.asked[0].url) == URL + "/v1/contacts/t1.s1.1/answer"
    assert json.loads(server.asked[0].content) == body
    assert contact.digest == "d1"


def test_a_contact_that_was_read_brings_the_digest_of_what_was_seen(made):
    server = Server(ok(CONTACT))
    client = made(server)

    client.answer(client.contact("t1.s1.1"), "approve")

    assert json.loads(server.asked[1].content) == {"decision": "approve", "digest": "d1"}


def test_the_key_and_the_place_of_the_server_are_on_every_request(made):
    server = Server(ok())
    client = made(server, url=URL + "/agents/", api_key="k.secret", headers={"X-Tenant": "acme"})

    client.thread("t1")

    request = server.asked[0]
    assert str(request.url) == URL + "/agents/v1/threads/t1"
    assert request.headers["authorization"] == "Bearer k.secret"
    assert request.headers["x-tenant"] == "acme"
    assert request.headers["user-agent"].startswith("twelvefold/")


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://x", "http://", "http://x?y=1"])
def test_a_url_that_is_none_is_refused_at_once(url: str):
    with pytest.raises(ConfigurationError, match=r"URL|place"):
        client_of("sync", url)


# What is sent again


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
        problem(429, "too-many-requests", headers={"Retry-After": "0"}),
        problem(503, "store-unavailable", retryable=True),
        problem(409, "in-flight", retryable=True),
        problem(507, "store-full", retryable=True),
        httpx.Response(502, text="<html>bad gateway</html>"),
    ],
)
def test_what_may_pass_is_asked_again_with_the_same_key(made, trouble):
    server = Server(trouble, trouble, ok())

    made(server).send("t1", "hi")

    assert len(server.asked) == 3
    assert len(set(server.keys)) == 1
    assert len(server.keys[0] or "") == 32


def test_each_call_has_a_key_of_its_own_unless_it_is_given_one(made):
    server = Server(ok())
    client = made(server)

    for _ in range(2):
        client.send("t1", "hi")
    client.send("t1", "hi", key="delivery-7")
    client.thread("t1")

    assert len(set(server.keys[:2])) == 2
    assert server.keys[2:] == ["delivery-7", None]


def test_it_gives_up_after_all_its_tries(made):
    server = Server(httpx.ConnectError)

    with pytest.raises(Unreachable, match="GET /v1/threads/t1: cut"):
        made(server, retries=Retries(tries_max=3, wait_first_s=0)).thread("t1")

    assert len(server.asked) == 3


def test_the_last_refusal_is_the_one_that_is_raised(made):
    server = Server(problem(503, "store-unavailable", retryable=True))

    with pytest.raises(StoreUnavailable, match="why"):
        made(server).thread("t1")

    assert len(server.asked) == 8


def test_who_is_to_come_back_much_later_is_told_so_at_once(made):
    server = Server(problem(429, "too-many-requests", headers={"Retry-After": "3600"}))

    with pytest.raises(TooManyRequests) as raised:
        made(server).thread("t1")

    assert (len(server.asked), raised.value.retry_after_s) == (1, 3600)


def test_pauses_double_up_to_a_limit_and_heed_the_server():
    patient = Retries(tries_max=8, wait_first_s=1, wait_max_s=10)

    def pauses(**how: Any) -> list[float | None]:
        return [patient.pause_s(n, of=8, **how) for n in range(1, 9)]

    assert pauses() == [1, 2, 4, 8, 10, 10, 10, None]
    assert pauses(chance=0.0) == [0.5, 1, 2, 4, 5, 5, 5, None]
    assert pauses(told_s=3)[:4] == [3, 3, 4, 8]
    assert pauses(told_s=11) == [None] * 8


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("", None), ("soon", None), ("-1", None), ("inf", None)],
)
def test_what_retry_after_says(header: str, seconds: float | None):
    assert told_s({"retry-after": header}) == seconds
    assert told_s({}) is None


# What comes back


@pytest.mark.parametrize("kind", sorted(set(PROBLEMS) - {"not-found"}))
def test_a_problem_is_the_exception_that_app_raises(made, kind: str):
    with pytest.raises(PROBLEMS[kind], match="why") as raised:
        made(Server(problem(400, kind))).thread("t1")

    assert type(raised.value) is PROBLEMS[kind]


OF_THE_SERVER = ("store-error", "configuration", "error")
"""What is wrong there, and for nobody here to mend."""


@pytest.mark.parametrize(
    ("cls", "kind"), [(cls, kind) for cls, _, kind, _ in STATUSES if kind not in OF_THE_SERVER]
)
def test_every_problem_of_the_server_has_its_exception_here(cls: type[Exception], kind: str):
    assert type(error_of(400, problem(400, kind).content)) is cls


def test_what_is_not_there_says_what_it_was(made):
    client = made(Server(problem(404, "not-found")))

    for verb in (client.thread, client.pause, client.verify, client.fork):
        with pytest.raises(UnknownThread):
            verb("t9")
    with pytest.raises(UnknownThread):
        list(client.events("t9"))
    with pytest.raises(UnknownThread):
        list(client.follow("t9"))
    with pytest.raises(UnknownContact):
        client.answer("t9.s1.1", "approve")


def test_a_refused_answer_says_what_is_wrong_by_field(made):
    refused = problem(422, "invalid-answer", errors={"comment": "is missing"})

    with pytest.raises(InvalidAnswer) as raised:
        made(Server(refused)).answer("t1.s1.1", "deny")

    assert raised.value.errors == {"comment": "is missing"}


@pytest.mark.parametrize(
    ("kind", "cls"), [("already-decided", AlreadyDecided), ("expired", Expired)]
)
def test_who_comes_too_late_is_told_who_when_and_where(made, kind: str, cls: type[Any]):
    decided = {"outcome": "approved", "by": "ben", "at": "2026-11-20T09:00:00Z", "channel": None}

    with pytest.raises(Conflict) as raised:
        made(Server(problem(409, kind, decided=decided))).answer("t1.s1.1", "approve")

    error: Any = raised.value
    assert type(error) is cls
    assert (error.outcome, error.by, error.at, error.channel) == (
        "approved",
        "ben",
        "2026-11-20T09:00:00Z",
        "",
    )


def test_a_refusal_that_cannot_pass_is_not_asked_again(made):
    server = Server(problem(401, "not-signed-in"))

    with pytest.raises(NotSignedIn):
        made(server).send("t1", "hi")

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"id": "t1"}),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(404, text="not here"),
        httpx.Response(307, headers={"Location": "http://elsewhere"}),
        httpx.Response(500, json=["no problem"]),
    ],
)
def test_an_answer_of_another_server_is_not_taken_for_one_of_ours(made, answer):
    server = Server(answer)

    with pytest.raises(Unreachable):
        made(server).thread("t1")

    assert len(server.asked) == 1


# Pages


def test_pages_are_fetched_as_they_are_needed(made):
    def page(*ids: str, cursor: str | None) -> httpx.Response:
        return ok({"data": [THREAD | {"id": id} for id in ids], "next_cursor": cursor})

    server = Server(page("t3", "t2", cursor="c/1"), page("t1", cursor=None))
    found = made(server).threads(status="running", agent="bot", limit=2)

    assert [next(found).id, next(found).id] == ["t3", "t2"]
    assert len(server.asked) == 1
    assert [thread.id for thread in found] == ["t1"]
    assert [dict(request.url.params) for request in server.asked] == [
        {"status": "running", "agent": "bot", "limit": "2"},
        {"status": "running", "agent": "bot", "limit": "2", "cursor": "c/1"},
    ]


def test_events_are_events(made):
    event = {"seq": 8, "type": "noted", "at": "2026-11-20T09:55:33.123456Z", "key": None}
    rest = {"after": 6, "v": 1, "data": {"a": [None]}}
    server = Server(
        ok({"data": [event | rest], "next_cursor": "c"}), ok({"data": [], "next_cursor": None})
    )

    [found] = made(server).events("t1", after=7)

    assert (found.seq, found.after, found.data) == (8, 6, {"a": [None]})
    assert found.at.isoformat() == "2026-11-20T09:55:33.123456+00:00"
    assert "after" not in server.asked[1].url.params


def test_the_exceptions_of_the_client_are_those_of_the_library():
    assert all(hasattr(exceptions, cls.__name__) for cls in PROBLEMS.values())
    assert PROBLEMS["in-flight"] is InFlight
