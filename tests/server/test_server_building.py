"""Alone, mounted and included: the same routes, and refusals that say what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from twelvefold.app import App
from twelvefold.server import create_app, router


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
