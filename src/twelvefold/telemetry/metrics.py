"""Metrics for Prometheus: what this process has done, and what waits, asked when it is scraped."""

import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from twelvefold.exceptions import ConfigurationError
from twelvefold.loop import Seen, Stats
from twelvefold.plan import Act, CallModel
from twelvefold.store import ContactRow, Ref
from twelvefold.telemetry import names
from twelvefold.telemetry.seen import model_name, tool_call, usage_of
from twelvefold.thread import Draft, Thread

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Metrics:
    """An `Observer` with a registry of its own. Raises `ConfigurationError` without the extra."""

    def __init__(self) -> None:
        try:
            import prometheus_client
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                "Metrics need Prometheus's client. Run: pip install 'twelvefold[metrics]'"
            ) from error
        self._client = prometheus_client
        self.registry = made = prometheus_client.CollectorRegistry()
        count, seconds = prometheus_client.Counter, prometheus_client.Histogram
        self._events = count(names.EVENTS, "Events committed.", ["type"], registry=made)
        self._conflicts = count(names.CONFLICTS, "Decisions thrown away.", registry=made)
        self._decisions = count(names.DECISIONS, "Ends of contacts.", ["outcome"], registry=made)
        self._tokens = count(names.TOKENS, "Tokens.", ["model", "direction"], registry=made)
        self._spent = count(names.SPENT, "US dollars.", ["model"], registry=made)
        self._models = seconds(
            names.MODEL_SECONDS, "Model calls.", ["model"], buckets=_SECONDS, registry=made
        )
        self._tools = seconds(
            names.TOOL_SECONDS, "Tool calls.", ["tool"], buckets=_SECONDS, registry=made
        )

    @contextmanager
    def advancing(self, thread: Thread) -> Generator[None]:
        yield

    @contextmanager
    def acting(self, action: Act, thread: Thread) -> Generator[Seen]:
        started, facts = time.perf_counter(), list[Draft]()
        yield facts.append
        took_s = time.perf_counter() - started
        if not isinstance(action, CallModel):
            self._tools.labels(tool_call(action).intent).observe(took_s)
            return
        model = model_name(action)
        self._models.labels(model).observe(took_s)
        for fact in facts:
            self._count(model, usage_of(fact))

    def committed(self, ref: Ref, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            self._events.labels(draft.type).inc()
            if draft.type == "contact_closed":
                self._decisions.labels(str(draft.data.get("outcome"))).inc()

    def outrun(self, ref: Ref) -> None:
        self._conflicts.inc()

    def text(self, contacts: Sequence[ContactRow], stats: Stats | None, *, now: datetime) -> bytes:
        """All of it, in Prometheus's text format: what was counted here, the open `contacts`, and
        what waits for an engine. What could not be asked is left out: alert on its absence."""
        waiting = self._client.CollectorRegistry()
        gauge = self._client.Gauge
        kinds = gauge(names.WAITING, "Contacts that wait, by kind.", ["kind"], registry=waiting)
        for kind, number in Counter(str(row.data.get("kind")) for row in contacts).items():
            kinds.labels(kind).set(number)
        ages = [(now - row.asked_at).total_seconds() for row in contacts]
        oldest = gauge(names.OLDEST_WAIT, "Since the oldest was asked.", registry=waiting)
        oldest.set(max(ages, default=0.0))
        if stats is not None:
            for name, about, value in (
                (names.QUEUE, "Threads to be advanced.", stats.queue),
                (names.QUEUE_WAIT, "Since the first of them was woken.", stats.oldest_wait_s),
                (names.WORKERS, "Processes that advance.", stats.workers),
                (names.LAG, "Behind the timer that is due first.", stats.lag_s),
            ):
                gauge(name, about, registry=waiting).set(value)
        write = self._client.generate_latest
        return write(self.registry) + write(waiting)

    def _count(self, model: str, usage: Any) -> None:
        for direction in ("input", "output"):
            if tokens := usage.get(direction):
                self._tokens.labels(model, direction).inc(tokens)
        if cost := usage.get("cost"):
            self._spent.labels(model).inc(cost)
