"""The table of requests that may come twice: the same statements in every SQL database."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any

from twelvefold.encoding import from_iso, to_iso
from twelvefold.repeats import Claim
from twelvefold.tables.queries import parse_queries
from twelvefold.tables.rows import Row

REPEAT_STATEMENTS: Mapping[str, str] = parse_queries(
    files("twelvefold.tables").joinpath("repeats.sql").read_text(encoding="utf-8")
)
"""By name, with `?1` for the first parameter."""


class RepeatTable(ABC):
    """`Repeats` over statements by name."""

    @abstractmethod
    def _rows(self, name: str, parameters: Any = ()) -> list[Any]:
        """What was committed. A name that cannot be stored has no rows."""
        ...

    @abstractmethod
    def _returned(self, name: str, parameters: Any) -> list[Any]:
        """What one statement returns, in a transaction of its own that is committed by then."""
        ...

    def claim(self, claim: Claim) -> Claim:
        place = (claim.tenant, claim.key)
        times = map(to_iso, (claim.began, claim.busy_until, claim.keep_until))
        wanted = (*place, claim.fingerprint, claim.owner, *times)
        while True:
            # Between the two, whoever had it may have given it up.
            rows = self._returned("claim", wanted) or self._rows("claimed", place)
            if rows:
                return _claim_of(*place, rows[0])

    def settle(self, claim: Claim, reply: str) -> bool:
        given = (claim.tenant, claim.key, claim.owner, reply)
        return bool(self._returned("settle_claim", given))

    def give_up(self, claim: Claim) -> None:
        self._returned("give_up_claim", (claim.tenant, claim.key, claim.owner))

    def sweep_claims(self, before: datetime) -> None:
        self._returned("sweep_claims", (to_iso(before),))


def _claim_of(tenant: str, key: str, row: Row) -> Claim:
    fingerprint, owner, began, busy_until, keep_until, reply = row
    times = map(from_iso, (began, busy_until, keep_until))
    began_at, busy, keep = times
    return Claim(tenant, key, fingerprint, owner, began_at, busy, keep, reply)
