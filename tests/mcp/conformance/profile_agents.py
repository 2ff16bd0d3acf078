"""The agents that the suite's tasks scenarios call: each is a decide over a log, as any is."""

import getpass
import json
from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from twelvefold import Agent, All, Ask, Choose, Finish, Sleep, State, Step, Thread, Wait, run
from twelvefold.forms import json_answer
from twelvefold.mcp import Offer

ME = getpass.getuser()
CONFIRMED = json_answer(
    {
        "type": "object",
        "properties": {"name": {"type": "string"}, "confirm": {"type": "boolean"}},
        "required": ["confirm"],
    }
)


class Slow(BaseModel):
    seconds: float = Field(default=0, ge=0, le=3600)
    label: str = ""


class Delete(BaseModel):
    filename: str = ""


class Nothing(BaseModel):
    pass


class Greeting(BaseModel):
    name: str


class Region(BaseModel):
    region: str = Field(json_schema_extra={"x-mcp-header": "Region"})
    name: str = "somebody"


class Exotic(BaseModel):
    """Its schema has what only JSON Schema 2020-12 knows."""

    name: str = "somebody"

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        street = {"street": {"type": "string"}, "city": {"type": "string"}}
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": street}},
            "properties": {
                "name": {"type": "string"},
                "address": {"$ref": "#/$defs/address"},
                "contactMethod": {"type": "string", "enum": ["phone", "email"]},
                "phone": {"type": "string"},
                "email": {"type": "string"},
            },
            "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
            "if": {
                "properties": {"contactMethod": {"const": "phone"}},
                "required": ["contactMethod"],
            },
            "then": {"required": ["phone"]},
            "else": {"required": ["email"]},
            "additionalProperties": False,
        }


class Nap(Step):
    risk: ClassVar = "low"
    intent: Literal["nap"] = "nap"
    seconds: float


class Job(Step):
    risk: ClassVar = "low"
    intent: Literal["job"] = "job"


class Confirm(Step):
    risk: ClassVar = "low"
    intent: Literal["confirm"] = "confirm"
    what: str


def arguments(thread: Thread) -> Any:
    return json.loads(thread.events[0].data["text"])


def slow_compute(thread: Thread, state: State[Nap]) -> Any:
    given, napped = arguments(thread), state.last(Nap)
    if napped is None:
        return Choose(Nap(seconds=given["seconds"]))
    if state.ready:
        began = thread.events[0].at
        return Sleep(state.ready[0].step, began + timedelta(seconds=napped.step.seconds))
    if state.waiting or state.finished:
        return Wait()
    return Finish(f"computed {given['label']}")


def break_down(step: Job) -> str:
    raise RuntimeError("this job fails whenever it runs")


def failing_job(thread: Thread, state: State[Job]) -> Any:
    if state.ready:
        return run(break_down, state.ready[0].step, retry_safe=True)  # it may be cut off
    if state.waiting or state.finished:
        return Wait()
    failed = state.last(Job)
    return Choose(Job()) if failed is None else Finish(str(failed.error))


def protocol_error_job(thread: Thread, state: State[Job]) -> Any:
    raise RuntimeError("this agent cannot decide")


def asking(*questions: str) -> Any:
    """Asks each of them at once, and ends when all are answered."""

    def decide(thread: Thread, state: State[Confirm]) -> Any:
        asked = state.all(Confirm)
        if not asked:
            return Choose(*(Confirm(what=question) for question in questions))
        if state.ready:
            steps = [one.step for one in state.ready]
            return All(*(Ask(one, one.what, to=ME, form=CONFIRMED) for one in steps))
        if state.waiting or state.finished:
            return Wait()
        return Finish(json.dumps([one.result for one in asked]))

    return decide


def greets(thread: Thread, state: State[Nap]) -> Any:
    return Wait() if state.finished else Finish(f"Hello, {arguments(thread)['name']}!")


AGENTS = [
    Agent("slow_compute", slow_compute, Nap, owner=ME),
    Agent("failing_job", failing_job, Job, owner=ME),
    Agent("protocol_error_job", protocol_error_job, Job, owner=ME),
    Agent("confirm_delete", asking("May it be deleted?"), Confirm, owner=ME),
    Agent("multi_input", asking("What is it called?", "Is that right?"), Confirm, owner=ME),
    Agent("greets", greets, Nap, owner=ME),
]

OFFERS = [
    Offer(agent="slow_compute", takes=Slow),
    Offer(agent="failing_job", takes=Nothing, task="required"),
    Offer(agent="protocol_error_job", takes=Nothing),
    Offer(agent="confirm_delete", takes=Delete),
    Offer(agent="multi_input", takes=Nothing),
    Offer(agent="greets", name="test_headers", takes=Region),
    Offer(agent="greets", name="json_schema_2020_12_tool", takes=Exotic),
    Offer(
        agent="greets", name="test_tool_with_task", takes=Greeting, asks=("name",), task="required"
    ),
]
