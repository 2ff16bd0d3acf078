"""Secrets by reference: the log, the model and the approvers see names, the tool sees values."""

import json
import logging
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import pytest
from pydantic import ValidationError

from crew import PATIENCE_S, STORES, app_of, settle, store_of
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.call import Call
from twelvefold.context import render
from twelvefold.effects import Approve, Choose, Finish, Wait, run
from twelvefold.exceptions import ConfigurationError, NothingHappened
from twelvefold.policy import Risk
from twelvefold.secrets import SECRET_NAME_CHARS_MAX, SecretRef, look_up
from twelvefold.steps import Step, args_of, read_step
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.tools import parse, schema_of

pytestmark = pytest.mark.anyio

CANARY = 'canary "7f3a"\n+/=line two'
SECRETS = {"github": CANARY}


class Push(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["push"] = "push"
    token: SecretRef


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


def pushing(tool: Any, **options: Any) -> Agent:
    def decide(_: Any, state: Any) -> Any:
        if state.ready:
            chosen = state.ready[0]
            approved = chosen.approved
            return (
                run(tool, chosen.step, **options) if approved else Approve(chosen.step, by="anna")
            )
        if state.waiting or state.finished:
            return Wait()
        return Finish("done") if state.last(Push) else Choose(Push(token=SecretRef("github")))

    return Agent("crew", decide, Push, owner="olga")


async def pushed(store: Any, tool: Any, *, secrets: Any = SECRETS, **options: Any) -> App:
    app = app_of(pushing(tool, **options), store, secrets=secrets)
    await app.launch("crew", "go", thread_id="t", tenant="acme")
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna", tenant="acme")
    await settle(app)
    return app


def outcomes(app: App) -> list[dict[str, Any]]:
    thread = app.thread("t", tenant="acme")
    return [e.data for e in thread.events if e.type.startswith("tool_") and e.key is not None]


# In a step


def test_a_step_holds_the_name_and_nothing_else():
    step = Push(token=SecretRef("github"))

    assert args_of(step) == {"token": "github"}
    assert read_step(Push, {"token": "github"}) == step
    assert parse('{"intent": "push", "token": "github"}', Push).step == step
    assert '"type":"string"' in schema_of(Push)


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * (SECRET_NAME_CHARS_MAX + 1), "a\n"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ConfigurationError, match="secret's name"):
        SecretRef(name)
    with pytest.raises(ValidationError):
        Push.model_validate({"token": name})


async def test_approvers_and_models_see_the_name(store):
    app = app_of(pushing(lambda _: None), store, secrets=SECRETS)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert app.inbox()[0].data["args"] == {"token": "github"}
    assert "token: github" in render(app.thread("t"))


# Resolved


@pytest.mark.parametrize("by_name", [True, False])
async def test_a_tool_gets_the_value_by_reference_or_by_name(store, by_name):
    got = []

    def push(step: Push, call: Call[None]) -> None:
        got.append(call.secret("github" if by_name else step.token))

    await pushed(store, push)

    assert got == [CANARY]


async def test_secrets_may_differ_by_tenant(store):
    asked, got = [], []

    def secrets(tenant: str, name: str) -> str:
        asked.append((tenant, name))
        return f"{tenant}-secret"

    await pushed(store, lambda s, call: got.append(call.secret(s.token)), secrets=secrets)

    assert (asked, got) == ([("acme", "github")], ["acme-secret"])


@pytest.mark.parametrize(
    ("secrets", "words"),
    [
        (None, "has no secrets="),
        ({}, "add it to App(secrets=...)"),
        ({"github": ""}, "add it to App(secrets=...)"),
        ({"github": 7}, "add it to App(secrets=...)"),
        (lambda tenant, name: {}[name], "add it to App(secrets=...)"),
        (lambda tenant, name: None, "add it to App(secrets=...)"),
        (lambda tenant, name: 1 / 0, "could not look up 'github': ZeroDivisionError"),
    ],
)
async def test_a_missing_secret_is_a_certain_failure_even_of_a_risky_tool(store, secrets, words):
    app = await pushed(store, lambda s, call: call.secret(s.token), secrets=secrets)

    [failed] = outcomes(app)
    assert failed["error"].startswith("NothingHappened")
    assert words in failed["error"]


@pytest.mark.parametrize("ref", [None, "no name!", 7])
def test_what_names_no_secret_is_a_certain_failure(ref):
    with pytest.raises(NothingHappened, match="SecretRef or a name"):
        look_up(SECRETS, ref, tenant="acme")


def test_secrets_of_another_kind_are_refused_by_the_app():
    with pytest.raises(ConfigurationError, match="not list"):
        App([], secrets=["github"])  # pyright: ignore


# The canary


def in_its_text(value: str) -> Any:
    return f"Authorization: {value}!"


def as_a_key(value: str) -> Any:
    return {value: [value, {"deep": value}], "n": 1}


def as_json(value: str) -> Any:
    return json.dumps({"header": value})


def in_a_url(value: str) -> Any:
    return f"https://example.org/?token={quote(value, safe='')}"


def unstorable(value: str) -> Any:
    class Opaque:
        def __repr__(self) -> str:
            return f"<Opaque {value}>"

    return Opaque()


def large(value: str) -> Any:
    return [f"{value}{n}" for n in range(60_000)]


def raised(value: str) -> Any:
    raise ValueError(f"401 for {value}")


def raised_as_a_key(value: str) -> Any:
    return {}[value]


def chained(value: str) -> Any:
    try:
        raise ConnectionError(value)
    except ConnectionError as error:
        raise NothingHappened(f"refused: {error}") from error


LEAKS = [
    in_its_text, as_a_key, as_json, in_a_url, unstorable, large, raised, raised_as_a_key, chained,
]  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("sync", [True, False])
async def test_a_resolved_value_is_nowhere_in_the_store_or_the_logs(tmp_path, caplog, leak, sync):
    store = SqliteStore(tmp_path / "agents.db")

    def push(step: Push, call: Call[None]) -> Any:
        value = call.secret(step.token)
        call.attach(f"key={value}".encode(), "text/plain")
        return leak(value)

    async def push_async(step: Push, call: Call[None]) -> Any:
        return push(step, call)

    with caplog.at_level(logging.DEBUG):
        app = await pushed(store, push if sync else push_async)
    said = render(app.thread("t", tenant="acme"))
    store.close()

    canaries = [CANARY, "7f3a", "line two", "line%20two", "7f3a%22"]
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [c for c in canaries if c.encode() in kept] == []
    assert [c for c in canaries if c in said or c in caplog.text] == []
    assert b"[secret github]" in kept


async def test_a_late_outcome_keeps_the_secret_too(tmp_path):
    import threading

    store = SqliteStore(tmp_path / "agents.db")
    let_go = threading.Event()

    def push(step: Push, call: Call[None]) -> str:
        value = call.secret(step.token)
        let_go.wait(PATIENCE_S)
        return value

    app = await pushed(store, push, timeout_s=0.02)
    let_go.set()
    for thread in threading.enumerate():
        if thread.name == "twelvefold-push-s1":
            thread.join(PATIENCE_S)

    late = app.thread("t", tenant="acme").events[-1]
    assert (late.type, late.data["result"]) == ("tool_returned", "[secret github]")
    store.close()


async def test_what_holds_no_secret_is_left_as_it_is(store):
    def push(step: Push, call: Call[None]) -> Any:
        call.secret(step.token)
        return {"n": [1, None, 2.5, True], "text": "nothing here"}

    app = await pushed(store, push)

    [returned] = outcomes(app)
    assert returned["result"] == {"n": [1, None, 2.5, True], "text": "nothing here"}
