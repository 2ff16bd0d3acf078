"""What is acknowledged must be readable by every process, and must not keep the real facts out."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any, Literal

import pytest

from twelvefold import Agent, App, Choose, Effect, State, Step, Thread, Wait, run
from twelvefold.encoding import DEPTH_MAX, canonical, from_text, to_text
from twelvefold.exceptions import InvalidFile, Unstorable
from twelvefold.files import import_thread
from twelvefold.loop import utc_now
from twelvefold.store import Append
from twelvefold.testing import MemoryStore
from twelvefold.thread import Draft


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("write", [to_text, canonical])
def test_what_is_nested_too_deeply_to_be_read_anywhere_is_refused(write: Any) -> None:
    assert from_text(write(_nested(DEPTH_MAX))) == _nested(DEPTH_MAX)
    with pytest.raises(Unstorable, match="nested more than"):
        write(_nested(DEPTH_MAX + 1))
    assert write([[1]] * DEPTH_MAX) == json.dumps([[1]] * DEPTH_MAX, separators=(",", ":"))


def test_an_imported_event_may_not_bear_the_key_of_another_kind(tmp_path: Path) -> None:
    line = {
        **{"tenant": "default", "thread": "t", "agent": "bot", "seq": 1, "type": "noted"},
        **{"at": "2026-11-20T10:00:00.000000Z", "key": "outcome:s1:1", "after": None, "v": 1},
        "data": {},
    }

    with pytest.raises(InvalidFile, match="belongs to tool_failed or"):
        import_thread(json.dumps(line) + "\n", now=utc_now())


class Look(Step):
    intent: Literal["look"] = "look"


class _Meddled(MemoryStore):
    """Holds an event that bears the key of an outcome to come, as a forged import would."""

    async def commit(self, *appends: Any) -> Any:
        stored = await super().commit(*appends)
        if not self.meddled and any(d.type == "tool_started" for a in appends for d in a.drafts):
            self.meddled = True
            noted = Draft("noted", {}, utc_now(), key="outcome:s1:1")
            await super().commit(Append("t", [noted]))
        return stored

    meddled = False


def test_a_foreign_event_under_a_key_of_ours_parks_and_does_not_spin() -> None:
    looked: list[int] = []

    def look(_: Look) -> str:
        looked.append(threading.get_ident())
        return "seen"

    def decide(_: Thread, state: State[Look]) -> Effect[Look]:
        if state.ready:
            return run(look, state.ready[0].step)
        return Wait() if state.last(Look) else Choose(Look())

    app = App([Agent("bot", decide, Look, owner="anna")], store=_Meddled())

    async def work() -> Any:
        await app.launch("bot", "go", thread_id="t")
        return await asyncio.wait_for(app.run(until_idle=True), 20)

    engine = asyncio.run(work())

    assert len(looked) == 1
    [error] = engine.errors.values()
    assert "cannot go on" in str(error)
