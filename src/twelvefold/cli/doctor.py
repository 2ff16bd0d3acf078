"""`twelvefold doctor`: the application, the log and what waits.

`wrong` makes the exit code 6: work cannot go on before it is changed. `note` is for a person to
judge.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

import click

from twelvefold.cli import exits
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.cli.unsent import said_of, unsent
from twelvefold.exceptions import StoreUnavailable, TwelvefoldError, UnusableModel
from twelvefold.notices import ago, troubles
from twelvefold.store import EmbeddedStore, ThreadRow
from twelvefold.summary import short

THREADS_LOOKED_AT_MAX = 1000
LISTED_MAX = 5
LAG_S_MAX = 5.0
"""A timer that is later than that waits for a worker."""
_OPEN = ("running", "waiting", "paused", "failed")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    level: Literal["ok", "note", "wrong"]
    about: str
    says: str


@command()
@click.pass_obj
def doctor(here: Here) -> int:
    """Look at the application, the log and what waits."""
    findings = _all(here)
    wrong = any(finding.level == "wrong" for finding in findings)
    if here.json:
        here.out.document("doctor/1", ok=not wrong, data=[asdict(one) for one in findings])
    else:
        here.out.table([[one.level, one.about, one.says] for one in findings])
    return exits.CONFIGURATION if wrong else exits.DONE


Look = Callable[[Here], Iterator[Finding]]


def _all(here: Here) -> list[Finding]:
    """What stops a look is a finding too, said once, and the others still run: but for those that
    read a database which has just not answered, as each would wait for it again."""
    found: list[Finding] = []
    said: set[str] = set()
    unseen: list[str] = []
    is_away = False
    for look, reads in _looks():
        if is_away and reads:
            unseen.append(look.__name__)
            continue
        try:
            found += look(here)
        except TwelvefoldError as error:
            is_away = is_away or (isinstance(error, StoreUnavailable) and error.retryable)
            if str(error) in said:
                unseen.append(look.__name__)
            else:
                found.append(Finding("wrong", look.__name__, str(error)))
            said.add(str(error))
    if unseen:
        says = f"{', '.join(unseen)}: not looked at, for the reason above"
        found.append(Finding("note", "not seen", says))
    return found


def _looks() -> Iterator[tuple[Look, bool]]:
    """Each look, and whether it reads the database."""
    yield from ((look, False) for look in (application, models, steps))
    yield from ((look, True) for look in (log, schedules, engine, threads, limits, waits))
    yield from ((look, True) for look in (channels, deliveries, ungated))


def application(here: Here) -> Iterator[Finding]:
    app = here.app
    yield Finding("ok", "application", here.place.app)
    if not app.agents:
        yield Finding("wrong", "agents", "none: name them in App([...])")
    if not app.models:
        yield Finding("note", "models", "none: an agent that asks a model will fail")


def models(here: Here) -> Iterator[Finding]:
    """Which they are, and whether they could be asked. Nothing is sent, and no key is shown."""
    if not here.app_is_loaded:
        return
    from twelvefold.cli.readiness import models_in, readiness

    for name, model in here.app.models.items():
        for one in models_in(model):
            try:
                yield Finding("ok", f"model {name}", here.run(readiness(one)))
            except UnusableModel as error:
                yield Finding("wrong", f"model {name}", str(error))


def steps(here: Here) -> Iterator[Finding]:
    if not here.app_is_loaded:  # it could not be loaded, which is said already
        return
    from twelvefold.steps import Step, members, risk_of

    for name, agent in here.app.agents.items():
        classes = members(agent.steps)
        risks = [f"{intent} {risk_of(cls)}" for intent, cls in classes.items()]
        yield Finding("ok", f"agent {name}", f"owner {agent.owner}; {', '.join(risks)}")
        silent = [
            intent
            for intent, cls in classes.items()
            if not any("risk" in vars(kind) for kind in cls.__mro__ if kind is not Step)
        ]
        if silent:
            says = f"no risk declared, which is low: {', '.join(silent)}"
            yield Finding("note", f"agent {name}", says)


def schedules(here: Here) -> Iterator[Finding]:
    if not here.app_is_loaded or not here.app.schedules:
        return
    store, now = here.readable_store(), here.app.clock()
    armed = {} if store is None else {(d.ref.tenant, d.key): d.due for d in store.armed()}
    for schedule in here.app.schedules:
        slot = armed.get((schedule.tenant, schedule.timer), schedule.next_after(now))
        what = f"{schedule.agent} at {schedule.cron!r} in {schedule.zone}"
        if slot > now:
            yield Finding("ok", f"schedule {schedule.name}", f"{what}; next {here.out.when(slot)}")
        else:
            then = here.again("twelvefold worker")
            says = f"{what}; was due {here.out.when(slot)}   launch it: {then}"
            yield Finding("note", f"schedule {schedule.name}", says)


def log(here: Here) -> Iterator[Finding]:
    store = here.readable_store()
    if store is None:
        yield Finding("ok", "log", f"{here.log_name} does not exist yet; the first run makes it")
        return
    yield Finding("ok", "log", store.name)
    yield Finding("ok", "database", store.about())
    yield from _refused(here, store)
    runner = store.runner_pid()
    waking = len(store.woken())
    who = "nobody advances threads" if runner is None else f"process {runner} advances threads"
    level = "note" if waking and runner is None else "ok"
    yield Finding(level, "runner", f"{who}; {waking} ask for it")
    if waking and runner is None:
        name = short(store.woken()[0].ref.id)
        then = here.again(f"twelvefold resume {name}")
        yield Finding("note", "runner", f"go on with one: {then}")


def _refused(here: Here, store: EmbeddedStore) -> Iterator[Finding]:
    """Whether a worker could write with this login. A queue that is not used may be of others."""
    if (url := getattr(store, "url", None)) is None:
        return
    from twelvefold.stores.postgres.inspection import unwritable

    engine = here.app.engine if here.app_is_loaded else here.place.engine
    ours = ("twelvefold_", "procrastinate_") if engine == "procrastinate" else ("twelvefold_",)
    if names := [name for name in unwritable(url) if name.startswith(ours)]:
        more = f" and {len(names) - LISTED_MAX} more" if len(names) > LISTED_MAX else ""
        says = (
            f"this login may not write {', '.join(names[:LISTED_MAX])}{more}: grant it select,"
            " insert, update, delete on the tables and usage on the sequences"
        )
        yield Finding("wrong", "database", says)


def engine(here: Here) -> Iterator[Finding]:
    """The queue: what waits, for how long, and for whom."""
    if not here.app_is_loaded or here.readable_store() is None:
        return
    found = here.app.new_engine().stats()
    wait = f", the oldest for {ago(found.oldest_wait_s)}" if found.queue else ""
    workers = f"{found.workers} worker{'' if found.workers == 1 else 's'}"
    says = f"{found.queue} wait{wait}; {workers}; timers {found.lag_s:.0f} s behind"
    level = "note" if found.lag_s > LAG_S_MAX or (found.queue and not found.workers) else "ok"
    yield Finding(level, f"engine {found.engine}", says)


def threads(here: Here) -> Iterator[Finding]:
    store = here.readable_store()
    rows = [] if store is None else store.threads(limit=THREADS_LOOKED_AT_MAX)
    counts = Counter(row.status for row in rows)
    words = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    newest = f" (the newest {THREADS_LOOKED_AT_MAX})" if len(rows) == THREADS_LOOKED_AT_MAX else ""
    yield Finding("ok", "threads", (words or "none") + newest)
    for row in [row for row in rows if row.status == "failed"][:LISTED_MAX]:
        name = short(row.ref.id)
        says = f"{row.summary.failed}   then: {here.again(f'twelvefold retry {name}')}"
        yield Finding("note", f"failed {name}", says)
    if here.app_is_loaded:
        yield from _orphans(here, rows)


def _orphans(here: Here, rows: list[ThreadRow]) -> Iterator[Finding]:
    """Threads that cannot go on, because the application has lost their agent."""
    lost: dict[str, list[str]] = {}
    for row in rows:
        if row.status in _OPEN and row.agent not in here.app.agents:
            lost.setdefault(row.agent, []).append(short(row.ref.id))
    for agent, names in lost.items():
        more = f" and {len(names) - LISTED_MAX} more" if len(names) > LISTED_MAX else ""
        says = f"not in App([...]), but {', '.join(names[:LISTED_MAX])}{more} need it"
        yield Finding("wrong", f"agent {agent}", says)


def limits(here: Here) -> Iterator[Finding]:
    """What a limit stopped; what a person paused is theirs."""
    from twelvefold.app.limited import limited_threads

    store = here.readable_store()
    for one in [] if store is None else limited_threads(store):
        age = ago((datetime.now(UTC) - one.since).total_seconds())
        says = (
            f"stopped {one.said}, the first {age} ago: look at one; a model that was away must be"
            f" back   then: {here.again(one.command)}"
        )
        yield Finding("note", "a limit", says)


def waits(here: Here) -> Iterator[Finding]:
    store = here.readable_store()
    contacts = [] if store is None else store.contacts()
    if contacts:
        oldest = min(contacts, key=lambda row: row.asked_at)
        age = ago((datetime.now(UTC) - oldest.asked_at).total_seconds())
        name = f"{short(oldest.ref.id)}.{oldest.id}"
        says = f"{len(contacts)} for a human; the oldest, {name}, for {age}"
        yield Finding("ok", "waits", says)
    due = [] if store is None else [due for due in store.due(datetime.now(UTC)) if due.ref.id]
    if due:
        name = short(due[0].ref.id)
        then = here.again(f"twelvefold resume {name}")
        yield Finding("note", "timers", f"{len(due)} are due   go on: {then}")


def channels(here: Here) -> Iterator[Finding]:
    """What waits to be sent, by channel."""
    store = here.readable_store()
    if not here.app_is_loaded or store is None:
        return
    waiting = {one.channel: one for one in unsent(here.app, store)}
    for name in here.app.channels:
        one = waiting.get(name)
        says = "nothing waits to be sent" if one is None else said_of(one, now=here.app.clock())
        yield Finding("note" if one and one.error else "ok", f"channel {name}", says)


def deliveries(here: Here) -> Iterator[Finding]:
    """What people who are asked have not got."""
    store = here.readable_store()
    if store is None:
        return
    found = [
        Finding("note", f"sending {short(row.ref.id)}.{row.id}", f"not sent to {trouble}")
        for row in store.contacts()
        for trouble in troubles(store.load(row.ref.id, tenant=row.ref.tenant), row.id)
    ]
    yield from found[:LISTED_MAX]
    if len(found) > LISTED_MAX:
        says = f"and {len(found) - LISTED_MAX} more: {here.again('twelvefold inbox')}"
        yield Finding("note", "sending", says)


def ungated(here: Here) -> Iterator[Finding]:
    """Risky steps that ran without approval, because `decide` said `ungated=`."""
    store = here.readable_store()
    found: Counter[tuple[str, str, str]] = Counter()
    for row in [] if store is None else store.threads(limit=THREADS_LOOKED_AT_MAX):
        for event in store.load(row.ref.id).events if store else ():
            if event.type == "tool_started" and event.data.get("ungated"):
                found[row.agent, event.data["intent"], event.data["ungated"]] += 1
    for (agent, intent, why), times in found.items():
        yield Finding(
            "note", f"agent {agent}", f"{intent} ran {times} times without approval: {why}"
        )
