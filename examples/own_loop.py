"""The release pipeline in a loop of your own: no `App`, no `advance`, the same log.

Run it, kill it whenever you like, run it again. People answer with `twelvefold approve` and `deny`.

    python own_loop.py threads.db "deploy SHA 4af9ec0 to production"
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "release_pipeline"))  # where its modules look

from release_pipeline.app import HERE, release
from release_pipeline.rollback import rollback

from twelvefold import ScriptedModel
from twelvefold.exceptions import Stale
from twelvefold.loop import Surroundings, act, utc_now
from twelvefold.plan import Plan, begin, fire, recover
from twelvefold.reducer import reduce
from twelvefold.store import Append, Create
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.thread import Draft

AGENTS = {agent.name: agent for agent in (release, rollback)}
PAUSE_S = 0.05


async def own_loop(store: SqliteStore) -> None:
    model = ScriptedModel.from_file(HERE / "script.yaml")
    around = Surroundings(AGENTS, store, {"scripted": model})
    while True:
        await fire_timers(store)
        for ref, version in store.woken():
            thread = store.load(ref.id, tenant=ref.tenant)
            agent = AGENTS[thread.agent]

            state = reduce(thread, agent.steps)  # fold

            plan = recover(state, agent, in_flight=(), now=utc_now())
            if state.stopped:
                plan = Plan(waits=True)
            elif not plan.drafts:
                effect = agent.decide(thread, state)
                plan = begin(effect, state, thread, agent, now=utc_now())
            for draft in plan.drafts:
                draft.after = thread.head

            decision = Append(
                ref.id,
                plan.drafts,
                tenant=ref.tenant,
                expect=thread.head,  # whatever arrived meanwhile makes this decision void
                timers=plan.timers,
                cancel=plan.cancel,
                served=version if plan.waits else None,
            )
            try:
                await store.commit(decision, *plan.others)
            except Stale:
                continue  # decide again

            for action in plan.acts:
                fact = await act(action, thread, agent, around, after=thread.head)
                await store.commit(Append(ref.id, [fact], tenant=ref.tenant))  # once, by its key
        await asyncio.sleep(PAUSE_S)


async def fire_timers(store: SqliteStore) -> None:
    """A deadline that has passed closes its contact, unless an answer came first."""
    for due in store.due(utc_now()):
        thread = store.load(due.ref.id, tenant=due.ref.tenant)
        with suppress(Stale):
            await store.commit(fire(thread, due.key, now=utc_now()))


async def main(path: str, text: str) -> None:
    store = SqliteStore(path)
    with store.runner_lock() as held:  # one loop per file: a run without an outcome is an orphan
        if not held:
            sys.exit(f"another process advances the threads of {path}")
        launch = Draft("message_received", {"text": text}, utc_now(), key="launch")
        await store.commit(Append("mine", [launch], create=Create("release"), wake=True))
        await own_loop(store)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
