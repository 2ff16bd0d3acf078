"""Alone, mounted and included: the same routes, and refusals that say what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crew import Done, app_of, chat, ran_by
from twelvefold.app import App
from twelvefold.exceptions import StoreUnavailable
from twelvefold.server import create_app, lifespan, router
from twelvefold.stores.sqlite import SqliteStore


def alone(app: App) -> TestClient:
    return TestClient(create_app(app), base_url="http://localhost", client=("127.0.0.1", 1))


def mounted(app: App) -> TestClient:
    theirs = FastAPI()
    theirs.mount("/agents", create_app(app))
    return TestClient(theirs, base_url="http://localhost/agents", client=("127.0.0.1", 1))


def included(app: App) -> TestClient:
    theirs = FastAPI()
    theirs.include_router(router(app, prefix="/agents"))
    return TestClient(theirs, base_url="http://localhost/agents", client=("127.0.0.1", 1))


@pytest.mark.parametrize("serve", [alone, mounted, included])
def test_it_is_ready_wherever_it_is_put(serve: Callable[[App], TestClient], tmp_path: Path):
    with serve(App([], store=tmp_path / "x.db")) as client:
        answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_an_unknown_path_is_a_problem_that_says_what_to_do(tmp_path: Path):
    with alone(App([], store=tmp_path / "x.db")) as client:
        answer = client.get("/v1/nothing")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "/openapi.json lists the paths" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("serve", "prefix"), [(alone, ""), (mounted, "/agents"), (included, "/agents")]
)
def test_what_it_makes_says_where_it_is_wherever_it_is_put(
    serve: Callable[[App], TestClient], prefix: str, tmp_path: Path
):
    app = app_of(chat(ran_by(str)), SqliteStore(tmp_path / "x.db"))
    with serve(app) as client:
        answer = client.post("v1/threads", json={"agent": "crew", "input": "go"})
        there = client.get(f"http://localhost{answer.headers['location']}")

    thread = answer.json()
    assert answer.headers["location"] == f"{prefix}/v1/threads/{thread['id']}"
    assert there.json() == thread


@pytest.mark.parametrize("serve", [alone, mounted, included])
@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "v1/threads/none", "", 404),
        ("PUT", "v1/threads", "", 405),
        ("POST", "v1/threads", "{", 400),
        ("POST", "v1/threads", "[]", 422),
        ("POST", "v1/threads", " " * 1_000_001, 413),
    ],
)
def test_a_refusal_is_a_problem_in_anybodys_application(
    serve: Callable[[App], TestClient],
    method: str,
    path: str,
    content: str,
    status: int,
    tmp_path: Path,
):
    app = app_of(chat(ran_by(str)), SqliteStore(tmp_path / "x.db"))
    with serve(app) as client:
        headers = {"Content-Type": "application/json"}
        answer = client.request(method, path, content=content, headers=headers)

    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"


def test_two_applications_in_one_keep_their_threads_apart(tmp_path: Path):
    theirs = FastAPI()
    for name in ("one", "two"):
        app = app_of(chat(ran_by(str)), SqliteStore(tmp_path / f"{name}.db"))
        theirs.include_router(router(app, prefix=f"/{name}", inbox=False))
    with TestClient(theirs, base_url="http://localhost", client=("127.0.0.1", 1)) as client:
        client.post("/one/v1/threads", json={"agent": "crew", "input": "go"})
        found = [client.get(f"/{name}/v1/threads").json()["data"] for name in ("one", "two")]
        described = client.get("/openapi.json").json()["paths"]

    assert list(map(len, found)) == [1, 0]
    assert {"/one/v1/threads", "/two/v1/threads"} <= set(described)


def inside(app: App) -> FastAPI:
    theirs = FastAPI(lifespan=lifespan(app))
    theirs.mount("/agents", create_app(app))
    return theirs


@pytest.mark.parametrize(
    ("build", "path"),
    [(lambda app: create_app(app, runner=True), ""), (inside, "/agents")],
    ids=["alone", "mounted"],
)
def test_with_the_runner_inside_threads_are_advanced(
    build: Callable[[App], FastAPI], path: str, tmp_path: Path
):
    app = app_of(chat(ran_by(str)), SqliteStore(tmp_path / "x.db"), Done())
    local = {"base_url": "http://localhost", "client": ("127.0.0.1", 1)}
    with TestClient(build(app), **local) as client:
        body = {"agent": "crew", "input": "go"}
        answer = client.post(f"{path}/v1/threads?wait_s=30", json=body)

    assert answer.json()["status"] == "finished"


def test_an_engine_that_ends_is_said_and_requests_are_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    app = app_of(chat(ran_by(str)), Broken(SqliteStore(tmp_path / "x.db")))
    local = {"base_url": "http://localhost", "client": ("127.0.0.1", 1)}
    with TestClient(create_app(app, runner=True), **local) as client:
        assert client.get("/livez").status_code == 200
        ready = client.get("/readyz")

    assert (ready.status_code, ready.json()["retryable"]) == (503, True)
    assert "no thread is advanced here any more: the disk is gone" in caplog.text


class Broken:
    """A store that answers no more."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def runner_lock(self) -> Any:
        raise StoreUnavailable("the disk is gone")

    def has_keys(self) -> bool:
        raise StoreUnavailable("the disk is gone")
