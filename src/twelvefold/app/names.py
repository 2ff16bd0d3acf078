"""How people name threads and contacts: by any unique ending, `@last`, or a thread's only
contact."""

import hashlib
import secrets
from datetime import datetime

from twelvefold.exceptions import Conflict, UnknownContact, UnknownThread
from twelvefold.reducer import read
from twelvefold.store import Ref, Store
from twelvefold.summary import SHORT_CHARS as SHORT_CHARS
from twelvefold.summary import short as short
from twelvefold.thread import DEFAULT_TENANT

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: no i, l, o, u
_TIME_CHARS, _RANDOM_CHARS = 9, 8


def new_thread_id(now: datetime) -> str:
    """Sorts by time to the millisecond; the last 40 bits are random, so its ending is unique."""
    ms = int(now.timestamp() * 1000)
    time = "".join(_ALPHABET[(ms >> (5 * n)) & 31] for n in reversed(range(_TIME_CHARS)))
    return time + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARS))


def named_thread_id(name: str) -> str:
    """An id that follows from a name: whoever launches it twice launches it once."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest())
    return "".join(_ALPHABET[(number >> (5 * n)) & 31] for n in range(_TIME_CHARS + _RANDOM_CHARS))


def is_kin(one: Ref, other: Ref) -> bool:
    """Whether one of them launched the other, or the same thread launched both."""
    return one.tenant == other.tenant and one.id.split(".")[0] == other.id.split(".")[0]


def split_contact(contact_id: str) -> tuple[str, str]:
    """`<thread>.s4.2` as the thread's id and `s4.2`. Raises `UnknownContact`."""
    thread, _, rest = contact_id.rpartition(".s")
    if not thread or not rest:
        raise UnknownContact(f"{contact_id!r} is not a contact: they look like k3f9q2.s4.1.")
    return thread, f"s{rest}"


def find_thread(store: Store, name: str, *, tenant: str = DEFAULT_TENANT) -> str:
    """The full id. Raises `UnknownThread`, or `Conflict` when several threads end so."""
    if name == "@last":
        newest = store.threads(tenant=tenant, limit=1)
        if not newest:
            raise UnknownThread("There is no thread yet: start one with `twelvefold run`.")
        return newest[0].ref.id.partition(".")[0]  # whoever launched it means the root
    found = store.ids_ending(name, tenant=tenant)
    if not found:
        raise UnknownThread(f"No thread ends in {name!r}. `twelvefold threads list` shows them.")
    if len(found) > 1:
        raise Conflict(f"{name!r} fits {', '.join(found)}: give more of the id.")
    return found[0]


def find_contact(store: Store, name: str, *, tenant: str = DEFAULT_TENANT) -> tuple[str, str]:
    """A contact's thread and its id there. A thread names its only open contact, or that of the
    threads it launched."""
    if name != "@last" and ".s" in name:
        head, rest = split_contact(name)
        if "." in rest:  # s4.1, not the thread k3f9q2.s4
            return find_thread(store, head, tenant=tenant), rest
    thread_id = find_thread(store, name, tenant=tenant)
    waiting = [(thread_id, c) for c in read(store.load(thread_id, tenant=tenant)).open_contacts]
    if not waiting:
        rows = store.contacts(tenant=tenant)
        waiting = [(r.ref.id, r.id) for r in rows if r.ref.id.startswith(f"{thread_id}.")]
    if not waiting:
        raise UnknownContact(f"{short(thread_id)} waits for no answer: `twelvefold inbox`.")
    if len(waiting) > 1:
        each = ", ".join(f"{short(thread)}.{contact}" for thread, contact in waiting)
        raise Conflict(f"{short(thread_id)} waits for several answers: name one of {each}.")
    return waiting[0]
