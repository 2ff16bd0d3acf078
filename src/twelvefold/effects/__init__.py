"""What `decide` may return: frozen records. Every effect that takes time names one open step.

An effect names its step by identity: the very object from `state.ready`. pyright proves the rest: a
tool gets a step it takes, deps it knows, and only steps of the union are offered or chosen.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel
from typing_extensions import TypeVar as DefaultTypeVar

from twelvefold.call import Call as Call
from twelvefold.effects.model import AskModel as AskModel
from twelvefold.effects.model import Choose as Choose
from twelvefold.effects.people import Approve as Approve
from twelvefold.effects.people import Ask as Ask
from twelvefold.effects.people import Escalate as Escalate
from twelvefold.effects.people import Rule as Rule
from twelvefold.effects.people import Source as Source
from twelvefold.effects.people import escalate as escalate
from twelvefold.effects.people import rule as rule
from twelvefold.effects.running import TOOLS_KEPT_MAX as TOOLS_KEPT_MAX
from twelvefold.effects.running import D as D
from twelvefold.effects.running import D_contra as D_contra
from twelvefold.effects.running import Run as Run
from twelvefold.effects.running import S as S
from twelvefold.effects.running import Tool as Tool
from twelvefold.effects.running import Transient as Transient
from twelvefold.effects.running import arity as arity
from twelvefold.effects.running import run as run
from twelvefold.effects.settling import Compact as Compact
from twelvefold.effects.settling import Delegate as Delegate
from twelvefold.effects.settling import Finish as Finish
from twelvefold.effects.settling import Settle as Settle
from twelvefold.effects.settling import Sleep as Sleep
from twelvefold.effects.settling import Wait as Wait
from twelvefold.effects.settling import WaitFor as WaitFor
from twelvefold.effects.telling import Tell as Tell

S_co = TypeVar("S_co", bound=BaseModel, covariant=True)
E_s = TypeVar("E_s", bound=BaseModel)
E_d = DefaultTypeVar("E_d", default=None)


@dataclass(frozen=True, slots=True, init=False)
class All(Generic[S_co, D_contra]):
    """Begin all of them in one commit and do their I/O side by side. Empty is `Wait`."""

    effects: "tuple[One[S_co, D_contra], ...]"

    def __init__(self, *effects: "One[S_co, D_contra]") -> None:
        object.__setattr__(self, "effects", effects)


_Quick = Settle | Tell
_Waiting = Sleep | WaitFor | Delegate
One = AskModel[E_s] | Choose[E_s] | Run[E_d] | Approve | Ask | _Quick | _Waiting
"""What `All` may hold."""

Effect = One[E_s, E_d] | Compact | Finish | Wait | All[E_s, E_d]
"""What `decide` may return."""
