"""The requests that may come twice, of the in-memory store."""

import threading
from dataclasses import replace
from datetime import datetime

from twelvefold.repeats import Claim, is_free


class MemoryRepeats:
    """`Repeats` without a file."""

    def __init__(self) -> None:
        super().__init__()
        self._claims: dict[tuple[str, str], Claim] = {}
        self._claims_lock = threading.Lock()

    def claim(self, claim: Claim) -> Claim:
        place = (claim.tenant, claim.key)
        with self._claims_lock:
            there = self._claims.get(place)
            if there is not None and not is_free(there, claim):
                return there
            forgotten = there is None or there.keep_until <= claim.began
            kept = claim if forgotten or there is None else replace(claim, began=there.began)
            self._claims[place] = kept
            return kept

    def settle(self, claim: Claim, reply: str) -> bool:
        place = (claim.tenant, claim.key)
        with self._claims_lock:
            there = self._claims.get(place)
            if there is None or there.owner != claim.owner or there.reply is not None:
                return False
            self._claims[place] = replace(there, reply=reply)
            return True

    def give_up(self, claim: Claim) -> None:
        place = (claim.tenant, claim.key)
        with self._claims_lock:
            there = self._claims.get(place)
            if there is not None and there.owner == claim.owner and there.reply is None:
                del self._claims[place]

    def sweep_claims(self, before: datetime) -> None:
        with self._claims_lock:
            kept = {p: c for p, c in self._claims.items() if c.keep_until >= before}
            self._claims = kept
