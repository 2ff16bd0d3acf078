"""What becomes of a thread when a call fails: for every vendor, through its real SDK."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import ModuleType
from typing import Any

import pytest

from crew import PATIENCE_S, Done, Look, events, settle, state, status
from models import anthropic_replies, gemini_replies, openai_replies
from models.server import Vendor, failed, silent
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.context import render
from twelvefold.effects import AskModel, Choose, Finish, Wait, run
from twelvefold.exceptions import ConfigurationError
from twelvefold.limits import Limits
from twelvefold.messages import ModelRequest, message
from twelvefold.models.anthropic import AnthropicModel
from twelvefold.models.gemini import GeminiModel
from twelvefold.models.openai import OpenAIModel
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio

LOOK = '{"intent":"look","at":"tags"}'
DONE = '{"intent":"done_for_now","message":"ok"}'
REFUSED_SCHEMAS = {
    "openai": "Invalid schema for response_format 'next_step': 'oneOf' is not permitted.",
    "anthropic": "output_config.format.schema: Schema type 'x' is not supported",
    "gemini": "Invalid value at 'generation_config.response_json_schema'",
}


@dataclass(frozen=True)
class Kind:
    """One vendor: how its model is made, and its replies."""

    name: str
    make: Callable[..., Any]
    replies: ModuleType

    @property
    def key_name(self) -> str:
        return f"{self.name.upper()}_API_KEY"

    def model(self, vendor: Vendor, **how: Any) -> Any:
        return self.make("a-model", base_url=vendor.url, **how)


KINDS = [
    Kind("openai", OpenAIModel, openai_replies),
    Kind("anthropic", AnthropicModel, anthropic_replies),
    Kind("gemini", GeminiModel, gemini_replies),
]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


def decide(thread: Any, state: Any) -> Any:
    """Look until the model is done; give up at the first failure."""
    if state.failures_in_a_row:
        return Finish("gave up")
    for chosen in state.ready:
        return Finish("done", chosen.step) if chosen.intent != "look" else run(look, chosen.step)
    return Wait() if state.waiting or state.finished else AskModel(render(thread), Look | Done)


def look(_: Look) -> str:
    return "v1"


async def ran(model: Any, **agent: Any) -> App:
    app = App([Agent("crew", decide, Look | Done, owner="olga", **agent)], store=MemoryStore())
    app.models["default"] = model
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    return app


async def failure(model: Any) -> dict[str, Any]:
    [event] = events(await ran(model), "model_failed")
    return event.data


async def test_a_thread_runs_to_its_end(vendor: Vendor, kind: Kind):
    vendor.will(kind.replies.says(LOOK), kind.replies.says(DONE))
    app = await ran(kind.model(vendor))

    first, last = (event.data for event in events(app, "next_step_chosen"))
    assert (first["args"], last["intent"], status(app)) == (
        {"at": "tags"},
        "done_for_now",
        "finished",
    )
    assert first["usage"]["input"] == 100
    assert first["usage"]["output"] == 30
    assert "attempts" not in first


async def test_a_limit_of_requests_is_waited_for_and_recorded(vendor: Vendor, kind: Kind):
    vendor.will(failed(429, "slow down", retry_after="0.05"), kind.replies.says(DONE))
    [chosen] = events(await ran(kind.model(vendor)), "next_step_chosen")

    [attempt] = chosen.data["attempts"]
    assert (attempt["status"], attempt["waited_s"]) == (429, 0.05)
    assert attempt["error"].endswith("answered 429: slow down")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(429, "rate_limited"), (500, "unavailable"), (503, "unavailable"), (529, "unavailable")],
)
async def test_after_all_tries_the_failure_is_counted(
    vendor: Vendor, kind: Kind, status: int, reason: str
):
    vendor.will(failed(status, "not now", retry_after="0"))
    data = await failure(kind.model(vendor))

    assert (data["reason"], len(vendor.requests)) == (reason, 3)
    assert [attempt["status"] for attempt in data["attempts"]] == [status] * 3
    assert "not now" in data["error"]


async def test_a_quota_of_a_minute_is_no_lack_of_credit(vendor: Vendor, kind: Kind):
    said = "You exceeded your current quota, please check your plan and billing details."
    vendor.will(failed(429, said, retry_after="0"), kind.replies.says(DONE))

    assert status(await ran(kind.model(vendor))) == "finished"


async def test_a_pause_beyond_the_deadline_is_not_begun(vendor: Vendor, kind: Kind):
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    vendor.will(failed(429, "come back later", retry_after=later))
    data = await failure(kind.model(vendor, timeout_s=30))

    assert (data["reason"], len(vendor.requests)) == ("rate_limited", 1)


async def test_a_vendor_that_forbids_another_try_is_obeyed(vendor: Vendor, kind: Kind):
    vendor.will(failed(500, "no", x_should_retry="false"))
    await failure(kind.model(vendor))

    assert len(vendor.requests) == 1


async def test_a_reply_that_does_not_come_is_a_timeout(vendor: Vendor, kind: Kind):
    vendor.will(silent())
    data = await failure(kind.model(vendor, timeout_s=0.2))

    assert data["reason"] == "timeout"
    assert len(data["attempts"]) == 1


async def test_a_slow_try_may_be_given_up_for_another(vendor: Vendor, kind: Kind):
    vendor.will(silent(), kind.replies.says(DONE))
    [chosen] = events(await ran(kind.model(vendor, try_timeout_s=0.5)), "next_step_chosen")

    assert chosen.data["attempts"]
    assert len(vendor.requests) > 1


async def test_a_server_that_is_not_there_is_unavailable(vendor: Vendor, kind: Kind):
    model = kind.make("a-model", base_url="http://127.0.0.1:9", tries_max=1)
    data = await failure(model)

    assert data["reason"] == "unavailable"
    assert "cannot be reached" in data["error"]


async def test_a_bad_request_is_not_tried_again(vendor: Vendor, kind: Kind):
    vendor.will(failed(400, "temperature must be positive"))
    data = await failure(kind.model(vendor))

    assert (data["reason"], len(vendor.requests)) == ("bad_request", 1)


async def test_a_context_that_is_too_long_says_so(vendor: Vendor, kind: Kind):
    vendor.will(failed(400, "prompt is too long: 9 tokens exceeds the maximum number of tokens"))

    assert (await failure(kind.model(vendor)))["reason"] == "too_long"


async def test_a_truncated_reply_is_never_run(vendor: Vendor, kind: Kind):
    finish = {"openai": "length", "anthropic": "max_tokens", "gemini": "MAX_TOKENS"}[kind.name]
    vendor.will(kind.replies.says(LOOK, finish=finish))
    data = await failure(kind.model(vendor))

    assert (data["reason"], data["raw"]) == ("truncated", LOOK)
    assert data["usage"]["output"] == 30


async def test_a_stream_that_breaks_off_is_never_run(vendor: Vendor, kind: Kind):
    vendor.will(kind.replies.streams(LOOK, cut_after=4 if kind.name == "anthropic" else 2))
    data = await failure(kind.model(vendor, on_partial=lambda *args: None))

    assert (data["reason"], data["raw"]) == ("truncated", LOOK)


async def test_a_refusal_is_never_run(vendor: Vendor, kind: Kind):
    finish = {"openai": "content_filter", "anthropic": "refusal", "gemini": "SAFETY"}[kind.name]
    vendor.will(kind.replies.says(LOOK, finish=finish))

    assert (await failure(kind.model(vendor)))["reason"] == "refused"


async def test_an_empty_reply_is_a_failure(vendor: Vendor, kind: Kind):
    vendor.will(kind.replies.says(""))

    assert (await failure(kind.model(vendor)))["reason"] == "empty"


# What only a change of the application mends parks the thread, and counts for nothing


async def parked(model: Any) -> str:
    app = await ran(model)
    assert status(app) == "failed"
    assert (events(app, "model_failed"), state(app).failures_in_a_row) == ([], 0)
    [event] = events(app, "advance_failed")
    return event.data["error"]


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (401, "Incorrect API key", "_API_KEY to a key that may use it"),
        (403, "not for you", "_API_KEY to a key that may use it"),
        (404, "no such model", "Is 'a-model' a model of this vendor"),
        (402, "pay first", "no credit"),
        (400, "Your credit balance is too low", "no credit"),
    ],
)
async def test_what_a_person_must_mend_parks(
    vendor: Vendor, kind: Kind, status: int, said: str, remedy: str
):
    vendor.will(failed(status, said))
    error = await parked(kind.model(vendor))

    assert f"{said}. " in error
    assert remedy in error
    assert len(vendor.requests) == 1


async def test_a_schema_that_the_vendor_refuses_parks(vendor: Vendor, kind: Kind):
    vendor.will(failed(400, REFUSED_SCHEMAS[kind.name]))
    error = await parked(kind.model(vendor))

    assert error.startswith("SchemaRefused")
    assert "mode='prompt'" in error


async def test_a_missing_key_parks(kind: Kind, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    assert "'m' needs a key: set " in await parked(kind.make("m"))


@pytest.mark.parametrize("key", ["sk-secret\n", " sk-secret", "sk-sécret", "sk secret\r"])
async def test_a_key_that_no_header_takes_parks_and_is_not_shown(
    kind: Kind, monkeypatch, vendor: Vendor, key: str
):
    monkeypatch.setenv(kind.key_name, key)
    error = await parked(kind.make("m", base_url=vendor.url))

    assert f"The key ({kind.key_name}, or api_key=) has a blank" in error
    assert "cret" not in error


@pytest.mark.parametrize(
    "url", ["localhost:1/v1", "/v1", "http://", "http://localhost:x", "ftp://a"]
)
async def test_an_address_that_is_none_parks(kind: Kind, url: str):
    error = await parked(kind.make("m", base_url=url, api_key="k"))

    assert f"{url!r} is no address of a server: base_url= is like http://" in error


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"mode": "nativ"}, "mode='nativ' is none of native, tool, prompt."),
        ({"timeout_s": 0}, "timeout_s=0 leaves no time for a call."),
        ({"timeout_s": float("nan")}, "timeout_s=nan leaves no time for a call."),
        ({"try_timeout_s": -1.5}, "try_timeout_s=-1.5 leaves no time for a call."),
        ({"tries_max": 0}, "tries_max=0 allows no call; 1 is a single try."),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_once(kind: Kind, setting: Any, said: str):
    with pytest.raises(ConfigurationError) as refused:
        kind.make("m", **setting)

    assert str(refused.value) == said


async def test_a_parked_thread_goes_on_when_it_is_mended(vendor: Vendor, kind: Kind):
    vendor.will(failed(401), kind.replies.says(DONE))
    app = await ran(kind.model(vendor))
    await app.retry("t")
    await settle(app)

    assert (status(app), state(app).model_calls) == ("finished", 1)


# Limits count what the vendor says


async def test_a_limit_of_tokens_counts_real_usage(vendor: Vendor, kind: Kind):
    vendor.will(kind.replies.says(LOOK))
    app = await ran(kind.model(vendor), limits=Limits(tokens=250))

    [limit] = events(app, "limit_reached")
    assert (limit.data["limit"], limit.data["used"], len(vendor.requests)) == ("tokens", 260, 2)


async def test_a_limit_of_cost_counts_what_the_server_says(vendor: Vendor):
    said = openai_replies.says(LOOK)
    paid = said.chunks[0].replace(b'"total_tokens"', b'"cost": 0.4, "total_tokens"')
    vendor.will(type(said)(200, (paid,), said.headers))
    app = await ran(OpenAIModel("m", base_url=vendor.url), limits=Limits(cost=0.5))

    [limit] = events(app, "limit_reached")
    assert (limit.data["limit"], len(vendor.requests)) == ("cost", 2)


async def test_each_call_may_ask_another_model(vendor: Vendor, kind: Kind):
    vendor.will(kind.replies.says(DONE))

    def choose(thread: Any, state: Any) -> Any:
        if state.ready:
            return Finish("done", state.ready[0].step)
        return Wait() if state.finished else AskModel("hi", Look | Done, model="small")

    models = {"large": kind.make("large-one"), "small": kind.model(vendor)}
    app = App(
        [Agent("crew", choose, Look | Done, owner="olga")], store=MemoryStore(), models=models
    )
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert (status(app), len(vendor.requests)) == ("finished", 1)


async def test_a_call_can_be_cancelled(vendor: Vendor, kind: Kind):
    vendor.will(silent())
    asked = ModelRequest((message("user", "hi"),))
    task = asyncio.ensure_future(kind.model(vendor)(asked))
    await asyncio.to_thread(vendor.asked.wait, PATIENCE_S)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_answer_that_is_a_text_is_asked_for_without_a_schema(vendor: Vendor, kind: Kind):
    def sum_up(_: Any, state: Any) -> Any:
        if state.finished:
            return Wait()
        if state.ready:
            return AskModel("sum it up", answer=str, step=state.ready[0].step)
        seen = state.last(Look)
        return Finish(seen.result) if seen else Choose(Look())

    vendor.will(kind.replies.says("All is well."))
    agent = Agent("crew", sum_up, Look | Done, owner="olga")
    app = App([agent], store=MemoryStore(), model=kind.model(vendor))
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert events(app, "model_answered")[0].data["answer"] == "All is well."
    assert "next_step" not in vendor.requests[0].body.decode()
