"""Steps: unions, intents, stored arguments, the structural hash and the digest."""

import itertools
from datetime import UTC, datetime
from enum import Enum
from typing import Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, computed_field, field_validator

from small import AGENT, Deploy, Look, NextStep
from twelvefold.agent import Agent
from twelvefold.exceptions import InvalidSteps, Unstorable, WrongDecision
from twelvefold.steps import (
    Step,
    arg_names,
    args_of,
    digest,
    intent_of,
    members,
    read_step,
    risk_of,
    schema_hash,
)
from twelvefold.tools import schema_of


def step(**annotations: Any) -> type[Step]:
    """A step class `S` with these fields: name=type or name=(type, default)."""
    fields = {k: v if isinstance(v, tuple) else (v, ...) for k, v in annotations.items()}
    space = {"__annotations__": {k: t for k, (t, _) in fields.items()}, "__module__": __name__}
    space["__annotations__"]["intent"] = Literal["s"]
    space |= {k: d for k, (_, d) in fields.items() if d is not ...} | {"intent": "s"}
    return type("S", (Step,), space)


def test_a_union_is_its_classes_by_intent():
    assert members(Deploy | Look) == {"deploy": Deploy, "look": Look}
    assert members(Look) == {"look": Look}
    assert len(members(NextStep)) == 7


def test_the_order_of_a_union_is_its_own_whatever_was_asked_before():
    members(Deploy | Look)
    schema_of(Deploy | Look)

    assert list(members(Look | Deploy)) == ["look", "deploy"]
    assert list(members(Deploy | Look)) == ["deploy", "look"]
    assert schema_of(Look | Deploy) != schema_of(Deploy | Look)


class Thawed(BaseModel):
    intent: Literal["thawed"] = "thawed"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)
    intent: Literal["frozen"] = "frozen"


class Nameless(Step):
    x: int


class Free(Step):
    intent: str = "free"


class Undecided(Step):
    intent: Literal["a", "b"] = "a"


class NoDefault(Step):
    intent: Literal["no_default"]


class Upper(Step):
    intent: Literal["Deploy It"] = "Deploy It"


class CoreName(Step):
    intent: Literal["tool_returned"] = "tool_returned"


class Result(Step):
    intent: Literal["deploy_result"] = "deploy_result"


class Message(Step):
    intent: Literal["slack_message"] = "slack_message"


class Risky(Step):
    risk: ClassVar[Any] = "extreme"
    intent: Literal["risky"] = "risky"


class Twin(Step):
    intent: Literal["look"] = "look"


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        (Thawed, "frozen=True"),
        (Nameless, "needs a field"),
        (Free, "needs a field"),
        (Undecided, "needs a field"),
        (NoDefault, "needs a field"),
        (Upper, "not a free name"),
        (CoreName, "not a free name"),
        (Result, "may not end in"),
        (Message, "may not end in"),
        (Risky, "not one of low, medium, high"),
        (Look | Twin, "Look and Twin share 'look'"),
        (int, "int needs a field"),
    ],
)
def test_a_model_that_cannot_be_a_step_is_refused(steps: Any, complaint: str):
    with pytest.raises(InvalidSteps, match=complaint):
        members(steps)
    with pytest.raises(InvalidSteps):
        Agent("bot", lambda t, s: None, steps, owner="olga")  # pyright: ignore


def test_any_frozen_model_will_do_and_undeclared_risk_is_low():
    assert intent_of(Frozen) == "frozen"
    assert (risk_of(Frozen), risk_of(Deploy)) == ("low", "high")


def test_an_agent_without_an_owner_is_refused():
    with pytest.raises(WrongDecision):
        Agent("bot", AGENT.decide, NextStep, owner=[])


class Rich(Step):
    intent: Literal["rich"] = "rich"
    at: datetime
    tags: tuple[str, ...]
    region: str = Field("eu", alias="regionName")
    area: float = 2.5

    @computed_field
    @property
    def count(self) -> int:
        return len(self.tags)


RICH = Rich(at=datetime(2026, 1, 1, tzinfo=UTC), tags=("a", "b"), regionName="us")


def test_stored_arguments_read_back_as_the_same_step():
    args = args_of(RICH)

    assert list(args) == ["at", "tags", "regionName", "area"]
    assert read_step(Rich, args) == RICH
    assert arg_names(Rich) == set(args)


class Secret(Step):
    intent: Literal["secret"] = "secret"
    password: SecretStr


class Creeping(Step):
    intent: Literal["creeping"] = "creeping"
    tag: str

    @field_validator("tag")
    @classmethod
    def lengthened(cls, tag: str) -> str:
        return tag + "!"


class Crossed(Step):
    intent: Literal["crossed"] = "crossed"
    tag: str = Field(serialization_alias="label")


@pytest.mark.parametrize(
    "lossy",
    [Secret(password=SecretStr("x")), Creeping(tag="v"), Crossed(tag="v")],
)
def test_a_step_that_would_run_as_another_one_is_not_stored(lossy: Step):
    with pytest.raises(Unstorable):
        args_of(lossy)


BOUND: dict[str, Any] = {
    "tenant": "acme",
    "thread_id": "t1",
    "contact": "s1.1",
    "intent": "deploy",
    "schema": "1:abc",
    "args": {"tag": "v1", "n": 1},
}


@pytest.mark.parametrize("part", list(BOUND))
def test_any_part_changes_the_digest(part: str):
    assert digest(**BOUND) != digest(**BOUND | {part: "other"})


def test_no_two_parts_can_be_shifted_into_each_other():
    assert digest(**BOUND | {"tenant": "a", "thread_id": "bc"}) != digest(
        **BOUND | {"tenant": "ab", "thread_id": "c"}
    )


def test_the_type_of_an_argument_changes_the_digest_but_not_the_order():
    def of(args: Any) -> str:
        return digest(**BOUND | {"args": args})

    assert len({of({"n": n}) for n in (1, 1.0, True, "1", [1], None)}) == 6
    assert of({"a": 1, "b": 2}) == of({"b": 2, "a": 1})


class Colour(Enum):
    RED = "red"


class Wider(Enum):
    RED = "red"
    BLUE = "blue"


def nested(**fields: Any) -> type[BaseModel]:
    space = {"__annotations__": fields, "__module__": __name__}
    return type("Inner", (BaseModel,), space)


STRUCTURES = [
    step(),
    step(tag=str),
    step(tag=int),
    step(label=str),
    step(tag=(str, "v1")),
    step(tag=(str, "v2")),
    step(tag=str | None),
    step(tag=(str | None, None)),
    step(tag=list[str]),
    step(tag=list[int]),
    step(tag=tuple[str, int]),
    step(tag=tuple[int, str]),
    step(tag=dict[str, int]),
    step(tag=dict[str, str]),
    step(tag=Literal["a"]),
    step(tag=Literal["a", "b"]),
    step(tag=Colour),
    step(tag=Wider),
    step(tag=(str, Field(max_length=3))),
    step(tag=(str, Field(alias="label2"))),
    step(tag=nested(a=int)),
    step(tag=nested(a=str)),
    step(tag=nested(a=int, title=str)),
    step(tag=nested(a=int, description=str)),
    step(tag=list[nested(a=int)]),
    step(title=str),
    step(description=str),
    step(default=str),
    step(tag=(dict[str, str], {"title": "x"})),
    step(tag=(dict[str, str], {"title": "y"})),
]


def test_every_structure_has_its_own_hash():
    hashes = [schema_hash(cls) for cls in STRUCTURES]

    clashes = [
        (a, b) for a, b in itertools.combinations(range(len(hashes)), 2) if hashes[a] == hashes[b]
    ]
    assert clashes == []


def test_words_for_people_do_not_void_an_approval():
    plain = step(tag=str, inner=nested(a=int))
    Worded: Any = step(
        tag=(str, Field(description="a git tag", title="Tag", examples=["v1"])), inner=nested(a=int)
    )
    Worded.__doc__ = "Deploys."
    Worded.model_rebuild(force=True)

    assert "a git tag" in str(Worded.model_json_schema())
    assert schema_hash(plain) == schema_hash(Worded)


def test_the_order_of_a_union_does_not_matter():
    assert schema_hash(step(tag=int | str)) == schema_hash(step(tag=str | int))


class Tree(BaseModel):
    name: str
    children: "list[Tree]" = []


class OtherTree(BaseModel):
    name: int
    children: "list[OtherTree]" = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    owner: "Cat | Dog | None" = None


def test_recursive_models_have_a_hash_that_sees_into_them():
    assert schema_hash(step(tree=Tree)) != schema_hash(step(tree=OtherTree))
    assert schema_hash(step(pet=Cat | Dog)) != schema_hash(step(pet=Dog))


class Chain(Step):
    intent: Literal["chain"] = "chain"
    then: "Chain | None" = None


def test_a_step_may_hold_itself():
    outer = Chain(then=Chain())

    assert schema_hash(Chain).startswith("1:")
    assert read_step(Chain, args_of(outer)) == outer
