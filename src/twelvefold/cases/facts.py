"""Facts of a case to the thread in which they happened, with the agent's own code in between.

A file says only what came from outside: messages, replies of the model, what tools returned, what
people said. What lies between (contacts, choices of code, starts of tools) is decided by the agent,
so a case cannot hold what could not happen.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from twelvefold.agent import Agent
from twelvefold.cases.case import START, TICK, Case, Fact
from twelvefold.cases.deciding import Decided, decide_on, people_of
from twelvefold.cases.lines import as_map, on_one_line
from twelvefold.contacts import Answer, Decision, judge
from twelvefold.exceptions import InvalidCase, TwelvefoldError
from twelvefold.messages import ModelReply
from twelvefold.plan import reply_draft
from twelvefold.policy import Settles
from twelvefold.state import State
from twelvefold.steps import members
from twelvefold.thread import Draft, Json, Thread, to_text
from twelvefold.tools import result_data

_ANYTHING = Settles({"local": "high"})
_DECISIONS: Mapping[str, Decision] = {
    "approved": "approve",
    "denied": "deny",
    "edited": "edit",
    "answered": "answer",
    "picked": "choose",
}


def thread_of(case: Case, agent: Agent[Any, Any]) -> Thread:
    """The thread of a case. Raises `InvalidCase` for a fact that cannot happen where it stands."""
    if case.log is not None:
        return case.log
    thread, runs = Thread("case", agent.name), list[Any]()
    for fact in case.facts:
        decided = decide_on(thread, agent)
        thread, runs = decided.thread, [*runs, *decided.runs]
        try:
            drafts = _drafts(fact, case, decided, agent.state(thread), runs)
        except InvalidCase:
            raise
        except TwelvefoldError as error:
            _refuse(case, fact, str(error))
        thread = thread.then(*drafts)
    return thread


def _drafts(
    fact: Fact, case: Case, decided: Decided, state: State[Any], runs: list[Any]
) -> Sequence[Draft]:
    now = START if state.now is None else state.now + TICK
    says = fact.says
    match fact.name:
        case "message":
            return [Draft("message_received", as_map(says) or {"text": says}, now)]
        case "chose":
            return [_chosen(fact, case, decided, now)]
        case "returned" | "failed":
            if not runs:
                _refuse(case, fact, f"no tool is under way: the agent decided {decided}.")
            return [_ended(fact, runs.pop(0), now)]
        case "signal":
            data = as_map(says) or {"signal": says, "data": None}
            return [Draft("signal_received", data, now)]
        case "event":
            return [_event(fact, case, now)]
        case _:
            answer = _answer(fact, case, decided, state)
            contact = state.contacts[answer.contact]
            named = people_of(contact.policy, *(vote.by for vote in contact.votes), answer.by)
            verdict = judge(state, answer, now=now, settles=_ANYTHING, directory=named)
            if verdict.refusal is not None:
                raise verdict.refusal
            return verdict.drafts


def _chosen(fact: Fact, case: Case, decided: Decided, now: datetime) -> Draft:
    ask = decided.ask
    if ask is None or ask.answer is not None:
        _refuse(case, fact, f"the model is not asked for a step here: the agent decided {decided}.")
    text = fact.says if isinstance(fact.says, str) else to_text(fact.says)
    draft = reply_draft(ask, ModelReply(text), now, after=decided.thread.head)
    if draft.type == "model_failed":
        said = f"{draft.data['reason']}: {draft.data['error']}"
        _refuse(case, fact, f"{said}{_to_write(as_map(fact.says) or {}, ask.steps)}")
    return draft


def _to_write(says: Mapping[str, Json], steps: Any) -> str:
    """The line with the arguments that are needed and not there; "" where none are missing."""
    cls = members(steps).get(str(says.get("intent")))
    fields = {} if cls is None else cls.model_fields
    missing = [
        name
        for name, field in fields.items()
        if field.is_required() and name not in says and field.alias not in says
    ]
    if not missing:
        return ""
    more = "".join(f", {name}: ..." for name in missing)
    return f". Write\n    - chose: {on_one_line(dict(says)).removesuffix('}')}{more}}}"


def _ended(fact: Fact, run: Any, now: datetime) -> Draft:
    data = {"step": run.step_id, "intent": run.intent, "attempt": run.attempt}
    key = f"outcome:{run.step_id}:{run.attempt}"
    if fact.name == "failed":
        return Draft("tool_failed", data | {"error": str(fact.says)}, now, key=key)
    return Draft("tool_returned", data | result_data(fact.says), now, key=key)


def _event(fact: Fact, case: Case, now: datetime) -> Draft:
    says = as_map(fact.says) or {}
    if not isinstance(says.get("type"), str):
        _refuse(case, fact, "an event is a map with its `type` and, where it has any, `data`.")
    return Draft(says["type"], as_map(says.get("data")) or {}, now)


def _answer(fact: Fact, case: Case, decided: Decided, state: State[Any]) -> Answer:
    """What a person says to the newest open contact; without a `by` the first who may."""
    if not state.open_contacts:
        _refuse(case, fact, f"nobody is asked anything here: the agent decided {decided}.")
    contact = state.open_contacts[next(reversed(state.open_contacts))]
    says = as_map(fact.says)
    who = (*contact.policy.names, *sorted(contact.policy.everybody(people_of(contact.policy))))[0]
    if fact.name == "edited":
        return Answer(contact=contact.id, decision="edit", by=who, changes=says or {})
    said = fact.says if says is None else says.get("says")
    by = str(says["by"]) if says and "by" in says else who
    decision = _DECISIONS[fact.name]
    if fact.name in {"answered", "picked"}:
        return Answer(contact=contact.id, decision=decision, by=by, value=said)
    if fact.name == "approved" and says is None and said is not None:
        _refuse(
            case, fact, f"who says so, as {{by: {said}}}, or what is said, as {{says: {said}}}?"
        )
    comment = None if said is None else str(said)
    return Answer(contact=contact.id, decision=decision, by=by, comment=comment)


def _refuse(case: Case, fact: Fact, why: str) -> NoReturn:
    raise InvalidCase(f"{case.file}, line {fact.line}, case {case.name!r}: {fact.name}: {why}")
