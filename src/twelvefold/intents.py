"""Steps by which an agent turns to people, ready to use.

They are plain steps: put them into your union, or copy one and change its words. Their docstrings
are part of what a model reads. `ask` makes the question out of one that awaits an answer; the
other two end a thread: `Finish(step.message, step)`, and a reply goes on with it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from twelvefold.effects import Ask
from twelvefold.policy import By
from twelvefold.steps import Step


class InputOptions(BaseModel):
    """How urgent the answer is, and its form; `choices` are for `multiple_choice`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    urgency: Literal["low", "medium", "high"] = "medium"
    format: Literal["free_text", "yes_no", "multiple_choice"] = "free_text"
    choices: tuple[str, ...] = ()


class RequestHumanInput(Step):
    """Ask a person. `context` is what they need to know to answer."""

    intent: Literal["request_human_input"] = "request_human_input"
    question: str
    context: str = ""
    options: InputOptions = InputOptions()


class RequestMoreInformation(Step):
    """Ask whoever wrote for what is missing or unclear."""

    intent: Literal["request_more_information"] = "request_more_information"
    message: str


class DoneForNow(Step):
    """Nothing is left to do for now; `message` is the reply to whoever wrote."""

    intent: Literal["done_for_now"] = "done_for_now"
    message: str


class NothingToDo(Step):
    """What came in needs no work and no reply; `reason` says why."""

    intent: Literal["nothing_to_do"] = "nothing_to_do"
    reason: str


def ask(
    step: RequestHumanInput | RequestMoreInformation, *, to: By, within: timedelta | None = None
) -> Ask:
    """The question of a step to people; its context stands below it.

    The answer is free text, yes or no, or one of the choices, as the step says. Choices of which
    fewer than two differ are none to choose from: the answer is then free text.
    """
    if isinstance(step, RequestMoreInformation):
        return Ask(step, step.message, to=to, within=within)
    words = [step.question, step.context]
    return Ask(step, "\n\n".join(filter(None, words)), to=to, within=within)


def choices_of(step: RequestHumanInput) -> Sequence[str]:
    """What a person may choose from, each once; empty when there is nothing to choose."""
    given = step.options.choices if step.options.format == "multiple_choice" else ()
    different = [choice for choice in dict.fromkeys(given) if choice.strip()]
    return different if len(different) > 1 else []
