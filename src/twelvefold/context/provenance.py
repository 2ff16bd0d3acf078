"""Whose words stand in a log: which events hold text that somebody outside wrote.

The log says who sent, answered or returned what. Whether that is outside is a judgement, made in
your code each time it is asked, so it holds for every thread that there ever was. What nobody
vouched for is outside.

A label tells the model; it does not keep it from being persuaded. `taint` is for code: no risky
step may be let through without a person while it says anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twelvefold.context.shown import CORE_SHOWN, view
from twelvefold.context.tagged import Source
from twelvefold.thread import Event, Json, Thread

if TYPE_CHECKING:
    from pydantic import BaseModel

ANYBODY = "*"


def taint(thread: Thread, source: Source) -> tuple[str, ...]:
    """Who outside has written anything up to here, each once; empty for nobody.

    Nothing takes it away again: a summary of such words, and what was chosen after them, may carry
    what they say. For one step, ask about what the model had read: `thread.upto(chosen.after)`.
    """
    return tuple(dict.fromkeys(name for name in thread.each(source) if name is not None))


def outside(
    *,
    trusted: Iterable[str] = (),
    tools: "Iterable[type[BaseModel] | str]" = (),
    inside: Iterable[str] = (),
) -> Source:
    """A source that trusts nobody but those named here.

    - `trusted`: who sends and answers, as `channel:person` with `*` for any (`slack:*`,
      `email:ann@example.com`). Without a channel it is `user`; without a sender, nothing stands
      behind the colon (`user:`). A channel vouches for its names: whoever can send as `ann` is ann.
    - `tools`: steps whose results, and errors, are words from outside: `ReadMail`, `FetchPage`.
    - `inside`: types of events that only your own code writes: your own types, `signal_received`,
      `child_finished`.
    """
    from twelvefold.steps import intent_of  # pydantic, which a renderer does not need

    intents = [tool if isinstance(tool, str) else intent_of(tool) for tool in tools]
    return _Outside(frozenset(trusted), frozenset(intents), frozenset(inside))


@dataclass(frozen=True)
class _Outside:
    """Equal ones share what a thread keeps of them."""

    trusted: frozenset[str]
    tools: frozenset[str]
    inside: frozenset[str]

    def __call__(self, event: Event) -> str | None:
        if event.type in self.inside or event.type == "left_out" or view(event) is None:
            return None  # what the model is not shown, such as a bare "yes", brings no words
        data = event.data
        match event.type:
            case "message_received":
                return self._unless_trusted(data.get("channel") or "user", data.get("from"))
            case "contact_closed":  # nobody ended what expired
                by = data.get("by")
                return None if by is None else self._unless_trusted(data.get("channel"), by)
            case "signal_received":
                return f"signal:{data.get('signal')}"
            case "child_finished":
                return f"child:{data.get('intent')}"
            case "tool_returned" | "tool_failed":
                intent = data.get("intent")
                return f"tool:{intent}" if intent in self.tools else None
            case _:
                return None if event.type in CORE_SHOWN else f"event:{event.type}"

    def _unless_trusted(self, channel: Json, person: Json) -> str | None:
        where, who = _name(channel), _name(person)
        ways = {f"{where}:{who}", f"{where}:{ANYBODY}", f"{ANYBODY}:{who}"}
        # With a colon in it, a channel could pass for another one and its sender.
        return None if ":" not in where and ways & self.trusted else f"{where}:{who}"


def _name(value: Json) -> str:
    return value if isinstance(value, str) else ""
