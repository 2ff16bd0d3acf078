"""One act of `promises.py`, by one side, in this process: ask, approve, go on, answer again."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

NAME = "t0"
LEDGER, DIES, SAID = "ledger", "dies", "said"
PATIENCE_S = 60.0


class Ledger:
    """The world outside: a line per payment, on disk. It stands in for the list of a bench's calls,
    and dies once, after it has paid, where a file says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, _: float = 0.0, *, key: str = "-") -> None:
        with (self.folder / LEDGER).open("a") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        if (self.folder / DIES).exists():
            (self.folder / DIES).unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def langgraph(act: str, ledger: Ledger) -> str:
    from langchain_core.messages import HumanMessage
    from langgraph.types import Command

    from benchmarks.peers import langgraph as theirs

    graph, about = theirs.gate(ledger.folder, ledger.append), theirs._of(0)
    given: Any = {
        "ask": {"messages": [HumanMessage("pay")]},
        "approve": Command(resume="approve"),
        "go_on": None,
        "again": Command(resume="approve"),
    }[act]
    state = graph.invoke(given, about, **theirs.DURABLE)
    return "waits" if "__interrupt__" in state else f"ends: {state['messages'][-1].content}"


def dbos(act: str, ledger: Ledger) -> str:
    from dbos import DBOS

    from benchmarks.peers import dbos as theirs

    theirs.calls = ledger  # type: ignore[assignment]
    theirs.launch(ledger.folder)  # goes on with what another process has left
    match act:
        case "ask":
            theirs.wait(NAME)
            time.sleep(2)
            os.kill(os.getpid(), signal.SIGKILL)  # it waits in a process; this one ends
        case "approve":
            theirs.approve(NAME)
        case "again":
            DBOS.send(NAME, "approve", "approval")
        case _:
            pass
    ended = DBOS.retrieve_workflow(NAME).get_result()
    return f"ends: {ended}"


def pydantic_ai(act: str, ledger: Ledger) -> str:
    from dbos import DBOS

    from benchmarks.peers import pydantic_ai as theirs

    async def acted() -> str:
        match act:
            case "ask":
                await theirs.wait(NAME)
                await asyncio.sleep(3)
                os.kill(os.getpid(), signal.SIGKILL)
            case "approve":
                await theirs.approve(NAME)
            case "again":
                await DBOS.send_async(NAME, "approve", "approval")
            case _:
                pass
        return f"ends: {await (await DBOS.retrieve_workflow_async(NAME)).get_result()}"

    theirs.calls = ledger  # type: ignore[assignment]
    theirs.launch(ledger.folder)
    return asyncio.run(acted())


def openai_agents(act: str, ledger: Ledger) -> str:
    from benchmarks.peers import openai_agents as theirs

    theirs.calls = ledger  # type: ignore[assignment]
    if act == "ask":
        asyncio.run(theirs.ask(NAME, ledger.folder))
        return "waits"
    asyncio.run(theirs.approve(NAME, ledger.folder))  # the stored state is all there is to go on by
    return "ends"


def ours(act: str, ledger: Ledger, *, retry_safe: bool = False) -> str:
    from typing import ClassVar, Literal

    from twelvefold import Agent, App, Approve, Call, Choose, Finish, Step, Wait, run
    from twelvefold.exceptions import Conflict

    class Pay(Step):
        risk: ClassVar = "high"
        intent: Literal["pay"] = "pay"
        to: str

    def pay(step: Pay, call: Call[None]) -> str:
        ledger.append(key=call.key)
        return f"paid {step.to}"

    def decide(_: Any, state: Any) -> Any:
        for chosen in state.ready:
            if chosen.approved:
                return run(pay, chosen.step, retry_safe=retry_safe)
            return Approve(chosen.step, by=["anna", "ben"])
        if state.waiting or state.finished:
            return Wait()
        return Finish("paid anna") if state.last(Pay) else Choose(Pay(to="anna"))

    app = App([Agent("bot", decide, Pay, owner="anna")], store=ledger.folder / "threads.db")

    async def acted() -> None:
        if act == "ask":
            await app.launch("bot", "pay", thread_id=NAME)
        elif act != "go_on":
            by = "anna" if act == "approve" else "ben"
            await app.answer(f"{NAME}.s1.1", "approve", by=by)
        await app.run(until_idle=True)

    try:
        asyncio.run(acted())
    except Conflict as refused:
        return f"refused: {refused}"
    waits = [row.data["question"] or row.data["intent"] for row in app.inbox()]
    return f"asks: {waits[0]}" if waits else "ends"


def ours_retry_safe(act: str, ledger: Ledger) -> str:
    return ours(act, ledger, retry_safe=True)


def main(side: str, act: str, folder: str) -> None:
    said = globals()[side.replace(", ", "_")](act, Ledger(Path(folder)))
    (Path(folder) / SAID).write_text(json.dumps(said))
    sys.stdout.flush()
    os._exit(0)  # threads of a peer may still wait


if __name__ == "__main__":
    main(*sys.argv[1:])
