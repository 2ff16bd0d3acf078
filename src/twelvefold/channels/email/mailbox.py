"""Take what is new in a mailbox, and mark it as seen when it is durable.

The library for IMAP blocks, so each of its calls runs in a thread, one after the other, and none
takes longer than a connection's timeout.
"""

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from twelvefold.channels.email.reading import MAIL_BYTES_MAX
from twelvefold.channels.email.servers import TIMEOUT_S, Imap, library
from twelvefold.exceptions import BadSignature, InvalidRequest

T = TypeVar("T")
MAILS_MAX = 50
"""Taken at once, before it is looked whether others came."""
IDLE_S = 600.0
POLL_S = 30.0
"""Between looks, where a server cannot tell of new mail (RFC 2177)."""
SLICE_S = 1.0
PAUSE_FIRST_S = 1.0
PAUSE_MAX_S = 60.0
"""After a failure, before the mailbox is opened again; pauses double from the first to the second,
and begin anew once it was open."""
SEEN = "\\Seen"

log = logging.getLogger("twelvefold")

Take = Callable[[bytes], Awaitable[None]]


async def listen(imap: Imap, take: Take, *, name: str, pause_s: float = PAUSE_FIRST_S) -> None:
    """Give each unseen mail to `take`, as long as nobody cancels it."""
    tries: Counter[str] = Counter()
    pauses = _Pauses(pause_s)
    while True:
        try:
            await _listen(imap, take, name, tries, pauses)
        except Exception as error:  # a mailbox that is away comes back
            log.warning("%s: the mailbox is tried again in %s s: %s", name, pauses.next_s, error)
        await asyncio.sleep(pauses.taken())


class _Pauses:
    def __init__(self, first_s: float) -> None:
        self._first_s = self.next_s = first_s

    def taken(self) -> float:
        pause_s, self.next_s = self.next_s, min(2 * self.next_s, PAUSE_MAX_S)
        return pause_s

    def begin_anew(self) -> None:
        self.next_s = self._first_s


async def _listen(imap: Imap, take: Take, name: str, tries: Counter[str], pauses: _Pauses) -> None:
    opened: list[Any] = []  # known here even where who waits for it is cancelled
    try:
        box = await apart(_opened, imap, opened)
        while True:
            while await _taken(box, take, name, tries):
                pass
            pauses.begin_anew()
            await _new(box)
    finally:
        for one in opened:
            _close(one)


def _opened(imap: Imap, opened: list[Any]) -> Any:
    tools = library("imap_tools")
    checks = ssl.create_default_context()  # without one, Python's IMAP asks for no certificate
    if imap.tls == "tls":
        box = tools.MailBox(imap.host, imap.port, timeout=TIMEOUT_S, ssl_context=checks)
    else:
        box = tools.MailBoxUnencrypted(imap.host, imap.port, timeout=TIMEOUT_S)
    opened.append(box)
    if imap.tls == "starttls":
        box.client.starttls(checks)
    return box.login(imap.user, imap.password, initial_folder=imap.folder)


def _close(box: Any) -> None:
    """Without a word to the server, which may be gone."""
    with suppress(OSError, ValueError):
        box.client.shutdown()
    box.client.sock.close()


async def _taken(box: Any, take: Take, name: str, tries: Counter[str]) -> int:
    """How many mails were taken; each is marked once it is durable, or can never be read. What
    failed before comes last, so that one mail holds up no other."""
    unseen: list[str] = await apart(box.uids, "UNSEEN")
    uids = sorted(unseen, key=lambda uid: (tries[uid], int(uid)))[:MAILS_MAX]
    failure: Exception | None = None
    for uid in uids:
        try:
            await _one(box, uid, take, name)
        except Exception as error:
            tries[uid] += 1
            failure = error
    if failure is not None:
        raise failure
    return len(uids)


async def _one(box: Any, uid: str, take: Take, name: str) -> None:
    raw = await apart(_raw, box, uid)
    try:
        if raw is None:
            log.warning("%s: mail %s is too large and is not read", name, uid)
        else:
            await take(raw)
    except (InvalidRequest, BadSignature) as error:
        log.warning("%s: mail %s is not read: %s", name, uid, error)
    await apart(box.flag, uid, SEEN, True)


def _raw(box: Any, uid: str) -> bytes | None:
    """Every byte as it is: what is written anew has lost its signature. None is too much."""
    kind, [size, *_] = box.client.uid("fetch", uid, "(RFC822.SIZE)")
    if kind != "OK" or size is None:
        raise ConnectionError(f"mail {uid} cannot be fetched")
    digits = size.rpartition(b"RFC822.SIZE ")[2].split(b")")[0].split()[0]
    if int(digits) > MAIL_BYTES_MAX:
        return None
    found: list[Any] = box.client.uid("fetch", uid, "(BODY.PEEK[])")[1]
    return bytes(found[0][1])  # imaplib: [(what it is, its bytes), b")"]


async def _new(box: Any) -> None:
    """Wait until the server says that something changed, or for a while."""
    if "IDLE" not in box.client.capabilities:
        await asyncio.sleep(POLL_S)
        await apart(box.client.noop)
        return
    await apart(box.idle.start)
    said, waited_s = [], 0.0
    while not said and waited_s < IDLE_S:
        said = await apart(box.idle.poll, SLICE_S)
        waited_s += SLICE_S
    await apart(box.idle.stop)


async def apart(call: Callable[..., T], *given: Any) -> T:
    """In a thread, which has ended when this has: who cancels waits for what is under way."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *given))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        with suppress(BaseException):
            running.result()
        raise
