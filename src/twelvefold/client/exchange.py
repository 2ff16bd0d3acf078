"""One request and its answers, try by try: what is asked again, what is returned, what is raised.
No I/O: a client sends, waits and asks here what to do."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from twelvefold.client.calls import Call
from twelvefold.client.problems import error_of, problem_of
from twelvefold.client.records import json_of
from twelvefold.client.retrying import Retries, may_pass, told_s
from twelvefold.exceptions import TooManyRequests, TwelvefoldError, Unreachable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    value: T


class Exchange(Generic[T]):
    """Each `answered` and `lost` is a try: it says what came of it, or how long to wait until the
    next one, or raises."""

    def __init__(self, call: Call[T], retries: Retries) -> None:
        self._call, self._retries, self._tries = call, retries, 0

    def answered(
        self, status: int, headers: Mapping[str, str], content: bytes
    ) -> Answered[T] | float:
        if 200 <= status < 300:
            return Answered(self._call.read(json_of(content)))
        error = error_of(status, content, missing=self._call.missing)
        told = told_s(headers)
        if isinstance(error, TooManyRequests) and told is not None:
            error.retry_after_s = int(told)
        if not may_pass(status, problem_of(content)):
            raise error
        return self._pause_s(error, told)

    def lost(self, error: Exception) -> float:
        """Whether it was done is not known: with its key it is safe to ask again."""
        said = str(error) or type(error).__name__
        return self._pause_s(Unreachable(f"{self._call.method} {self._call.path}: {said}."), None)

    def _pause_s(self, error: TwelvefoldError, told: float | None) -> float:
        self._tries += 1
        pause_s = self._retries.pause_s(
            self._tries, of=self._retries.tries_max, told_s=told, chance=random.random()
        )
        if pause_s is None:
            raise error
        return pause_s
