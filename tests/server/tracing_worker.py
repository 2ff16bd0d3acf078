"""A process that advances the threads of a file, and prints its spans: one JSON object per line."""

import asyncio
import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from crew import Pay, app_of, approved_then, pipeline
from twelvefold.app import App
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.telemetry import Tracing


def traced(folder: Path) -> App:
    agent = pipeline(Pay(to="ben"), carry_out=approved_then(lambda step: "paid", by="anna"))
    settles = {"signed_in": "high"}
    store = SqliteStore(folder / "traced.db")
    return app_of(agent, store, observers=[Tracing()], settles=settles)


def work(folder: Path) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    app = traced(folder)
    asyncio.run(app.run(until_idle=True))
    app.close()
    for span in exporter.get_finished_spans():
        sys.stdout.write(span.to_json(indent=None) + "\n")


if __name__ == "__main__":
    work(Path(sys.argv[1]))
