"""Spans, metrics and logs: named as the conventions say, without content, and never in the way."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry import metrics as otel_metrics
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.version import __version__ as installed

from crew import (
    START,
    Clock,
    Done,
    Look,
    Pay,
    Question,
    app_of,
    approved_then,
    asking,
    chat,
    pipeline,
    ran_by,
    settle,
    status,
    types,
)
from twelvefold.app import App
from twelvefold.exceptions import ConfigurationError, StoreUnavailable
from twelvefold.messages import ModelReply, ModelRequest, Usage
from twelvefold.server import create_app
from twelvefold.store import Append
from twelvefold.telemetry import JsonLines, Metrics, Tracing, names
from twelvefold.testing import MemoryStore
from twelvefold.thread import Draft

pytestmark = pytest.mark.anyio
SECRET_WORDS = "the-content-of-the-conversation"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)  # once per process, which the API insists on
    return exporter


@pytest.fixture(scope="module")
def reader() -> InMemoryMetricReader:
    reader = InMemoryMetricReader()
    otel_metrics.set_meter_provider(MeterProvider([reader]))
    return reader


@pytest.fixture
def spans(exporter: InMemorySpanExporter, reader: InMemoryMetricReader) -> Iterator[Any]:
    exporter.clear()
    yield lambda: list(exporter.get_finished_spans())
    exporter.clear()


class Costly:
    async def __call__(self, request: ModelRequest) -> ModelReply:
        usage = Usage(input=120, output=8, cache_read=100, cost=0.25)
        text = json.dumps({"intent": "done_for_now", "message": SECRET_WORDS})
        return ModelReply(text=text, usage=usage, model="gpt-5.1")


def thinking(**options: Any) -> App:
    agent = chat(ran_by(lambda step: "seen"))
    return App([agent], store=MemoryStore(), models={"main": Costly()}, **options)


def named(spans: list[ReadableSpan]) -> list[str]:
    return [span.name for span in spans]


async def test_an_advance_is_a_span_with_its_calls_inside(spans: Any):
    app = thinking(observers=[Tracing(providers={"default": "openai"})])
    await app.launch("crew", SECRET_WORDS, thread_id="t")
    await settle(app)

    model, advance = spans()
    assert named([model, advance]) == ["chat main", "invoke_agent crew"]
    assert model.parent.span_id == advance.context.span_id
    assert dict(model.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "main",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": "gpt-5.1",
        "gen_ai.agent.name": "crew",
        "gen_ai.conversation.id": "t",
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 8,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "twelvefold.cost_usd": 0.25,
        "twelvefold.tenant": "default",
        "twelvefold.event": "next_step_chosen",
    }


class Vendors(Costly):
    """As models of vendors say what they are."""

    model = "gpt-5.1"


@pytest.mark.parametrize(
    ("models", "name"),
    [
        ({"model": Vendors()}, "gpt-5.1"),
        ({"model": Costly()}, "Costly"),
        ({"models": {"main": Vendors(), "other": Costly()}}, "main"),
        ({"model": Vendors(), "models": {"other": Costly()}}, "gpt-5.1"),
    ],
)
async def test_a_model_without_a_name_is_called_what_it_is(
    models: dict[str, Any], name: str, spans: Any
):
    counting, tracing = Metrics(), Tracing(providers={"other": "acme", "default": "openai"})
    observers = [counting, tracing]
    app = App([chat(ran_by(lambda _: 1))], store=MemoryStore(), observers=observers, **models)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert named(spans()) == [f"chat {name}", "invoke_agent crew"]
    assert spans()[0].attributes["gen_ai.provider.name"] == "openai"
    assert f'model="{name}"' in counting.text([], None, now=app.clock()).decode()


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LATER = "00-aaaa2f3577b34da6a3ce929d0e0e4736-11f067aa0ba902b7-00"


async def test_an_advance_links_to_the_traces_of_the_first_message_and_the_newest(spans: Any):
    agent = pipeline(Question(), carry_out=asking)
    app = app_of(agent, MemoryStore(), observers=[Tracing()])
    await app.launch("crew", "go", thread_id="t", about={"traceparent": TRACE})
    await settle(app)
    for text, given in (("hurry", "garbage"), ("now", LATER)):
        await app.send("t", text, about={"traceparent": given})
    again = app_of(agent, app.store, observers=[Tracing()])  # it remembers no advance before
    await settle(again)

    first, second = [[link.context for link in span.links] for span in spans()]
    assert [(one.trace_id, one.span_id, one.trace_flags) for one in first] == [
        (0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, 1)
    ]
    assert [one.trace_id for one in second] == [first[0].trace_id, int(LATER[3:35], 16)]
    assert all(one.is_remote for one in first + second)


async def test_a_trace_that_is_none_links_to_nothing(spans: Any):
    app = app_of(pipeline(Question(), carry_out=asking), MemoryStore(), observers=[Tracing()])
    for id, given in (("t", 7), ("u", "00-" + "0" * 32 + "-00f067aa0ba902b7-01")):
        await app.launch("crew", "go", thread_id=id, about={"traceparent": given})
    await settle(app)

    assert [list(span.links) for span in spans()] == [[], []]


async def test_a_tool_is_a_span_and_its_failure_an_error(spans: Any):
    def tool(step: Look) -> str:
        raise ValueError(SECRET_WORDS)

    app = app_of(pipeline(Look(), carry_out=ran_by(tool)), MemoryStore(), observers=[Tracing()])
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    span = next(one for one in spans() if one.name == "execute_tool look")
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["gen_ai.tool.call.id"] == "s1"
    assert span.attributes["error.type"] == "tool_failed"


async def test_no_span_is_open_while_somebody_is_asked_and_the_next_links_back(spans: Any):
    agent = pipeline(Pay(to="ben"), carry_out=approved_then(lambda step: "paid", by="anna"))
    app = app_of(agent, MemoryStore(), observers=[Tracing()])
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    [before] = spans()

    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)

    human = next(one for one in spans() if one.name == "human_decision")
    assert human.attributes["twelvefold.human.outcome"] == "approved"
    after = spans()[-1]
    assert [link.context.span_id for link in after.links] == [before.context.span_id]


async def test_nothing_that_was_said_is_in_a_span_or_a_metric(
    spans: Any, reader: InMemoryMetricReader
):
    counting = Metrics()
    app = thinking(observers=[Tracing(), counting])
    await app.launch("crew", SECRET_WORDS, thread_id="t")
    await settle(app)

    told = [span.to_json() for span in spans()]
    told.append(str(reader.get_metrics_data()))
    told.append(counting.text(app.inbox(), None, now=app.clock()).decode())
    assert len(told) == 4
    assert SECRET_WORDS not in "".join(told)


async def test_opentelemetry_gets_tokens_and_durations(spans: Any, reader: InMemoryMetricReader):
    app = thinking(observers=[Tracing()])
    await app.launch("crew", "go")
    await settle(app)

    data = json.loads(reader.get_metrics_data().to_json())
    found = {
        metric["name"]: metric
        for scope in data["resource_metrics"][0]["scope_metrics"]
        for metric in scope["metrics"]
    }
    assert set(found) == {names.DURATION, names.TOKEN_USAGE}
    points = found[names.TOKEN_USAGE]["data"]["data_points"]
    assert {point["attributes"]["gen_ai.token.type"] for point in points} == {"input", "output"}
    assert all("gen_ai.conversation.id" not in point["attributes"] for point in points)


def test_the_names_are_those_of_the_conventions():
    ours = {value for value in vars(names).values() if str(value).startswith("gen_ai.")}
    modules = (gen_ai_attributes, gen_ai_metrics)
    theirs = {value for one in modules for value in vars(one).values() if isinstance(value, str)}

    assert ours <= theirs
    assert installed == names.SEMCONV


async def test_prometheus_reads_what_was_done_and_what_waits():
    counting, clock = Metrics(), Clock()
    ask = pipeline(Question(), carry_out=asking)
    app = app_of(ask, MemoryStore(), observers=[counting], clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    clock.forward(timedelta(minutes=5))

    def series() -> dict[str, float]:
        text = counting.text(app.inbox(), app.new_engine().stats(), now=clock()).decode()
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    waiting = series()
    assert waiting['twelvefold_contacts_waiting{kind="question"}'] == 1
    assert waiting["twelvefold_contact_oldest_wait_seconds"] == 300
    assert waiting["twelvefold_queue_threads"] == 0
    assert waiting['twelvefold_events_total{type="contact_requested"}'] == 1

    await app.answer("t.s1.1", "answer", value="blue", by="anna")
    assert series()['twelvefold_decisions_total{outcome="answered"}'] == 1
    assert series()["twelvefold_queue_threads"] == 1


async def test_tokens_cost_and_seconds_are_counted_by_model():
    counting = Metrics()
    app = thinking(observers=[counting])
    await app.launch("crew", "go")
    await settle(app)

    text = counting.text([], None, now=app.clock()).decode()
    assert 'twelvefold_model_tokens_total{direction="input",model="main"} 120.0' in text
    assert 'twelvefold_model_cost_usd_total{model="main"} 0.25' in text
    assert 'twelvefold_model_seconds_count{model="main"} 1.0' in text


def test_metrics_are_served_where_they_are_counted(tmp_path: Path):
    counted = App([], store=tmp_path / "x.db", observers=[Metrics()])
    plain = App([], store=tmp_path / "y.db")

    def get(app: App, address: str = "127.0.0.1") -> Any:
        served = create_app(app)
        with TestClient(served, base_url="http://localhost", client=(address, 1)) as client:
            return client.get("/metrics")

    answer = get(counted)
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
    )
    assert "twelvefold_workers 0.0" in answer.text
    assert get(plain).status_code == 404
    assert get(counted, "203.0.113.9").status_code == 401


class Broken:
    """An observer with a fault everywhere."""

    @contextmanager
    def advancing(self, thread: Any) -> Iterator[None]:
        yield
        raise RuntimeError("broken")

    def acting(self, action: Any, thread: Any) -> Any:
        raise RuntimeError("broken")

    def committed(self, ref: Any, drafts: Any) -> None:
        raise RuntimeError("broken")

    def outrun(self, ref: Any) -> None:
        raise RuntimeError("broken")


async def test_an_observer_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture):
    agent = chat(ran_by(lambda step: "seen"))
    quiet = app_of(agent, MemoryStore(), Look(), Done())
    broken = app_of(agent, MemoryStore(), Look(), Done(), observers=[Broken(), Metrics()])
    for app in (quiet, broken):
        await app.launch("crew", "go", thread_id="t")
        await settle(app)

    assert types(broken) == types(quiet)
    assert "an observer failed" in caplog.text


async def test_observers_hear_of_a_decision_that_was_outrun():
    class Hearing(Broken):
        def outrun(self, ref: Any) -> None:
            outrun.append(ref.id)

    class Interrupted:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def commit(self, *appends: Any) -> Any:
            if appends[0].expect is not None and not outrun:
                store.commit_now(Append("t", [Draft("noted", {}, START)]))
            return await store.commit(*appends)

    store, outrun = MemoryStore(), list[str]()
    agent = chat(ran_by(lambda step: "seen"))
    app = app_of(agent, Interrupted(), Done(), observers=[Hearing()])
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert (outrun, types(app)[-1]) == (["t"], "finished")


async def test_what_a_store_raises_passes_through_observers():
    class Down:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def commit(self, *appends: Any) -> Any:
            if appends and appends[0].expect is not None and not failed:
                failed.append(1)
                raise StoreUnavailable("locked")
            return await store.commit(*appends)

    store, failed = MemoryStore(), list[int]()
    agent = chat(ran_by(lambda step: "seen"))
    app = app_of(agent, Down(), Done(), observers=[Metrics(), Tracing()])
    await app.launch("crew", "go", thread_id="t")

    engine = await settle(app)

    assert engine.errors or status(app) == "finished"
    assert failed == [1]


async def test_lines_of_the_loop_name_thread_agent_and_event(caplog: pytest.LogCaptureFixture):
    def decide(chosen: Any) -> Any:
        raise ValueError("a fault in it")

    app = app_of(pipeline(Look(), carry_out=decide), MemoryStore())
    await app.launch("crew", "go", thread_id="t")
    with caplog.at_level(logging.DEBUG, "twelvefold"):
        await settle(app)

    known = [
        {name: getattr(line, name, None) for name in ("thread_id", "tenant", "agent", "seq")}
        for line in caplog.records
    ]
    parked = next(line for line in caplog.records if "decide failed" in line.getMessage())
    about = {"thread_id": "t", "tenant": "default", "agent": "crew"}
    assert known
    assert all(about.items() <= one.items() and one["seq"] for one in known)
    told = json.loads(JsonLines().format(parked))
    assert (told["thread_id"], told["agent"], told["seq"]) == ("t", "crew", 1)


async def test_lines_of_the_engine_name_the_thread(caplog: pytest.LogCaptureFixture):
    app = app_of(pipeline(Look(), carry_out=ran_by(lambda _: 1)), MemoryStore())
    await app.launch("crew", "go", thread_id="t")
    later = App([], store=app.store)
    await settle(later)

    [line] = [line for line in caplog.records if line.name == "twelvefold"]
    assert (line.thread_id, line.tenant) == ("t", "default")


def test_a_line_of_the_log_is_one_object():
    record = logging.makeLogRecord(
        {"name": "twelvefold", "levelno": 30, "levelname": "WARNING", "msg": "%s: late\n"}
    )
    record.args, record.thread_id = ("t",), "t"
    try:
        raise ValueError("why")
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)

    (line,) = JsonLines().format(record).splitlines()
    told = json.loads(line)
    assert (told["level"], told["message"], told["thread_id"]) == ("warning", "t: late\n", "t")
    assert "ValueError: why" in told["error"]


@pytest.mark.parametrize(
    ("make", "package", "extra"),
    [(Tracing, "opentelemetry", "otel"), (Metrics, "prometheus_client", "metrics")],
)
def test_a_missing_extra_is_one_clear_line(
    make: Any, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
):
    import sys

    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigurationError, match=rf"pip install 'twelvefold\[{extra}\]'"):
        make()
