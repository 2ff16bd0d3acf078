"""A clock that only tests move."""

from datetime import datetime, timedelta

from twelvefold.testing.past import START


class Clock:
    """For `App(clock=Clock())`: it shows `now`, and stands still until it is moved.

    The crash matrix moves it to the next timer whenever nobody is asked, but not beyond `end`.
    """

    def __init__(self, now: datetime = START, *, end: datetime | None = None) -> None:
        self.now, self.end = now, end

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by
