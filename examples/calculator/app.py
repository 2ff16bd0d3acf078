"""A calculator that asks before it divides, and asks when it does not understand."""

from pathlib import Path
from typing import ClassVar, Literal

from script import script

from twelvefold import Agent, App, Chosen, Prompt, ScriptedModel, State, Step, Thread
from twelvefold import Approve, Ask, AskModel, Effect, Finish, Wait
from twelvefold import render, run

USERS = ["anna", "ben"]

Number = int | float
next_step = Prompt(Path(__file__).parent / "next_step.md", context=render)


class Add(Step):
    intent: Literal["add"] = "add"
    a: Number
    b: Number


class Subtract(Step):
    intent: Literal["subtract"] = "subtract"
    a: Number
    b: Number


class Multiply(Step):
    intent: Literal["multiply"] = "multiply"
    a: Number
    b: Number


class Divide(Step):
    risk: ClassVar = "medium"
    intent: Literal["divide"] = "divide"
    a: Number
    b: Number


class RequestMoreInformation(Step):
    intent: Literal["request_more_information"] = "request_more_information"
    message: str


class DoneForNow(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


CalculatorStep = Add | Subtract | Multiply | Divide | RequestMoreInformation | DoneForNow


def calculate(step: Add | Subtract | Multiply | Divide) -> Number:
    match step:
        case Add(a=a, b=b):
            return a + b
        case Subtract(a=a, b=b):
            return a - b
        case Multiply(a=a, b=b):
            return a * b
        case Divide(a=a, b=b):
            return a / b


def decide(thread: Thread, state: State[CalculatorStep]) -> Effect[CalculatorStep]:
    if state.ready:
        return carry_out(state.ready[0])
    if state.waiting or state.finished:
        return Wait()
    return AskModel(next_step(thread=thread), CalculatorStep)


def carry_out(chosen: Chosen[CalculatorStep]) -> Effect[CalculatorStep]:
    match chosen.step:
        case Divide() as step if not chosen.approved:
            return Approve(step, by=USERS)
        case Add() | Subtract() | Multiply() | Divide() as step:
            return run(calculate, step, retry_safe=True)  # calculating twice harms nobody
        case RequestMoreInformation() as step:
            return Ask(step, step.message, to=USERS)
        case DoneForNow() as step:
            return Finish(step.message, step)


app = App(
    [Agent("calculator", decide, CalculatorStep, owner=USERS)],
    model=ScriptedModel(script),
    settles={"local": "medium"},  # a person at this machine's terminal may approve a division
)
