"""A server to be fuzzed: `python fuzzed.py STORE` says where it is, and with which key.

Its agent pays, asks, sleeps, fails or ends, as the input says, so that all kinds of contacts and
waits are met.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.effects import Approve, Ask, AskModel, Choose, Finish, Wait, WaitFor, run
from twelvefold.forms import Option, json_answer
from twelvefold.keys import CHANCE_BYTES, new_key
from twelvefold.models.scripted import ScriptedModel
from twelvefold.policy import Risk
from twelvefold.server import create_app
from twelvefold.server.listening import Listener, bound, url_of
from twelvefold.server.principal import SCOPES
from twelvefold.server.runner import running
from twelvefold.state import State
from twelvefold.steps import Step
from twelvefold.thread import Thread

FORM = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
SOME = 12
DAY = timedelta(days=1)


class Pay(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["pay"] = "pay"
    to: str = "anna"
    euros: int = 1


class Question(Step):
    intent: Literal["question"] = "question"


class Merge(Step):
    intent: Literal["merge"] = "merge"


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str = "bye"


Steps = Pay | Question | Merge | Done
KINDS: list[Step] = [Pay(), Question(), Merge()]


def decide(thread: Thread, state: State[Any]) -> Any:
    for chosen in state.ready:
        match chosen.step:
            case Pay() if chosen.approved:
                return run(lambda step: f"{step.euros} to {step.to}", chosen.step)
            case Pay():
                option = Option("spam", prompt_fill="No.")
                return Approve(chosen.step, by=["anna", "ben"], within=DAY, options=[option])
            case Question():
                return Ask(chosen.step, "How many?", to="anna", form=json_answer(FORM))
            case Merge():
                return WaitFor(chosen.step, "merged")
            case _:
                return Finish("bye", chosen.step)
    if state.waiting or state.finished:
        return Wait()
    text = str(thread.events[0].data.get("text"))
    kind = KINDS[len(text) % 3]
    return AskModel(text, Steps) if state.last(type(kind)) else Choose(kind)


def app_at(store: str) -> App:
    settles: dict[str, Risk] = {"key": "medium"}
    agent = Agent("deploybot", decide, Steps, owner="anna")
    model = ScriptedModel(lambda request: Done())
    return App([agent], store=store, model=model, settles=settles)


async def serve(store: str) -> None:
    app = app_at(store)
    key, token = new_key(
        "fuzz",
        chance=bytes(CHANCE_BYTES),
        now=datetime.now(UTC),
        scopes=sorted(SCOPES),
        person="anna",
    )
    app.store.add_key(key)
    open_wide = {"requests_per_minute_max": 10**9, "failures_per_minute_max": 10**9}
    for length in range(1, 1 + SOME):  # contacts of all kinds, which a fuzzer would rarely open
        await app.launch("deploybot", "x" * length)
    served = create_app(app, inbox=False, **open_wide)
    with bound("127.0.0.1", 0) as listens:
        told = json.dumps({"url": url_of(listens), "key": token})
        listener = Listener(served, grace_s=5, started=lambda: say(told))
        async with running(app) as (_, advancing):
            await listener.listen(listens, until=advancing)
    app.close()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
