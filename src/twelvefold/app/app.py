"""App: agents, a store and models put together, with the verbs."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twelvefold.agent import Agent
from twelvefold.app import verbs
from twelvefold.app.copies import Copies
from twelvefold.app.engines import (
    DEFAULT_STORE,
    EngineName,
    checked_engine,
    engine_of,
    settled,
    told,
)
from twelvefold.app.linking import Linking
from twelvefold.app.names import is_kin, new_thread_id
from twelvefold.app.reading import Reading
from twelvefold.app.receiving import Receiving, receivers_of
from twelvefold.context.texts import Redact, redacted_json
from twelvefold.deliveries import Channel
from twelvefold.deliveries import checked as checked_channels
from twelvefold.directory import Directory, People, people_of
from twelvefold.exceptions import Conflict, Stale, UnknownAgent
from twelvefold.inbound import Receiver
from twelvefold.loop import STOP_GRACE_S, Engine, Observer, Observers, Surroundings, Watch, utc_now
from twelvefold.messages import Model, models_of
from twelvefold.meters import Budget, Rate, checked_rates
from twelvefold.policy import Risk, Settles
from twelvefold.schedules import Schedule, checked
from twelvefold.secrets import Secrets
from twelvefold.secrets import checked as checked_secrets
from twelvefold.state import State
from twelvefold.store import EmbeddedStore, Ref
from twelvefold.stores import is_postgres, open_store
from twelvefold.thread import DEFAULT_TENANT, Json, Thread

if TYPE_CHECKING:
    from twelvefold.app.blocking import SyncApp

DEFAULT_SETTLES: Mapping[str, Risk] = {
    "local": "high",
    "signed_in": "high",
    "key": "medium",
    "link_typed": "medium",
    "slack": "medium",
    "webhook": "medium",
    "sms": "medium",
    "email": "low",
    "link": "low",
}
STALE_TRIES_MAX = 100


class App(Reading, Copies, Receiving, Linking):
    """The composition root. Every verb takes full ids; `app.names` finds them from endings.

    - `store`: a store or its URL (`sqlite:///path`, `postgresql://host/name`), opened at first use;
      else what `TWELVEFOLD_STORE` names, with the engine of `TWELVEFOLD_ENGINE`.
    - `model`, or `models` by name; the first is the default.
    - `settles`: up to which risk each assurance level may decide; "local" is whoever can run it.
    - `directory`: who is who: a YAML file, a `Directory`, or a function of the tenant. Read again
      for each answer and decision, so who was removed decides nothing more.
    - `channels`: ways to people and from them. Who is asked or told something gets it where the
      thread began, and at the first of their addresses in the directory that has a channel.
    - `secrets`: {name: value}, or a function of tenant and name; for `call.secret`.
    - `redact`: what people, signals and tools bring goes through it before it is appended.
    - `clock`: the time; without it, that of the database where the log is in one.
    - `stop_grace_s`: what tools under way may take to end when the engine is told to stop.
    - `rates` by the name of a model, `budgets`: what all processes together may ask of models.
    - `observers`: spans and metrics of what is done here, such as `telemetry.Tracing()`.
    - `schedules`: what launches threads by itself, while something runs this application.
    - `engine`: "embedded", where one process advances, or "procrastinate" for several on Postgres.
    """

    def __init__(
        self,
        agents: Iterable[Agent[Any, Any]],
        *,
        store: EmbeddedStore | str | Path | None = None,
        model: Model | None = None,
        models: Mapping[str, Model] | None = None,
        settles: Mapping[str, Risk] = DEFAULT_SETTLES,
        directory: Directory | People | str | Path | None = None,
        channels: Iterable[Channel | Receiver] = (),
        schedules: Iterable[Schedule] = (),
        rates: Mapping[str, Rate] | None = None,
        budgets: Iterable[Budget] = (),
        observers: Iterable[Observer] = (),
        secrets: Secrets | None = None,
        redact: Redact | None = None,
        stop_grace_s: float = STOP_GRACE_S,
        engine: EngineName | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.agents = {agent.name: agent for agent in agents}
        self.models = models_of(model, models)
        self.settles, self.people = Settles(settles), people_of(directory)
        self.schedules = checked(schedules, self.agents)
        self.rates, self.budgets = checked_rates(rates or {}, self.models), tuple(budgets)
        watching = tuple(observers)
        self.observers = Observers(watching, self.models) if watching else None
        self.secrets, self.stop_grace_s = checked_secrets(secrets), stop_grace_s
        self._clock, self.redact = clock, redact
        self.channels, self._watch = checked_channels(ways := list(channels)), Watch()
        self.receivers = receivers_of(ways, self.agents)
        self.engine: EngineName
        place, self.engine = settled(store, engine)
        self._store = told(self.engine, place)
        self.leaves_store_open = store in (None, DEFAULT_STORE)  # the command line then says where

    @property
    def store(self) -> EmbeddedStore:
        if isinstance(self._store, str | Path):
            self._store = told(self.engine, open_store(str(self._store)))
        return self._store

    @property
    def clock(self) -> Callable[[], datetime]:
        """`App(clock=...)`, else that of the store's database, else that of this machine."""
        name = self.store_name
        if self._clock is None and (name is None or is_postgres(name)):
            return getattr(self.store, "clock", utc_now)
        return self._clock or utc_now  # a file has no time, and is not made for being asked

    @property
    def store_name(self) -> str | None:
        """What names the store, while nothing has opened it."""
        return str(self._store) if isinstance(self._store, str | Path) else None

    def use_store(self, store: EmbeddedStore | str | Path) -> None:
        """Use another store from now on."""
        self._store = store

    def use_engine(self, name: str) -> None:
        """Use another engine from now on. Raises `ConfigurationError`."""
        if name != self.engine:
            self.engine = checked_engine(name)
            self._store = told(self.engine, self._store)

    def close(self) -> None:
        if not isinstance(self._store, str | Path):
            self._store.close()

    @property
    def sync(self) -> "SyncApp":
        """The verbs for callers without an event loop."""
        from twelvefold.app.blocking import SyncApp  # which builds upon this class

        return SyncApp(self)

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            self.agents,
            self.store,
            self.models,
            self.clock,
            secrets=self.secrets,
            redact=self.redact,
            stop_grace_s=self.stop_grace_s,
            directory=self.people,
            channels=self.channels,
            watch=self._watch,
            rates=self.rates,
            budgets=self.budgets,
            observers=self.observers,
        )

    def agent(self, name: str) -> Agent[Any, Any]:
        if name not in self.agents:
            known = ", ".join(self.agents) or "none"
            raise UnknownAgent(f"This application has no agent {name!r}; it has: {known}.")
        return self.agents[name]

    # Reading

    def state(self, thread: Thread) -> State[Any]:
        """What the log means to its agent. Raises `UnknownAgent`."""
        return self.agent(thread.agent).state(thread)

    # Verbs

    async def launch(
        self,
        agent: str,
        text: str,
        *,
        thread_id: str | None = None,
        channel: str | None = None,
        sender: str | None = None,
        about: Mapping[str, Json] | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> str:
        """Begin a thread; its id. With a `thread_id` of your own, twice is once.

        Raises `UnknownAgent`, and `Conflict` when that id holds another agent or another message.
        """
        self.agent(agent)
        name = new_thread_id(self.clock()) if thread_id is None else thread_id
        message = verbs.message(self._redacted(text), channel, sender, self._redacted(about))
        change = verbs.launch(agent, message, thread_id=name, now=self.clock(), tenant=tenant)
        [[first, *_], *_] = await self.store.commit(*change.appends)
        if first.data is not change.appends[0].drafts[0].data:  # the id was there before
            verbs.check_again(change, first, self.store.thread_row(name, tenant=tenant))
        return name

    async def send(
        self,
        thread_id: str,
        text: str,
        *,
        key: str | None = None,
        channel: str | None = None,
        sender: str | None = None,
        about: Mapping[str, Json] | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """A message for the thread. `key` is the delivery id: the same twice is one message."""
        message = verbs.message(self._redacted(text), channel, sender, self._redacted(about))
        await self._change(thread_id, tenant, partial(verbs.send, message=message, key=key))

    async def signal(
        self,
        thread_id: str,
        name: str,
        data: Json = None,
        *,
        key: str | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """What `WaitFor(step, name)` waits for."""
        received = partial(verbs.signal, name=name, data=self._redacted(data), key=key)
        await self._change(thread_id, tenant, received)

    async def pause(self, thread_id: str, *, by: str = "api", tenant: str = DEFAULT_TENANT) -> None:
        """Decide nothing more until `resume`. Raises `Conflict`."""
        await self._change(thread_id, tenant, partial(verbs.pause, by=by))

    async def resume(
        self, thread_id: str, *, by: str = "api", tenant: str = DEFAULT_TENANT
    ) -> None:
        """Lift `pause` or a limit. Raises `Conflict`."""
        await self._change(thread_id, tenant, partial(verbs.resume, by=by))

    async def retry(self, thread_id: str, *, by: str = "api", tenant: str = DEFAULT_TENANT) -> None:
        """Decide again after `advance_failed`. Raises `Conflict`."""
        await self._change(thread_id, tenant, partial(verbs.retry, by=by))

    def _redacted(self, data: Json) -> Json:
        return data if self.redact is None else redacted_json(data, self.redact)

    async def _change(self, thread_id: str, tenant: str, verb: Callable[..., verbs.Change]) -> None:
        """Load, judge, commit; judge again if something arrived meanwhile: nobody sees `Stale`."""
        for _ in range(STALE_TRIES_MAX):
            change = verb(self.store.load(thread_id, tenant=tenant), now=self.clock())
            for append in change.appends:
                append.timers = [*append.timers, *self.surroundings.sends(append.drafts)]
            try:
                stored = await self.store.commit(*change.appends) if change.appends else []
            except Stale:
                continue
            if change.is_outrun(stored):
                continue
            if self.observers is not None:
                for append in change.appends:
                    self.observers.committed(Ref(tenant, append.thread_id), append.drafts)
            if change.refusal is not None:
                raise change.refusal
            return
        raise Conflict(f"{thread_id} changes faster than a verb can be judged. Try again.")

    # Running

    def new_engine(self, name: EngineName | None = None, *, stall_s: float | None = None) -> Engine:
        """The engine of this application. `stall_s`: after how much silence a worker is dead."""
        around, store = self.surroundings, self.store
        return engine_of(name or self.engine, around, store, self.schedules, stall_s=stall_s)

    async def run(
        self,
        *,
        until_idle: bool = False,
        only: str | None = None,
        tenant: str = DEFAULT_TENANT,
        wait_for_lock: bool = True,
    ) -> Engine:
        """Advance threads here, until cancelled or `until_idle`. The engine, for its errors.

        `only`: a thread and its family; no schedules. Nothing is done while workers share the log.
        """
        engine = self.new_engine() if only is None else self.new_engine("embedded")
        family = None if only is None else partial(is_kin, Ref(tenant, only))
        await engine.run(until_idle=until_idle, only=family, wait_for_lock=wait_for_lock)
        return engine
