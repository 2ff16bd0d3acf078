"""One piece of work from launch to end, for tests that run it in real processes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twelvefold.app import App
from twelvefold.store import ContactRow

Point = Callable[[str], None]
"""Marks a boundary of the scenario's own, such as before and after an effect."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One piece of work from launch to end.

    - `app` on the folder's own store. It is closed by the matrix.
    - `launch`: begins the thread or threads, with ids of its own, so that it may be called again.
    - `answer`: what somebody says to an open contact, as keyword arguments of `App.answer`; None
      when nobody answers, so that its deadline comes.
    - `effects`: what the outside world says has happened, as {effect: how often it took place}.
    """

    app: App
    launch: Callable[[App], Awaitable[object]]
    answer: Callable[[ContactRow], Mapping[str, Any] | None]
    effects: Callable[[], Mapping[str, int]]


Build = Callable[[Path, Point], Scenario]
"""Makes the scenario in a folder that outlives its processes."""
