"""Requests that may come twice: what was asked under a key, and what it was answered.

Whoever claims a key works on the request until it settles or gives it up. A claim that its owner
left behind, for its process died, can be taken over once its time is over; what the request does
has to be named by the key, so that doing it again adds nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a request: `owner` is chance that tells one claim from another.

    - `fingerprint`: of what is asked. The same key with another one is a mistake of the client.
    - `began`: when the first of those who claimed it did.
    - `busy_until`: from then on others may take it over. `keep_until`: then it is forgotten.
    """

    tenant: str
    key: str
    fingerprint: str
    owner: str
    began: datetime
    busy_until: datetime
    keep_until: datetime
    reply: str | None = None


class Repeats(Protocol):
    """Where claims are kept. Each change is one statement; all may be called from any thread."""

    def claim(self, claim: Claim) -> Claim:
        """The claim as it stands: with this `owner` it is the caller's, and began before it did if
        it was taken over; else somebody else is busy with it, or has settled it."""
        ...

    def settle(self, claim: Claim, reply: str) -> bool:
        """Keep the reply. False: somebody else has taken it over meanwhile."""
        ...

    def give_up(self, claim: Claim) -> None:
        """Nothing was done: whoever comes next begins anew."""
        ...

    def sweep_claims(self, before: datetime) -> None:
        """Forget those whose `keep_until` is before."""
        ...


def is_free(there: Claim, wanted: Claim) -> bool:
    """Whether `wanted` may take the place of what is there."""
    if there.keep_until <= wanted.began:
        return True
    left = there.reply is None and there.busy_until <= wanted.began
    return left and there.fingerprint == wanted.fingerprint
