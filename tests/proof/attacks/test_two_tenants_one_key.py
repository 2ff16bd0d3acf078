"""A tool's key names one effect of one tenant, and a gate opens only for a reason."""

from typing import Any, ClassVar, Literal

import pytest

from twelvefold import Agent, App, Choose, Effect, State, Step, Thread, Wait, run
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio


class Look(Step):
    intent: Literal["look"] = "look"


class Pay(Step):
    risk: ClassVar = "high"
    intent: Literal["pay"] = "pay"


async def test_no_two_tenants_share_the_key_of_an_effect() -> None:
    keys: list[str] = []

    def look(_: Look, call: Any) -> None:
        keys.append(call.key)

    def decide(_: Thread, state: State[Look]) -> Effect[Look]:
        if state.ready:
            return run(look, state.ready[0].step)
        return Wait() if state.last(Look) else Choose(Look())

    app = App([Agent("bot", decide, Look, owner="anna")], store=MemoryStore())
    for tenant, thread in (("a/b", "c"), ("a", "b/c"), ("a%2Fb", "c")):
        await app.launch("bot", "go", thread_id=thread, tenant=tenant)
    await app.run(until_idle=True)

    assert len(set(keys)) == len(keys) == 3


@pytest.mark.parametrize("reason", ["", None])
async def test_no_reason_does_not_open_the_wall(reason: str | None) -> None:
    paid: list[str] = []

    def pay(_: Pay, call: Any) -> None:
        paid.append(call.key)

    def decide(_: Thread, state: State[Pay]) -> Effect[Pay]:
        if state.ready:
            return run(pay, state.ready[0].step, ungated=reason)
        return Wait() if state.last(Pay) else Choose(Pay())

    app = App([Agent("bot", decide, Pay, owner="anna")], store=MemoryStore())
    await app.launch("bot", "go", thread_id="t")
    await app.run(until_idle=True)

    assert paid == []
    assert "no settled approval" in str(app.state(app.thread("t")).failed)
