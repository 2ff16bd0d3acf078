"""How often somebody may ask, and how often an address may guess. Counted in this process alone.

Buckets that refill: a burst of a minute's share is let through, then the rate. Who failed too often
at an address is refused there before a key is looked up; keys that were right from there a moment
ago still pass, so that nobody can lock out those who share an address with them.
"""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from fastapi import Request

from twelvefold.exceptions import TooManyRequests
from twelvefold.server.limits import FAILURES_PER_MINUTE_MAX, REQUESTS_PER_MINUTE_MAX
from twelvefold.server.principal import Principal

REMEMBERED_MAX = 10_000
"""Principals, addresses and right keys that are remembered, the last used of them."""
MINUTE_S = 60.0


class Buckets:
    """By name, how much is left of `per_minute`."""

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        self._size, self._now = float(per_minute), now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """How long until one more is let through; 0 for now."""
        left = self._filled(name)
        return 0.0 if left >= 1 else (1 - left) * MINUTE_S / self._size

    def take(self, name: str) -> None:
        self._left[name] = max(0.0, self._filled(name) - 1), self._now()
        self._left.move_to_end(name)
        while len(self._left) > REMEMBERED_MAX:
            self._left.popitem(last=False)

    def _filled(self, name: str) -> float:
        left, at = self._left.get(name, (self._size, self._now()))
        return min(self._size, left + (self._now() - at) * self._size / MINUTE_S)


class Rates:
    """The counts of one server."""

    def __init__(
        self,
        *,
        requests_per_minute_max: int = REQUESTS_PER_MINUTE_MAX,
        failures_per_minute_max: int = FAILURES_PER_MINUTE_MAX,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = Buckets(requests_per_minute_max, now)
        self._failures = Buckets(failures_per_minute_max, now)
        self._right: OrderedDict[str, None] = OrderedDict()

    def refuse_guessing(self, request: Request, given: str, *, at: str = "") -> None:
        """Raises `TooManyRequests` where too many tries failed, for what may be another one.

        `given`: the key or token that is about to be looked up. `at`: what it would open, where
        tries at one thing do not count for another.
        """
        if _try(request, given) in self._right:
            return
        wait_s = self._failures.wait_s(_place(request, at))
        if wait_s:
            raise _too_many("Too many tries from this address were refused.", wait_s)

    def failed(self, request: Request, given: str, *, at: str = "") -> None:
        self._right.pop(_try(request, given), None)
        self._failures.take(_place(request, at))

    def succeeded(self, request: Request, given: str) -> None:
        given = _try(request, given)
        self._right[given] = None
        self._right.move_to_end(given)
        while len(self._right) > REMEMBERED_MAX:
            self._right.popitem(last=False)

    def count(self, who: Principal) -> None:
        """Raises `TooManyRequests` when they ask too often."""
        name = f"{who.tenant}\n{who.name}"
        wait_s = self._requests.wait_s(name)
        if wait_s:
            raise _too_many(f"{who.name} asks too often.", wait_s)
        self._requests.take(name)


def _try(request: Request, given: str) -> str:
    """A key and whence it came, hashed."""
    return hashlib.sha256(f"{_address(request)}\n{given}".encode(errors="replace")).hexdigest()


def _place(request: Request, at: str) -> str:
    return f"{_address(request)}\n{at}"


def _address(request: Request) -> str:
    """Whoever has an IPv6 address has 2^64 of them: they count as one."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> 64)
    return host


def _too_many(why: str, wait_s: float) -> TooManyRequests:
    error = TooManyRequests(f"{why} Try again in {math.ceil(wait_s)} s. Nothing was done.")
    error.retry_after_s = math.ceil(wait_s)
    return error
