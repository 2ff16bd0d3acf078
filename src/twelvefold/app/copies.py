"""The verbs that make a new thread from a log: fork and import."""

from twelvefold.app import verbs
from twelvefold.app.erasing import Erasing
from twelvefold.app.names import new_thread_id
from twelvefold.exceptions import Conflict
from twelvefold.files import Changes
from twelvefold.thread import DEFAULT_TENANT


class Copies(Erasing):
    """What `App` does with whole logs."""

    async def fork(
        self,
        thread_id: str,
        at: int | None = None,
        *,
        new_id: str | None = None,
        edits: Changes | None = None,
        by: str = "",
        tenant: str = DEFAULT_TENANT,
    ) -> str:
        """Copy the log up to event `at` (its end, as a rule) into a new thread; its id.

        `edits`: the new data of messages, recorded results and your own event types, by seq. `by`:
        who makes them, and so is behind all that is chosen here.
        Raises `Conflict` when a tool is under way there, or `new_id` is taken, and `InvalidFile`
        for an edit of anything else.
        """
        name = new_thread_id(self.clock()) if new_id is None else new_id
        thread = self.store.load(thread_id, tenant=tenant)
        if self.store.thread_row(thread_id, tenant=tenant).status == "erased":
            raise Conflict(f"{thread_id} was erased: there is nothing to copy.")
        cut = thread.head if at is None else at
        now, changed = self.clock(), edits or {}
        change = verbs.fork(thread, at=cut, new_id=name, edits=changed, by=by, now=now)
        return await self._begin(change)

    async def import_thread(
        self,
        text: str,
        *,
        new_id: str | None = None,
        by: str = "",
        tenant: str = DEFAULT_TENANT,
    ) -> str:
        """Begin a thread with an exported log; its id, which is the old one without `new_id`.

        Everything that was open there is void here: contacts, approvals, timers, children, runs.
        `by`: who brings it, and so is behind all that is chosen here.
        Raises `InvalidFile`, and `Conflict` when the id is taken.
        """
        now = self.clock()
        change = verbs.import_thread(text, new_id=new_id, tenant=tenant, by=by, now=now)
        return await self._begin(change)

    async def _begin(self, change: verbs.Change) -> str:
        [append] = change.appends
        [stored] = await self.store.commit(append)
        if len(stored) != len(append.drafts):
            raise Conflict(f"{append.thread_id} is another thread already. Nothing was done.")
        return append.thread_id
