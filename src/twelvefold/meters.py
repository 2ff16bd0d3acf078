"""How much may be asked of models by all processes together: rates and budgets.

`limits` bound one thread and are counted from its log. What is here bounds what many threads do, so
it is counted beside the log, in rows that all workers share. A rate delays a call; a budget pauses
the thread, and a person resumes it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from twelvefold.exceptions import ConfigurationError

WAIT_MAX = timedelta(minutes=10)
"""A call that would have to wait longer for its turn is refused, and counted as a failure."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in each `per`, by all processes of the store; the first `burst` at once.

    Raises `ConfigurationError` for a rate that lets nothing through.
    """

    calls: int
    per: timedelta = timedelta(minutes=1)
    burst: int = 1

    def __post_init__(self) -> None:
        if self.calls < 1 or self.per <= timedelta() or not 1 <= self.burst <= self.calls:
            raise ConfigurationError(
                f"{self} lets nothing through: give calls, per, and a burst of 1 to calls."
            )

    @property
    def step_s(self) -> float:
        """From one call to the next, seconds."""
        return self.per.total_seconds() / self.calls

    @property
    def tolerance_s(self) -> float:
        """How far calls may be ahead of that."""
        return (self.burst - 1) * self.step_s


@dataclass(frozen=True, slots=True)
class Budget:
    """What models may use in each `per`, counted in UTC from 1970: a day begins at midnight.

    - `tokens`: input and output; `cost`: US dollars, of models that say it (see `priced`).
    - `agent`, `tenant`: whose; None is all of them together.

    Calls that are under way when it is used up still end, so it is passed by what they use. Raises
    `ConfigurationError` without an amount, or without a time.
    """

    tokens: int | None = None
    cost: float | None = None
    per: timedelta = timedelta(days=1)
    agent: str | None = None
    tenant: str | None = None

    def __post_init__(self) -> None:
        if (self.tokens is None) == (self.cost is None) or self.per <= timedelta():
            raise ConfigurationError("A budget has tokens= or cost=, one of them, and a time per=.")

    @property
    def allowed(self) -> float:
        return self.cost if self.cost is not None else float(self.tokens or 0)

    def concerns(self, *, agent: str, tenant: str) -> bool:
        return self.agent in (None, agent) and self.tenant in (None, tenant)

    def meter(self, now: datetime) -> str:
        """The name of the row that counts it now."""
        unit = "tokens" if self.cost is None else "cost"
        whose = f"{_quoted(self.tenant)}|{_quoted(self.agent)}"
        return f"budget|{unit}|{self.per.total_seconds():g}|{(now - EPOCH) // self.per}|{whose}"

    def ends(self, now: datetime) -> datetime:
        """When the next one begins."""
        return EPOCH + ((now - EPOCH) // self.per + 1) * self.per

    def __str__(self) -> str:
        amount = f"{self.tokens} tokens" if self.cost is None else f"{self.cost:g} USD"
        of = [f"of the agent {self.agent}"] if self.agent else []
        of += [f"of the tenant {self.tenant}"] if self.tenant else []
        return " ".join([f"{amount} per {_said(self.per)}", *of])


class Meters(Protocol):
    """Rows that many processes count in. Each call is durable when it returns."""

    def take_turn(self, name: str, rate: Rate, now: datetime) -> float | None:
        """Seconds to wait until it is one's turn, which is taken by then; None is too long."""
        ...

    def spend(self, name: str, amount: float, *, until: datetime, now: datetime) -> None:
        """Count it; after `until` the row may be forgotten."""
        ...

    def spent(self, names: Sequence[str]) -> list[float]: ...


def checked_rates(rates: Mapping[str, Rate], models: Collection[str]) -> Mapping[str, Rate]:
    """Raises `ConfigurationError` for the rate of a model that is not there."""
    for name in rates:
        if name not in models:
            known = ", ".join(models) or "none"
            raise ConfigurationError(f"rates= names the model {name!r}; there are: {known}.")
    return rates


def used_up(
    budgets: Sequence[Budget], meters: Meters, *, agent: str, tenant: str, now: datetime
) -> tuple[Budget, float] | None:
    """The first budget that nothing is left of, with what was spent."""
    ours = [one for one in budgets if one.concerns(agent=agent, tenant=tenant)]
    counts = meters.spent([one.meter(now) for one in ours]) if ours else []
    for budget, count in zip(ours, counts, strict=True):
        if count >= budget.allowed:
            return budget, count
    return None


def to_spend(
    budgets: Sequence[Budget],
    *,
    agent: str,
    tenant: str,
    tokens: int,
    cost: float,
    now: datetime,
) -> Iterator[tuple[str, float, datetime]]:
    """What a call adds to which meters, and when those end."""
    for budget in budgets:
        amount = float(tokens) if budget.cost is None else cost
        if amount and budget.concerns(agent=agent, tenant=tenant):
            yield budget.meter(now), amount, budget.ends(now)


def _quoted(name: str | None) -> str:
    """So that nobody's name is everybody."""
    return "*" if name is None else f"={name}"


def _said(time: timedelta) -> str:
    """As people say it: day, 3 days, hour, 90 minutes."""
    for unit in ("days", "hours", "minutes", "seconds"):
        count = time / timedelta(**{unit: 1})
        if count == 1:
            return unit[:-1]
        if count == int(count):
            return f"{int(count)} {unit}"
    return str(time)
