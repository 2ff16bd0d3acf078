"""Spans and metrics of OpenTelemetry, by its API alone: the application chooses SDK and exporter.

A span is what this process does: one advance of a thread, in it each call of a model and a tool.
None stays open while a thread waits. An advance links to the one before, where this process made
that, too, and to the traces of whoever sent the first message and the newest one, which the log
keeps: so a trace goes on in other processes. `gen_ai.conversation.id`, the thread, finds all of
them.
"""

import time
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from twelvefold.exceptions import ConfigurationError
from twelvefold.loop import Seen
from twelvefold.messages import DEFAULT
from twelvefold.plan import Act, CallModel
from twelvefold.store import Ref
from twelvefold.telemetry import names
from twelvefold.telemetry.seen import failure_of, model_name, tool_call, traces_of, usage_of
from twelvefold.thread import Draft, Thread

LINKS_KEPT_MAX = 10_000
_TOKENS = {
    "input": names.INPUT_TOKENS,
    "output": names.OUTPUT_TOKENS,
    "cache_read": names.CACHE_READ_TOKENS,
    "cache_write": names.CACHE_WRITE_TOKENS,
    "reasoning": names.REASONING_TOKENS,
    "cost": names.COST,
}


class Tracing:
    """An `Observer`. `providers`: whose each model is ("openai", "anthropic", ...), by the name in
    its span; "default" is for all that are not there. Raises `ConfigurationError` without the
    extra."""

    def __init__(self, *, providers: Mapping[str, str] | None = None) -> None:
        try:
            from opentelemetry import metrics, trace
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                "Tracing needs OpenTelemetry's API. Run: pip install 'twelvefold[otel]'"
            ) from error
        self._trace = trace
        self._tracer = trace.get_tracer(names.SCOPE)
        meter = metrics.get_meter(names.SCOPE)
        self._duration = meter.create_histogram(names.DURATION, unit="s")
        self._tokens = meter.create_histogram(names.TOKEN_USAGE, unit="{token}")
        self._providers = dict(providers or {})
        self._before: OrderedDict[Ref, Any] = OrderedDict()

    @contextmanager
    def advancing(self, thread: Thread) -> Generator[None]:
        ref = Ref(thread.tenant, thread.id)
        given = {names.OPERATION: names.INVOKE_AGENT, names.AGENT_NAME: thread.agent, **_about(ref)}
        with self._tracer.start_as_current_span(
            f"{names.INVOKE_AGENT} {thread.agent}", attributes=given, links=self._links(ref, thread)
        ) as span:
            self._before[ref] = span.get_span_context()
            self._before.move_to_end(ref)
            if len(self._before) > LINKS_KEPT_MAX:
                self._before.popitem(last=False)
            yield

    @contextmanager
    def acting(self, action: Act, thread: Thread) -> Generator[Seen]:
        name, given = self._named(action)
        given |= {names.AGENT_NAME: thread.agent, **_about(Ref(thread.tenant, thread.id))}
        started, facts = time.perf_counter(), list[Draft]()
        with self._tracer.start_as_current_span(name, attributes=given) as span:
            yield facts.append
            for fact in facts:
                self._finish(span, fact, given)
        if isinstance(action, CallModel):
            kept = {k: v for k, v in given.items() if k in _OF_METRICS}
            self._duration.record(time.perf_counter() - started, kept)

    def committed(self, ref: Ref, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            if draft.type == "contact_closed":
                given = {
                    names.HUMAN_CONTACT: str(draft.data.get("contact")),
                    names.HUMAN_INTENT: str(draft.data.get("intent")),
                    names.HUMAN_OUTCOME: str(draft.data.get("outcome")),
                    **_about(ref),
                }
                self._tracer.start_span(names.HUMAN, attributes=given).end()

    def outrun(self, ref: Ref) -> None:
        self._trace.get_current_span().add_event("outrun")

    def _links(self, ref: Ref, thread: Thread) -> list[Any]:
        before = self._before.get(ref)
        contexts = [] if before is None else [before]
        for trace_id, span_id, flags in traces_of(thread):
            sampled = self._trace.TraceFlags(flags)
            contexts.append(self._trace.SpanContext(trace_id, span_id, True, sampled))
        return list(map(self._trace.Link, contexts))

    def _named(self, action: Act) -> tuple[str, dict[str, Any]]:
        if isinstance(action, CallModel):
            model = model_name(action)
            given: dict[str, Any] = {names.OPERATION: names.CHAT, names.REQUEST_MODEL: model}
            if provider := self._providers.get(model) or self._providers.get(DEFAULT):
                given[names.PROVIDER] = provider
            return f"{names.CHAT} {model}", given
        call = tool_call(action)
        given = {names.OPERATION: names.EXECUTE_TOOL, names.TOOL_NAME: call.intent}
        given |= {names.TOOL_CALL_ID: call.step_id, names.ATTEMPT: call.attempt}
        return f"{names.EXECUTE_TOOL} {call.intent}", given

    def _finish(self, span: Any, fact: Draft, given: dict[str, Any]) -> None:
        span.set_attribute(names.EVENT, fact.type)
        if (failure := failure_of(fact)) is not None:
            given[names.ERROR_TYPE] = failure
            span.set_attribute(names.ERROR_TYPE, failure)
            span.set_status(self._trace.StatusCode.ERROR)
        if model := fact.data.get("model"):
            given[names.RESPONSE_MODEL] = str(model)
            span.set_attribute(names.RESPONSE_MODEL, str(model))
        for part, count in usage_of(fact).items():
            span.set_attribute(_TOKENS.get(part, part), count)
            if part in ("input", "output"):
                kept = {k: v for k, v in given.items() if k in _OF_METRICS}
                self._tokens.record(count, kept | {names.TOKEN_TYPE: part})


_OF_METRICS = frozenset(
    {
        names.OPERATION,
        names.PROVIDER,
        names.REQUEST_MODEL,
        names.RESPONSE_MODEL,
        names.ERROR_TYPE,
        names.AGENT_NAME,
    }
)
"""Few values each: a thread's id would make a series of its own."""


def _about(ref: Ref) -> dict[str, str]:
    return {names.CONVERSATION_ID: ref.id, names.TENANT: ref.tenant}
