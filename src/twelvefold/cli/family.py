"""A thread with all that launched it or was launched by it: its news, and how it came to rest."""

from collections.abc import Iterator
from dataclasses import dataclass

from twelvefold.cli import exits
from twelvefold.exceptions import UnknownThread
from twelvefold.store import EmbeddedStore, Ref, ThreadRow
from twelvefold.thread import DEFAULT_TENANT, Event, Thread

KINDS_OF_EVENTS = ("timer:", "signal:")


def root_of(thread_id: str) -> str:
    return thread_id.partition(".")[0]


class Family:
    """Follows a root thread and its children. `after` are the heads that were seen already."""

    def __init__(self, store: EmbeddedStore, thread_id: str) -> None:
        self.store, self.root = store, root_of(thread_id)
        self._threads: dict[str, Thread] = {}
        self._seen: dict[str, int] = {}
        self._meet(self.root)

    def skip(self) -> None:
        """Take what there is for known."""
        for _ in self.news():
            pass

    def news(self) -> Iterator[tuple[Thread, Event]]:
        """What was committed since the last call, by time."""
        found: list[tuple[Thread, Event]] = []
        todo = list(self._threads)
        while todo:
            name = todo.pop(0)
            thread = self._threads[name] = self.store.tail(self._threads[name])
            events = thread.events[self._seen[name] :]
            self._seen[name] = thread.head
            found += [(thread, event) for event in events]
            todo += [child for child in map(_child, events) if child and self._meet(child)]
        yield from sorted(found, key=lambda one: one[1].at)

    def _meet(self, thread_id: str) -> bool:
        if thread_id in self._threads:
            return False
        self._threads[thread_id] = self.store.load(thread_id)
        self._seen[thread_id] = 0
        return True


def _child(event: Event) -> str | None:
    return str(event.data["child"]) if event.type == "child_launched" else None


@dataclass(frozen=True, slots=True)
class Rest:
    """How a family came to rest. `row` is the thread that decides: the root, or the child it waits
    for. `going`: those that do not rest, since they were woken; the others of the family may."""

    root: ThreadRow
    row: ThreadRow
    waits: tuple[str, ...]
    exit_code: int
    going: tuple[Ref, ...] = ()


def rest_of(store: EmbeddedStore, thread_id: str) -> Rest:
    """The most urgent wait of the family: a failure, then a person, then a timer or signal. Raises
    `UnknownThread`."""
    going = _going(store, thread_id)  # before the rows: one that ends in between has ended
    root = store.thread_row(thread_id)
    rests = [_rest(root, row) for row in _leaves(store, root)]
    order = (exits.FAILED, exits.PAUSED_FOR_HUMAN, exits.PAUSED_FOR_EVENT, exits.DONE)
    first = min(rests, key=lambda rest: order.index(rest.exit_code))
    waits = tuple(wait for rest in rests for wait in rest.waits)
    return Rest(root, first.row, waits, first.exit_code, going)


def _going(store: EmbeddedStore, root: str) -> tuple[Ref, ...]:
    """Which of a family are to be advanced, or are being advanced: a wake ends with its advance."""
    woken = (one.ref for one in store.woken() if one.ref.tenant == DEFAULT_TENANT)
    return tuple(ref for ref in woken if ref.id == root or ref.id.startswith(f"{root}."))


def _rest(root: ThreadRow, row: ThreadRow) -> Rest:
    waits = waiting_for(row)
    match row.status:
        case "finished":
            code = exits.DONE
        case "failed" | "cancelled" | "erased":
            code = exits.FAILED
        case "paused":
            code = exits.PAUSED_FOR_HUMAN
        case "waiting" | "running":
            human = any(not wait.startswith((*KINDS_OF_EVENTS, "child:")) for wait in waits)
            code = exits.PAUSED_FOR_HUMAN if human else exits.PAUSED_FOR_EVENT
    return Rest(root, row, tuple(waits), code)


def _leaves(store: EmbeddedStore, row: ThreadRow) -> list[ThreadRow]:
    """The thread itself, and the children it waits for instead where it waits for nothing else."""
    children = [w.removeprefix("child:") for w in row.summary.waits if w.startswith("child:")]
    if row.status != "waiting" or not children:
        return [row]
    own = [row] if len(children) < len(row.summary.waits) else []
    for child in children:
        try:
            own += _leaves(store, store.thread_row(child))
        except UnknownThread:  # its launch is being committed
            own.append(row)
    return own


def waiting_for(row: ThreadRow) -> list[str]:
    """What a thread waits for: `<thread>.s4.1`, `timer:s3`, `signal:merged`, `child:<thread>`."""
    return [_wait(row, wait) for wait in row.summary.waits]


def _wait(row: ThreadRow, wait: str) -> str:
    if wait.startswith("signal:"):
        return wait.rpartition(":")[0]
    return wait if wait.startswith(("timer:", "child:")) else f"{row.ref.id}.{wait}"
