"""What an answer may look like: the form of a question, and options beside yes and no. Data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from twelvefold.exceptions import WrongDecision
from twelvefold.thread import Json, from_text, to_text

FormKind = Literal["free_text", "yes_no", "multiple_choice", "json"]

CHOICES_MAX = 100
OPTIONS_MAX = 20


@dataclass(frozen=True, slots=True)
class Form:
    """What the answer to a question must be. Made by the functions below.

    `schema` is the JSON text of a JSON Schema, of a `json` form alone.
    """

    kind: FormKind
    choices: tuple[str, ...] = ()
    many: bool = False
    schema: str = ""

    def to_data(self) -> dict[str, Json]:
        data: dict[str, Json] = {"kind": self.kind}
        if self.choices:
            data |= {"choices": list(self.choices), "many": self.many}
        return data | ({"schema": from_text(self.schema)} if self.schema else {})

    @staticmethod
    def from_data(data: Mapping[str, Json]) -> "Form":
        schema = to_text(data["schema"]) if "schema" in data else ""
        choices, many = tuple(data.get("choices", ())), data.get("many", False)
        return Form(data["kind"], choices, many, schema)

    def json_schema(self) -> dict[str, Json]:
        """What a page needs to show fields for the answer."""
        match self.kind:
            case "free_text":
                return {"type": "string", "minLength": 1}
            case "yes_no":
                return {"type": "boolean"}
            case "multiple_choice":
                one: dict[str, Json] = {"enum": list(self.choices)}
                several = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
                return several if self.many else one
            case _:
                return from_text(self.schema)


def free_text() -> Form:
    """A text that is not empty."""
    return Form("free_text")


def yes_no() -> Form:
    """True or false."""
    return Form("yes_no")


def multiple_choice(*choices: str, many: bool = False) -> Form:
    """One of the choices, or with `many` at least one of them. Raises `WrongDecision`."""
    if not 2 <= len(set(choices)) == len(choices) <= CHOICES_MAX or not all(choices):
        raise WrongDecision(
            f"multiple_choice{choices!r}: 2 to CHOICES_MAX = {CHOICES_MAX} different texts."
        )
    return Form("multiple_choice", choices, many)


def json_answer(form: Any) -> Form:
    """What fits a JSON Schema, or a type that pydantic knows."""
    if isinstance(form, dict):
        return Form("json", schema=to_text(cast("dict[str, Json]", form)))
    from pydantic import TypeAdapter

    return Form("json", schema=to_text(TypeAdapter(form).json_schema()))


@dataclass(frozen=True, slots=True)
class Option:
    """One more way to end a contact, by a name that code can use.

    `prompt_fill` stands in the field for the comment; without `interactive` it is sent as it is.
    """

    name: str
    title: str = ""
    description: str = ""
    prompt_fill: str = ""
    interactive: bool = True

    def to_data(self) -> dict[str, Json]:
        texts = {name: getattr(self, name) for name in ("title", "description", "prompt_fill")}
        data: dict[str, Json] = {"name": self.name} | {k: v for k, v in texts.items() if v}
        return data if self.interactive else data | {"interactive": False}

    @staticmethod
    def from_data(data: Mapping[str, Json]) -> "Option":
        return Option(**data)


def checked_options(options: Sequence[Option], *, taken: Sequence[str]) -> Sequence[Option]:
    """The options; `taken` are words that mean something else. Raises `WrongDecision`."""
    names = [option.name for option in options]
    if len(set(names)) < len(names) or not all(names) or len(names) > OPTIONS_MAX:
        raise WrongDecision(f"options {names}: up to OPTIONS_MAX = {OPTIONS_MAX} different names.")
    if words := sorted(set(names) & set(taken)):
        raise WrongDecision(f"An option cannot be called {', '.join(words)}: that is an answer.")
    return options
