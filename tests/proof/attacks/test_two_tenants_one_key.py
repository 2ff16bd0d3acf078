"""A tool's key names one effect of one tenant, and a gate opens only for a reason."""

import asyncio
from typing import Any

import pytest
from victims import Place, Victim, holds

from crew import Look, Pay
from twelvefold.effects import run


def test_no_two_tenants_share_the_key_of_an_effect(place: Place) -> None:
    keys: list[str] = []

    def look(_: Look, call: Any) -> None:
        keys.append(call.key)

    victim = Victim(place, Look(), carry_out=lambda _, chosen: run(look, chosen.step))
    for tenant, thread in (("a/b", "c"), ("a", "b/c"), ("a%2Fb", "c")):
        asyncio.run(victim.app.launch("bot", "go", thread_id=thread, tenant=tenant))
    victim.go_on()

    holds(len(set(keys)) == len(keys) == 3, f"the keys were {keys}")


@pytest.mark.parametrize("reason", ["", None])
def test_no_reason_does_not_open_the_wall(place: Place, reason: str | None) -> None:
    def ungated(victim: Victim, chosen: Any) -> Any:
        return run(victim.tool, chosen.step, ungated=reason)

    victim = Victim(place, Pay(to="mallory"), carry_out=ungated).begin()

    victim.expect()
    assert "no settled approval" in str(victim.state().failed)
