"""Erasing what the events of a thread hold: their commitments stay, so the chain stays valid.

What else a store keeps of them goes in the same transaction: its rows of contacts, and attachments
that no other event of the tenant names.
"""

from twelvefold.audit import commitment, hashes
from twelvefold.store import Ref
from twelvefold.tables.queries import Database
from twelvefold.thread import from_text


def erase(db: Database, number: int, ref: Ref, *, upto: int) -> None:
    """Inside the open transaction: the data of the events of thread `number` up to `upto`."""
    found = db.rows("to_erase", (number, upto))
    commits = [(commitment(salt, data), number, seq) for seq, data, salt in found]
    if commits:
        db.write_many("erase_event", commits)
    db.write("forget_contacts", (number, upto))
    for sha256 in {name for _, data, _ in found for name in _named(data)}:
        db.write("drop_blob", (ref.tenant, sha256))


def _named(data: str) -> list[str]:
    try:
        return list(hashes(from_text(data)))
    except ValueError:  # somebody wrote over it, which is no reason to keep it
        return []
