"""Traces of what this process does: advances of threads, calls of models, runs of tools.

This file is yours: `twelvefold add otel` wrote it once. What was asked and answered is in no span.
Its settings are OpenTelemetry's own, in the environment:

- OTEL_SERVICE_NAME: what your traces are called
- OTEL_TRACES_EXPORTER: `console`; `none`; `otlp_proto_http`, which sends to
  OTEL_EXPORTER_OTLP_ENDPOINT, once opentelemetry-exporter-otlp-proto-http is installed
"""

import os
from importlib.metadata import entry_points

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from twelvefold.exceptions import ConfigurationError
from twelvefold.telemetry import Tracing

EXPORTERS = "opentelemetry_traces_exporter"


def tracing(**providers: str) -> Tracing:
    """`providers`: whose each model is, `tracing(default="openai")`. Call it once a process."""
    provider = TracerProvider()  # named by OTEL_SERVICE_NAME, and flushed when the process ends
    if (exporter := _exporter()) is not None:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return Tracing(providers=providers)


def _exporter() -> SpanExporter | None:
    name = os.environ.get("OTEL_TRACES_EXPORTER", "console")
    if name == "none":
        return None
    there = {one.name: one for one in entry_points(group=EXPORTERS)}
    if name not in there:
        known = ", ".join(sorted(there))
        raise ConfigurationError(f"OTEL_TRACES_EXPORTER is {name!r}; installed are: {known}.")
    made: SpanExporter = there[name].load()()
    return made
