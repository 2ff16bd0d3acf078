"""A kill -9 in an approved tool, after its effect and before anything of it is recorded."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from victims import Place, Victim, gated, quiet

from crew import Pay
from twelvefold.effects import run

HERE = Path(__file__).parent
KILLED = -signal.SIGKILL
PROCESS_S_MAX = 60


def kill_after_effect(victim: Victim, chosen: Any) -> Any:
    """The tool ends its own process right after it wrote to the ledger."""

    def pay(step: Pay) -> str:
        victim.tool(step)
        os.kill(os.getpid(), signal.SIGKILL)
        return "never"

    return run(pay, chosen.step) if chosen.approved else gated(victim, chosen)


def killed_in_its_run(place: Place) -> Victim:
    """Approved, begun in a process of its own, and gone."""
    victim = Victim(place, Pay(to="ann")).begin()
    asyncio.run(victim.app.answer("t.s1.1", "approve", by="anna"))
    path = os.pathsep.join(map(str, [HERE, HERE.parent, HERE.parent.parent, *sys.path]))
    ended = subprocess.run(
        [sys.executable, __file__, str(place.folder)],
        env={**os.environ, "PYTHONPATH": path},
        timeout=PROCESS_S_MAX,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == KILLED, ended.stderr
    place.expect({"to": "ann"})
    return victim


def test_a_killed_run_is_not_repeated_but_asked_about(place: Place) -> None:
    victim = killed_in_its_run(place)

    for _ in range(3):
        victim.again().redeployed()

    victim.expect({"to": "ann"})
    assert [row.data["kind"] for row in victim.inbox()] == ["outcome"]


def test_the_yes_of_before_the_kill_is_no_answer_to_what_is_asked_then(place: Place) -> None:
    victim = killed_in_its_run(place)
    victim.go_on()

    refusals = [victim.tried("approve", of="t.s1.1"), victim.tried("approve", by="olga")]
    victim.answer("it_ran", by="olga", value="paid")

    victim.expect({"to": "ann"})
    assert all(refusals)


@pytest.mark.parametrize("who", ["anna", "eve"])
def test_only_the_owner_lets_it_run_again(place: Place, who: str) -> None:
    victim = killed_in_its_run(place)
    victim.go_on()

    refusal = victim.tried("run_again", by=who)

    victim.expect({"to": "ann"})
    assert refusal is not None


def test_a_copy_of_a_killed_run_does_not_run_either(place: Place) -> None:
    victim = killed_in_its_run(place)
    text = victim.app.thread("t").to_jsonl()

    quiet(victim.app.fork("t", new_id="f"))
    quiet(victim.app.import_thread(text, tenant="other"))
    quiet(victim.app.import_thread(text, new_id="u"))
    victim.go_on()

    victim.expect({"to": "ann"})


if __name__ == "__main__":
    with Place(Path(sys.argv[1])) as place:
        Victim(place, Pay(to="ann"), carry_out=kill_after_effect).go_on()
