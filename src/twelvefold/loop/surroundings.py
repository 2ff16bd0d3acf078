"""Surroundings: all that an advance and its acts may touch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from twelvefold.agent import Agent
from twelvefold.context.texts import Redact
from twelvefold.deliveries import Channel, timers_of
from twelvefold.directory import People, people_of
from twelvefold.loop.observing import Observers
from twelvefold.loop.watch import Watch
from twelvefold.messages import Model, model_named
from twelvefold.meters import Budget, Rate
from twelvefold.secrets import Secrets
from twelvefold.store import Store, Timer
from twelvefold.thread import Draft

STOP_GRACE_S = 10.0
"""What tools may take to end when the engine is told to stop; then they are cancelled."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Surroundings:
    """All that an advance may touch. The first of `models` is the default."""

    agents: Mapping[str, Agent[Any, Any]]
    store: Store
    models: Mapping[str, Model]
    clock: Callable[[], datetime] = field(default=utc_now)
    secrets: Secrets | None = None
    redact: Redact | None = None
    stop_grace_s: float = STOP_GRACE_S
    directory: People = field(default=people_of(None))
    channels: Mapping[str, Channel] = field(default_factory=dict[str, Channel])
    watch: Watch = field(default_factory=Watch)
    rates: Mapping[str, Rate] = field(default_factory=dict[str, Rate])
    budgets: Sequence[Budget] = ()
    observers: Observers | None = None

    def model(self, name: str | None) -> Model:
        """Raises `ConfigurationError` when the application has no such model."""
        return model_named(self.models, name)

    def sends(self, drafts: Sequence[Draft]) -> list[Timer]:
        """What wakes the sender, in the transaction of what is asked or told."""
        if not self.channels:
            return []
        return timers_of(drafts, now=self.clock(), updates=bool(self.updating))

    @property
    def updating(self) -> list[str]:
        """The channels that change what they sent when it is answered."""
        return [name for name, one in self.channels.items() if getattr(one, "updates", False)]
