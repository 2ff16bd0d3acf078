"""The steps of an operator who deploys, pays back and writes mails: what the cases choose among."""

from datetime import date
from enum import Enum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from twelvefold.steps import Step


class DeployBackend(Step):
    intent: Literal["deploy_backend"] = "deploy_backend"
    tag: str
    dry_run: bool = False


class ListPods(Step):
    intent: Literal["list_pods"] = "list_pods"
    namespace: str = "default"


class Refund(Step):
    intent: Literal["refund"] = "refund"
    order: str
    amount: float = Field(gt=0)
    reason: str | None = None


class SendMail(Step):
    intent: Literal["send_mail"] = "send_mail"
    to: list[str]
    subject: str
    body: str


class Level(Enum):
    LOW = "low"
    VERY_HIGH = "very high"
    MEDIUM = "médium"


class SetPriority(Step):
    intent: Literal["set_priority"] = "set_priority"
    level: Level
    due: date | None = None


class Scale(Step):
    intent: Literal["scale"] = "scale"
    service: str
    replicas: int


class WriteFile(Step):
    intent: Literal["write_file"] = "write_file"
    path: str
    content: str


class Choice(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    weight: float = 1.0


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    urgency: Literal["low", "high"] = "low"
    choices: list[Choice] = []


class AskHuman(Step):
    intent: Literal["ask_human"] = "ask_human"
    question: str
    options: Options = Options()


class DoneForNow(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


class NothingToDo(Step):
    intent: Literal["nothing_to_do"] = "nothing_to_do"


Crew = (
    DeployBackend
    | ListPods
    | Refund
    | SendMail
    | SetPriority
    | Scale
    | WriteFile
    | AskHuman
    | DoneForNow
    | NothingToDo
)
