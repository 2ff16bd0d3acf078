"""Send what a thread has for people. Beside the advance: a slow mail server holds up no thread."""

import asyncio
import logging
from collections.abc import Mapping

from twelvefold.deliveries import Channel, Delivery, closings, not_sent, pending, sent, timer_of
from twelvefold.exceptions import Stale
from twelvefold.failures import short
from twelvefold.loop.said import about as said_of
from twelvefold.loop.surroundings import Surroundings
from twelvefold.store import Append, Ref, Timer
from twelvefold.thread import Draft

SEND_TIMEOUT_S = 30.0
ROUNDS_MAX = 100
"""How often the log may change while it is seen to that nothing is left."""

log = logging.getLogger("twelvefold")


async def deliver(ref: Ref, about: str, around: Surroundings) -> None:
    """Try all that is due about one contact, and set the timer of the next try.

    A message is recorded once its channel has taken it. A process that dies in between sends it
    again, under the same key.
    """
    tried: set[str] = set()
    for _ in range(ROUNDS_MAX):
        # Read anew for each: what was closed while one was sent is sent to nobody else.
        thread, now = around.store.load(ref.id, tenant=ref.tenant), around.clock()
        left: list[Delivery] = []
        if around.channels:
            left += pending(thread, about, around.channels, around.directory(ref.tenant))
            left += closings(thread, about, around.updating)
        ready = [one for one in left if one.key not in tried and (one.due or now) <= now]
        if ready:
            tried.add(ready[0].key)
            fact = await _tried(ready[0], around.channels, around)
            await around.store.commit(Append(ref.id, [fact], tenant=ref.tenant))
        elif await _rested(ref, about, left, thread.head, around):
            return
    text = "%s: what is to be sent about %s changes faster than it is sent"
    log.warning(text, ref.id, about, extra=said_of(ref))


async def _tried(one: Delivery, channels: Mapping[str, Channel], around: Surroundings) -> Draft:
    if not one.recipient.channel:
        error = f"no channel of this application reaches {one.recipient.person}"
        return not_sent(one, error, now=around.clock())
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            said = await channels[one.recipient.channel].send(one)
    except Exception as error:  # whatever a channel does, the question stays
        log.warning("%s: %s", one.key, short(error), extra=said_of(one.ref))
        return not_sent(one, short(error), now=around.clock())
    try:
        return sent(one, said, now=around.clock())
    except Exception as error:  # it went out: to send it again would not make it storable
        text = "%s was sent, but what its channel said is lost: %s"
        log.warning(text, one.key, short(error), extra=said_of(one.ref))
        return sent(one, {}, now=around.clock())


async def _rested(
    ref: Ref, about: str, left: list[Delivery], head: int, around: Surroundings
) -> bool:
    """Set the timer of the next try, or drop it. False when the log has changed meanwhile, were it
    by a reminder, which set that timer, too."""
    key, due = timer_of(about), min((one.due for one in left if one.due), default=None)
    append = Append(
        ref.id,
        [],
        tenant=ref.tenant,
        expect=head,
        exact=True,
        timers=[] if due is None else [Timer(key, due)],
        cancel=[key] if due is None else [],
    )
    try:
        await around.store.commit(append)
    except Stale:
        return False
    return True
