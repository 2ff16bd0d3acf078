"""Deliberate errors: a comment names exactly the pyright rules of the line below it.

`ok` shows that the same code without the mistake is accepted.
"""

from typing import Literal

from twelvefold.agent import Agent
from twelvefold.call import Call
from twelvefold.effects import All, Approve, Ask, AskModel, Choose, Effect, rule, run
from twelvefold.state import State
from twelvefold.steps import Step
from twelvefold.thread import Thread


class A(Step):
    intent: Literal["a"] = "a"
    x: int


class B(Step):
    intent: Literal["b"] = "b"
    y: str


class C(Step):
    intent: Literal["c"] = "c"


class Deps: ...


class OtherDeps: ...


def tool_a(step: A) -> int:
    return step.x


async def tool_b(step: B, call: Call[Deps]) -> str:
    return f"{step.y} {call.deps}"


async def tool_ab(step: A | B) -> str:
    return step.intent


def ok(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    if not state.ready:
        return AskModel("", A | B)
    match state.ready[0].step:
        case A() as step:
            return All(run(tool_a, step), Choose(B(y="")))
        case B() as step:
            return run(tool_b, step, retry_safe=True)


# reportReturnType
def missing_case(t: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    # reportMatchNotExhaustive
    match state.ready[0].step:
        case A() as step:
            return run(tool_a, step)


def wrong_tool(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    match state.ready[0].step:
        case A() as step:
            # reportArgumentType reportCallIssue reportUnknownVariableType
            return run(tool_b, step)
        case B() as step:
            return run(tool_b, step)


def wrong_tool_without_call(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    match state.ready[0].step:
        case A() as step:
            return run(tool_a, step)
        case B() as step:
            # reportArgumentType reportCallIssue reportUnknownVariableType
            return run(tool_a, step)


def wrong_tool_in_all(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    match state.ready[0].step:
        case A() as step:
            # reportArgumentType reportCallIssue reportUnknownArgumentType
            return All(run(tool_a, step), run(tool_b, step))
        case B() as step:
            return run(tool_b, step)


def wrong_deps(thread: Thread, state: State[A | B]) -> Effect[A | B, OtherDeps]:
    match state.ready[0].step:
        case A() as step:
            return run(tool_ab, step)
        case B() as step:
            # reportReturnType
            return run(tool_b, step)


def wrong_deps_in_all(thread: Thread, state: State[A | B]) -> Effect[A | B, OtherDeps]:
    match state.ready[0].step:
        case A() as step:
            return run(tool_ab, step)
        case B() as step:
            # reportReturnType reportUnknownVariableType
            return All(run(tool_b, step))


def wrong_reconcile(thread: Thread, state: State[A]) -> Effect[A]:
    # reportArgumentType reportCallIssue reportUnknownVariableType
    return run(tool_a, state.ready[0].step, reconcile=tool_b)


def transaction_without_a_call(thread: Thread, state: State[A]) -> Effect[A]:
    # reportArgumentType
    return run(tool_a, state.ready[0].step, in_transaction=True)


def offered_outside_the_union(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    # reportReturnType
    return AskModel("", A | B | C)


def chosen_outside_the_union(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    # reportReturnType
    return Choose(C())


def chosen_outside_in_all(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    # reportReturnType
    return All(Choose(C()))


def asked_without_anybody(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    # reportCallIssue
    return Approve(state.ready[0].step)


def asked_of_a_number(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    # reportArgumentType
    return Approve(state.ready[0].step, by=2)


def a_rule_without_a_source(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    # reportCallIssue reportUnknownArgumentType
    return Approve(state.ready[0].step, by="anna", unless=rule("cheap", True))


def a_rule_that_is_only_a_yes(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    # reportArgumentType
    return Approve(state.ready[0].step, by="anna", unless=True)


def a_question_with_a_rule(thread: Thread, state: State[A | B]) -> Effect[A | B, Deps]:
    # reportCallIssue
    return Ask(state.ready[0].step, "?", to="anna", unless=None)


def deps(tenant: str) -> Deps:
    return Deps()


def other_deps(tenant: str) -> OtherDeps:
    return OtherDeps()


fine = Agent("x", ok, A | B, deps=deps, owner="olga")
# reportArgumentType
wrong_union = Agent("x", ok, A | B | C, deps=deps, owner="olga")
# reportArgumentType
wrong_agent_deps = Agent("x", ok, A | B, deps=other_deps, owner="olga")
# reportArgumentType
missing_deps = Agent("x", ok, A | B, owner="olga")
# reportCallIssue reportUnknownVariableType
no_owner = Agent("x", ok, A | B, deps=deps)
