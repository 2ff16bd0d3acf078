"""Spans, metrics and logs of what this process does. Observers see, and change nothing.

`App(observers=[Tracing(), Metrics()])`; the OpenTelemetry API and the Prometheus client are loaded
when one of them is made. What was asked and answered is in none of it.
"""

from twelvefold.telemetry.logs import JsonLines as JsonLines
from twelvefold.telemetry.metrics import Metrics as Metrics
from twelvefold.telemetry.tracing import Tracing as Tracing
