"""What came of a case, against what was expected. Pure: the model's reply is an argument."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twelvefold.agent import Agent
from twelvefold.cases.case import Case
from twelvefold.cases.deciding import Decided, decide_on, same_words
from twelvefold.cases.expressions import complaint
from twelvefold.cases.facts import thread_of
from twelvefold.cases.lines import as_list, as_map, on_one_line
from twelvefold.cases.replies import Read, after_reply, read_reply
from twelvefold.exceptions import InvalidCase, UnknownAgent
from twelvefold.messages import ModelReply
from twelvefold.plan import CallModel
from twelvefold.prompts import written
from twelvefold.prompts.comparing import unified
from twelvefold.thread import Json, to_text

SHOWN_CHARS_MAX = 400


@dataclass(frozen=True, slots=True)
class Stand:
    """A case with its agent, and how far code goes alone on its thread."""

    case: Case
    agent: Agent[Any, Any]
    decided: Decided

    @property
    def ask(self) -> CallModel | None:
        """The model call whose reply the case is about; None when it is about none."""
        return self.decided.ask if self.case.expect.of_reply else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a case came out. Without `complaints` it passed.

    `shown` is what came of it in words, `found` the same by the keys of `expect`.
    """

    case: Case
    complaints: tuple[str, ...]
    shown: str = ""
    found: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @property
    def passed(self) -> bool:
        return not self.complaints


def stand(case: Case, agents: Mapping[str, Agent[Any, Any]]) -> Stand:
    """Decide on the thread of a case. Raises `InvalidCase`, and whatever decide raises."""
    agent = _agent_of(case, agents)
    return Stand(case, agent, decide_on(thread_of(case, agent), agent))


def _agent_of(case: Case, agents: Mapping[str, Agent[Any, Any]]) -> Agent[Any, Any]:
    known = ", ".join(agents) or "none"
    name = case.agent or (case.log.agent if case.log is not None else None) or None
    if name is None and len(agents) == 1:
        return next(iter(agents.values()))
    if name is None:
        raise InvalidCase(f"{case.place}: name its agent; the application has: {known}.")
    if name not in agents:
        raise UnknownAgent(f"{case.place}: there is no agent {name!r}; there are: {known}.")
    return agents[name]


def judge(at: Stand, reply: ModelReply | None = None) -> Verdict:
    """Compare. `reply` is what the model said, where the case is about a reply."""
    case, decided = at.case, at.decided
    if case.expect.of_reply and decided.ask is None:
        why = _both("the model", "is asked", f"is not: the agent decides {decided}")
        return Verdict(case, (why,), str(decided))
    if at.ask is None or reply is None:
        complaints = [*_of_prompt(case, decided.ask), *_of_decision(case, decided)]
        return Verdict(case, tuple(complaints), str(decided), _found(decided))
    read = read_reply(decided, at.ask, reply)
    complaints = [*_of_prompt(case, at.ask), *_of_reply(at, read)]
    if complaints:
        complaints.append(f"the reply was\n  {_clipped(reply.text)}")
    return Verdict(case, tuple(complaints), str(read), read.found)


def broken(case: Case, error: Exception) -> Verdict:
    """The verdict where a fact cannot happen, or the agent's own code, or the model, raised."""
    why = str(error) if isinstance(error, InvalidCase) else f"{type(error).__name__}: {error}"
    return Verdict(case, (why,))


# What code decides


def _of_decision(case: Case, decided: Decided) -> Iterator[str]:
    expect = case.expect
    if expect.effect is not None and not same_words(expect.effect, decided):
        yield _both("effect", expect.effect, str(decided))
    if expect.waits is not None and expect.waits != decided.waits:
        yield _both("waits", expect.waits, f"{to_text(decided.waits)}: {decided}")


def _found(decided: Decided) -> dict[str, Json]:
    return {"effect": str(decided), "waits": decided.waits}


def _of_prompt(case: Case, ask: CallModel | None) -> Iterator[str]:
    if case.prompt is None:
        return
    if ask is None:
        yield _both("prompt", "the model reads something", "it is not asked")
    elif case.has_hash:
        today = ask.request.hash()
        if case.prompt != today:
            yield f"{_both('prompt', case.prompt, today)}\n{_OTHER_BYTES}"
    elif case.snapshot is None:
        yield f"prompt\n  There is no {case.prompt}: twelvefold test --accept-prompts writes it."
    elif (text := written(ask.request)) != case.snapshot:
        names = (case.prompt, "today")
        diff = unified(case.snapshot, text, names=names).replace("\n", "\n  ")
        yield f"prompt\n  {diff}\n{_OTHER_BYTES}"


_OTHER_BYTES = """\
  The model would read other bytes today than were kept. Ask it again (twelvefold eval), or keep
  what it replied (twelvefold test --accept-prompts)."""


# What the model replied


def _of_reply(at: Stand, read: Read) -> Iterator[str]:
    expect, found = at.case.expect, read.found
    if expect.refused != found.get("refused"):
        wanted = (
            "a reply that can be read" if expect.refused is None else f"refused: {expect.refused}"
        )
        yield _both("reply", wanted, str(read))
        return
    intent, args = found.get("intent"), as_map(found.get("args")) or {}
    if expect.intent is not None and expect.intent != intent:
        yield _both("intent", expect.intent, intent)
    if expect.args is not None:
        yield from _of_args(dict(expect.args), args)
    if expect.has is not None:
        yield from differences("args", dict(expect.has), args, exact=False)
    if expect.answer:
        yield from differences("answer", expect.answer[0], found.get("answer"), exact=True)
    variables = args | {"intent": intent, "args": args, **found}
    for expression in expect.asserts:
        if said := complaint(expression, variables):
            yield said
    if expect.then is not None:
        then = after_reply(at.decided, read, at.agent)
        if not same_words(expect.then, then):
            yield _both("then", expect.then, str(then))


def _of_args(wanted: Mapping[str, Json], got: Mapping[str, Json]) -> Iterator[str]:
    """`args` are all there are: those that it leaves out are named, with the line to write."""
    left_out = {name: value for name, value in got.items() if name not in wanted}
    named = {name: value for name, value in got.items() if name in wanted}
    yield from differences("args", dict(wanted), named, exact=True)
    if left_out:
        whole = on_one_line({**wanted, **left_out})
        some = f"\n  or, for some of them\n    has: {on_one_line(dict(wanted))}" if wanted else ""
        yield (
            f"args leaves out {', '.join(left_out)}, and it is for all of them, defaults too. Write"
            f"\n    args: {whole}{some}"
        )


# How a difference reads


class _Nothing:
    """Stands where a side has no such argument."""

    def __str__(self) -> str:
        return "(nothing)"


_NOTHING = _Nothing()


def differences(where: str, wanted: Json, got: Json, *, exact: bool) -> Iterator[str]:
    """Each place at which `got` is not what is wanted. Not `exact`: its maps may hold more."""
    mine, theirs = as_map(wanted), as_map(got)
    if mine is not None and theirs is not None:
        more = [name for name in theirs if name not in mine] if exact else []
        for name in [*mine, *more]:
            one, other = mine.get(name, _NOTHING), theirs.get(name, _NOTHING)
            yield from differences(f"{where}.{name}", one, other, exact=exact)
    elif (pairs := _pairs(wanted, got)) is not None:
        for number, (one, other) in enumerate(pairs):
            yield from differences(f"{where}.{number}", one, other, exact=exact)
    elif wanted != got or isinstance(wanted, bool) != isinstance(got, bool):
        yield _both(where, wanted, got)


def _pairs(wanted: Json, got: Json) -> list[tuple[Json, Json]] | None:
    """The items of two lists of one length; None for anything else."""
    mine, theirs = as_list(wanted), as_list(got)
    if mine is None or theirs is None or len(mine) != len(theirs):
        return None
    return list(zip(mine, theirs, strict=True))


def _both(what: str, wanted: object, got: object) -> str:
    return f"{what}\n  - expected  {_shown(wanted)}\n  + got       {_shown(got)}"


def _shown(value: object) -> str:
    return str(value) if isinstance(value, str | _Nothing) else to_text(value)


def _clipped(text: str) -> str:
    more = len(text) - SHOWN_CHARS_MAX
    return text if more <= 0 else f"{text[:SHOWN_CHARS_MAX]} ... ({more} more characters)"
