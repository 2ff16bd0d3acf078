"""Steps by which an agent turns to people, ready to use.

They are plain steps: put them into your union, or copy one and change it. They have comments and
no docstrings, since those would be sent: what they are for, your prompt says. `ask` makes the
question out of one that awaits an answer; the other two end a thread, and a message goes on with
it.
"""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from twelvefold.effects import Ask
from twelvefold.forms import CHOICES_MAX, Form, free_text, multiple_choice, yes_no
from twelvefold.policy import By
from twelvefold.steps import Step


# How urgent the answer is, and its form. The choices are those of `multiple_choice`.
class InputOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    urgency: Literal["low", "medium", "high"] = "medium"
    format: Literal["free_text", "yes_no", "multiple_choice"] = "free_text"
    choices: tuple[str, ...] = ()


# Ask a person. The context is what they need to know to answer.
class RequestHumanInput(Step):
    intent: Literal["request_human_input"] = "request_human_input"
    question: str
    context: str = ""
    options: InputOptions = InputOptions()


# Ask whoever wrote for what is missing or unclear.
class RequestMoreInformation(Step):
    intent: Literal["request_more_information"] = "request_more_information"
    message: str


# Nothing is left to do for now. The message is for whoever wrote.
class DoneForNow(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


# What came in needs neither work nor a reply. The reason is for the log.
class NothingToDo(Step):
    intent: Literal["nothing_to_do"] = "nothing_to_do"
    reason: str


def ask(
    step: RequestHumanInput | RequestMoreInformation, *, to: By, within: timedelta | None = None
) -> Ask:
    """The question of a step to people; its context stands below it.

    The answer is free text, yes or no (as true or false), or one of the choices, as the step says.
    Where there is nothing to choose from, it is free text.
    """
    if isinstance(step, RequestMoreInformation):
        return Ask(step, step.message, to=to, within=within)
    words = filter(None, [step.question, step.context])
    return Ask(step, "\n\n".join(words), to=to, within=within, form=form_of(step))


def form_of(step: RequestHumanInput) -> Form:
    """What the answer must be. Choices are a choice when 2 to CHOICES_MAX of them differ."""
    choices = [choice for choice in dict.fromkeys(step.options.choices) if choice.strip()]
    match step.options.format:
        case "yes_no":
            return yes_no()
        case "multiple_choice" if 2 <= len(choices) <= CHOICES_MAX:
            return multiple_choice(*choices)
        case _:
            return free_text()
