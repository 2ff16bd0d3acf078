"""Random histories that could have happened: each move is one that the state allows."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from small import AGENT, Deploy, Done, Hand, Look, Merge, Nap, Question
from twelvefold.contacts import ACCEPTED, Reassign, reassign
from twelvefold.effects import Finish
from twelvefold.plan import begin, close_all, fire
from twelvefold.policy import Settles
from twelvefold.state import State
from twelvefold.testing import (
    Fact,
    Past,
    chosen,
    event,
    failed,
    killed,
    later,
    message,
    returned,
    said,
)
from twelvefold.thread import Draft, Thread

STEPS = (
    Deploy(tag="v1"),
    Look(),
    Question(text="?"),
    Nap(),
    Merge(),
    Hand(task="t"),
    Done(message="ok"),
)
ANSWERS: dict[str, dict[str, Any]] = {
    "deny": {"comment": "no"},
    "edit": {"changes": {"tag": "v2"}},
    "answer": {"value": "yes"},
    "it_ran": {"value": "tags"},
}


def history(moves: Sequence[int]) -> Thread:
    """One move per number: the number picks from what is possible then."""
    past = Past(Thread("t1", "bot"), AGENT)
    past.append(message("go").make(past))
    for number in moves:
        possible = moves_of(past)
        past.append(possible[number % len(possible)].make(past))
    return past.thread


def moves_of(past: Past) -> list[Fact]:
    state = past.state
    moves = [*facts_of(past), later(timedelta(minutes=40))]
    if state.cancelled:
        return moves
    moves += [message("and"), event("signal_received", signal="merged", data=1), Fact(cancelled)]
    moves += [event("answer_refused", contact="s1.1"), event("weather_changed")]
    moves += [fork] if not any((c.waiting or "").startswith("run:") for c in state.open) else []
    if state.paused or state.limited or state.failed:
        moves.append(event("resumed", by="olga"))
    if not state.paused:
        moves.append(event("paused", by="olga"))
    moves += 2 * [said(d, **ANSWERS.get(d, {})) for d in answers_to(state)]
    return moves if state.stopped else moves + decisions_of(state)


fork = event("forked", **{"from": "t0", "at": 1})


def answers_to(state: State[Any]) -> Sequence[Any]:
    newest = next(reversed(state.open_contacts.values()), None)
    return () if newest is None else ACCEPTED[newest.kind]


def facts_of(past: Past) -> list[Fact]:
    """What ends what is under way, on time or late."""
    found: list[Fact] = []
    for step in past.state.open:
        kind, _, name = (step.waiting or "").partition(":")
        match kind:
            case "run":
                found += [returned("ok", step=step.id), failed("no", step=step.id), killed()]
            case "timer":
                found.append(
                    Fact(lambda p, key=f"sleep:{name}": fire(p.thread, key, now=p.now).drafts)
                )
            case "child":
                found.append(
                    event("child_finished", step=step.id, child=name, status="finished", result=1)
                )
            case _:
                pass
        if step.attempts:  # an outcome that was given up for lost
            data = {"step": step.id, "intent": step.intent, "attempt": step.attempts}
            found += [event("tool_returned", **data, result=1)]
            found += [event("tool_failed", **data, error="x", run_again=True)]
    for contact in past.state.open_contacts.values():
        for timer in ("expire", "remind"):
            key = f"{timer}:{contact.id}"
            found.append(Fact(lambda p, key=key: fire(p.thread, key, now=p.now).drafts))
        found.append(Fact(lambda p, id=contact.id: passed_on(p, id)))
    return found


def passed_on(past: Past, contact: str) -> Sequence[Draft]:
    """The owner gives the first place to a newcomer."""
    policy, anyone = past.state.contacts[contact].policy, Settles({"local": "high"})
    wish = Reassign(contact=contact, to=f"n{past.state.seq}", by="olga", instead_of=policy.names[0])
    now, owner = past.now, AGENT.owner
    return reassign(past.state, wish, owner=owner, now=now, settles=anyone).drafts


def decisions_of(state: State[Any]) -> list[Fact]:
    """What decide may do: go on, ask a model (which may have seen less), finish, or break."""
    moves = [chosen(step) for step in STEPS]
    moves += [chosen(step, saw=max(state.seq - 2, 1)) for step in STEPS[-2:]]
    moves += [chosen(STEPS[0], STEPS[1], by="code")]
    moves += 2 * [event("limit_reached", limit="steps")]
    moves += [event("advance_failed", error="x"), event("model_failed", error="x")]
    moves += [*[Fact(goes_on)] * 12, killed()] if state.ready else []
    done = [c for c in state.ready if isinstance(c.step, Done)]
    return [*moves, Fact(ends)] if done or not state.finished else moves


def goes_on(past: Past) -> list[Draft]:
    """The decision of the small agent."""
    effect = AGENT.decide(past.thread, past.state)
    return _after(past, begin(effect, past.state, past.thread, AGENT, now=past.now).drafts)


def ends(past: Past) -> list[Draft]:
    done = [c.step for c in past.state.ready if isinstance(c.step, Done)]
    effect: Any = Finish("ok", done[0] if done else None)
    return _after(past, begin(effect, past.state, past.thread, AGENT, now=past.now).drafts)


def cancelled(past: Past) -> list[Draft]:
    plan = close_all(past.state, "cancelled", now=past.now, comment="by olga")
    return [*plan.drafts, Draft("cancelled", {"by": "olga"}, past.now)]


def _after(past: Past, drafts: list[Draft]) -> list[Draft]:
    for draft in drafts:
        draft.after = past.thread.head
    return drafts
