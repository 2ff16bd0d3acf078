"""Effects that choose a step: by a model, or by code."""

from dataclasses import dataclass
from typing import Any, Generic, Never, TypeVar, overload

from pydantic import BaseModel
from typing_extensions import TypeForm

from twelvefold.messages import Prompt

S_co = TypeVar("S_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True, slots=True, init=False)
class AskModel(Generic[S_co]):
    """Ask a model for one step of `steps`, or for an `answer` that settles `step`.

    An answer is of any type that pydantic knows; `str` is the reply as it is. Asking for a step
    while another waits is `Wait`, unless `while_waiting`. `model` picks one of `App(models={...})`;
    None is the first.
    """

    prompt: Prompt
    steps: Any
    answer: Any
    step: BaseModel | None
    while_waiting: bool
    model: str | None

    @overload
    def __init__(
        self,
        prompt: Prompt,
        steps: TypeForm[S_co],
        *,
        while_waiting: bool = False,
        model: str | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: "AskModel[Never]",
        prompt: Prompt,
        *,
        answer: TypeForm[Any],
        step: BaseModel,
        model: str | None = None,
    ) -> None: ...
    def __init__(
        self,
        prompt: Prompt,
        steps: Any = None,
        *,
        answer: Any = None,
        step: BaseModel | None = None,
        while_waiting: bool = False,
        model: str | None = None,
    ) -> None:
        put = object.__setattr__  # one by one: every turn makes one of these
        put(self, "prompt", prompt)
        put(self, "steps", steps)
        put(self, "answer", answer)
        put(self, "step", step)
        put(self, "while_waiting", while_waiting)
        put(self, "model", model)


@dataclass(frozen=True, slots=True, init=False)
class Choose(Generic[S_co]):
    """Code chooses these steps, as a model would."""

    steps: tuple[S_co, ...]

    def __init__(self, *steps: S_co) -> None:
        object.__setattr__(self, "steps", steps)
