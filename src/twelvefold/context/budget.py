"""A context that fits into a budget of tokens, and says what it left out.

What does not fit is left out from the front, up to a mark that moves only now and then: between two
moves the text is the same from its beginning on, and a provider's prompt cache keeps it.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import accumulate

from twelvefold.context import render_event
from twelvefold.context.menu import compaction, left_out
from twelvefold.context.renderer import Shown
from twelvefold.context.selected import each
from twelvefold.context.tokens import estimate
from twelvefold.exceptions import BudgetTooSmall
from twelvefold.thread import Event

RESERVE = 0.1
"""The share of a budget that is left free, since an estimate may be too low."""

MOVES = 4
"""The mark moves by this part of the budget, or by as little as half of that."""

Count = Callable[[str], int]


def within(
    thread: Shown,
    tokens_max: int,
    *,
    count: Count = estimate,
    show: Callable[[Event], str] = render_event,
    reserve: float = RESERVE,
) -> list[Event]:
    """The events of the context, or of those that you picked, whose rendering fits.

    The first message, the newest summary, the newest event and the choices that people are asked
    about always stay; `left_out` events stand where others are gone. `count` is asked once per
    event of a thread; `show` must be what the events are rendered with (`renderer.event`). Raises
    `BudgetTooSmall` when what always stays does not fit.
    """
    events, costs = each(thread, _itself), each(thread, _cost(show, count))
    room = int(tokens_max * (1 - reserve))
    if sum(costs) <= room:
        return events
    context = _Context(events, costs, said=sum(map(count, map(show, left_out(events)))))
    return context.fitted(room)


def _itself(event: Event) -> Event:
    return event


@lru_cache(maxsize=64)
def _cost(show: Callable[[Event], str], count: Count) -> Callable[[Event], int]:
    """One function per pair, by which a thread keeps what it has counted."""
    return lambda event: count(shown) if (shown := show(event)) else 0


class _Context:
    """Events, what each of them costs, and what it costs to say that some are left out."""

    def __init__(self, events: list[Event], costs: list[int], *, said: int) -> None:
        self._events, self._costs, self._said = events, costs, said
        self._before = [0, *accumulate(costs)]
        self._newest = max((n for n, cost in enumerate(costs) if cost), default=0)
        self._stays = sorted(n for n in self._staying() if costs[n])

    def fitted(self, room: int) -> list[Event]:
        for place in self._marks(room):
            if self._tokens(place) <= room:
                return self._from(place)
        raise BudgetTooSmall(
            f"What always stays takes {self._tokens(self._newest)} tokens, and there is room for"
            f" {room}: the first message, the newest event and what people are asked about. Raise"
            " tokens_max, or shorten them first, by menu.squash_results for example."
        )

    def _marks(self, room: int) -> Iterable[int]:
        """Where the context may begin, in the order of the log. Powers of two: a budget that is
        calibrated anew each turn gives the same marks."""
        moves = 1 << max((room // MOVES).bit_length() - 1, 0)
        place = 0
        for tokens in range(moves, self._before[self._newest] + 1, moves):
            while self._before[place] < tokens:
                place += 1
            yield place
        yield self._newest

    def _tokens(self, place: int) -> int:
        """What is sent when only what always stays is kept before `place`."""
        stays = [n for n in self._stays if n < place]
        kept = sum(self._costs[n] for n in stays)
        return self._before[-1] - self._before[place] + kept + self._said * (len(stays) + 1)

    def _from(self, place: int) -> list[Event]:
        stays = {n for n in self._stays if n < place}
        shown: list[Event] = []
        gap: list[Event] = []
        for n, event in enumerate(self._events):
            if n < place and n not in stays:
                gap += [event] if self._costs[n] else []  # what is hidden anyway is not missing
                continue
            shown += [*left_out(gap), event]
            gap = []
        return shown

    def _staying(self) -> Iterable[int]:
        yield self._newest
        yield next((n for n, e in enumerate(self._events) if e.type == "message_received"), 0)
        yield from (n for n, e in enumerate(self._events) if compaction(e))
        closed = {e.data["contact"] for e in self._events if e.type == "contact_closed"}
        for n, event in enumerate(self._events):
            if event.type == "contact_requested" and event.data["contact"] not in closed:
                yield from self._choice_before(n, event.data["intent"])

    def _choice_before(self, place: int, intent: str) -> Iterable[int]:
        for n in range(place - 1, -1, -1):
            event = self._events[n]
            if event.type == "next_step_chosen" and event.data["intent"] == intent:
                return (n,)
        return ()
