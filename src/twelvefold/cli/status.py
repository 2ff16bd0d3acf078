"""Bare `twelvefold`: how things stand, and the next thing to do."""

from collections import Counter

from twelvefold.cli import exits
from twelvefold.cli.here import BEGIN, Here
from twelvefold.cli.waits import contact_line
from twelvefold.store import ContactRow
from twelvefold.stores import shown_url
from twelvefold.summary import short

THREADS_COUNTED_MAX = 1000


def status(here: Here) -> int:
    counts: Counter[str] = Counter()
    contacts: list[ContactRow] = []
    if not here.is_nowhere and here.has_log:
        counts.update(row.status for row in here.store.threads(limit=THREADS_COUNTED_MAX))
        contacts = here.store.contacts()
    following = _next(here, counts, contacts)
    if here.json:
        fields = {"threads": dict(counts), "waiting": len(contacts), "next": following}
        here.out.document("status/1", store=shown_url(here.place.store), **fields)
        return exits.DONE
    words = [f"{count} {name}" for name, count in counts.most_common()]
    many = counts.total() == THREADS_COUNTED_MAX
    newest = f" (of the newest {THREADS_COUNTED_MAX})" if many else ""
    here.out.line(f"threads  {', '.join(words) or 'none'}{newest}")
    here.out.line(f"next     {following}")
    return exits.DONE


def _next(here: Here, counts: Counter[str], contacts: list[ContactRow]) -> str:
    if contacts:
        return contact_line(contacts[0], contacts, again=here.again)
    if counts["failed"]:
        return here.again("twelvefold threads list --status failed")
    if counts["running"] and (woken := here.store.woken()):
        return here.again(f"twelvefold resume {short(woken[0].ref.id)}")
    if here.has_app:
        return here.again(BEGIN)
    return "twelvefold new bot   or look around: twelvefold demo"
