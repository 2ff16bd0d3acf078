"""A channel that keeps what it is given, and fails when it is told to."""

from collections.abc import Iterable, Mapping

from twelvefold.deliveries import Delivery
from twelvefold.thread import Json


class Postbox:
    """For `App(channels=[Postbox("email")])`. `sent` is what it took, in order.

    `failures`: what the next sends raise, one each; None is a send that goes well.
    """

    def __init__(self, name: str, *, failures: Iterable[Exception | None] = ()) -> None:
        self.name = name
        self.sent: list[Delivery] = []
        self.tried: list[str] = []
        self._failures = iter(failures)

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        self.tried.append(delivery.key)
        if (failure := next(self._failures, None)) is not None:
            raise failure
        self.sent.append(delivery)
        return {"number": len(self.sent)}
