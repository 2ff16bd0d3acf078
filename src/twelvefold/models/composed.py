"""Several models as one: another one when one fails, or each in its turn. Both keep no state."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twelvefold.exceptions import ConfigurationError, ModelFailed
from twelvefold.failures import is_transient, short
from twelvefold.messages import Attempt, Model, ModelReply, ModelRequest
from twelvefold.messages import name_of as name_of
from twelvefold.thread import Json

OUTAGES = frozenset({"rate_limited", "unavailable", "timeout", "unreadable"})
"""Reasons of a `ModelFailed` that another model may not have."""


def fallback(*models: Model) -> "Fallback":
    """The reply of the first model that is not out of order.

    The next one is asked after a `ModelFailed` for one of `OUTAGES`, and after errors of the
    connection. A refusal, a bad request or a missing key ends the call: they are nobody's outage.
    """
    return Fallback(models)


def round_robin(*models: Model) -> "RoundRobin":
    """Each turn of a thread another model, beginning anywhere; the same turn always the same one,
    also after a restart and in another process."""
    return RoundRobin(models)


class Fallback:
    """See `fallback`. The tries of models that failed are in `attempts`, with their names."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.models = _some(models, "fallback")
        self.offline = _all_offline(models)
        if (body := getattr(models[0], "body", None)) is not None:
            self.body = body  # what the first one would send

    async def __call__(self, request: ModelRequest) -> ModelReply:
        """Raises the `ModelFailed` of the last model, with the attempts of all."""
        failed: list[Attempt] = []
        for model in self.models:
            name = name_of(model)
            try:
                reply = await model(request)
            except Exception as error:
                failed += _attempts(error, name)
                if _is_outage(error) and model is not self.models[-1]:
                    continue
                if isinstance(error, ModelFailed):
                    error.attempts = tuple(failed)
                raise
            attempts = (*failed, *reply.attempts)
            return replace(reply, attempts=attempts, model=reply.model or name)
        raise AssertionError("a fallback has models")


class RoundRobin:
    """See `round_robin`."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.models = _some(models, "round_robin")
        self.offline = _all_offline(models)
        if all(hasattr(model, "body") for model in models):
            self.body = self._body

    def of(self, request: ModelRequest) -> Model:
        """The model of this turn. Threads begin at different ones."""
        first = zlib.crc32(f"{request.tenant}/{request.thread_id}".encode())
        return self.models[(first + request.turn) % len(self.models)]

    def _body(self, request: ModelRequest) -> dict[str, Json]:
        model: Any = self.of(request)
        return model.body(request)

    async def __call__(self, request: ModelRequest) -> ModelReply:
        model = self.of(request)
        reply = await model(request)
        return replace(reply, model=reply.model or name_of(model))


def _some(models: Sequence[Model], function: str) -> tuple[Model, ...]:
    if not models:
        raise ConfigurationError(f"{function}() needs at least one model.")
    return tuple(models)


def _all_offline(models: Sequence[Any]) -> bool:
    return all(getattr(model, "offline", False) for model in models)


def _is_outage(error: Exception) -> bool:
    return error.reason in OUTAGES if isinstance(error, ModelFailed) else is_transient(error)


def _attempts(error: Exception, name: str) -> list[Attempt]:
    if isinstance(error, ModelFailed) and error.attempts:
        return [replace(one, model=one.model or name) for one in error.attempts]
    return [Attempt(short(error), model=name)]
