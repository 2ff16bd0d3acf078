"""What a reply may become: step models, any form that pydantic knows, or a JSON Schema."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from twelvefold.failures import clip
from twelvefold.schemas.given import JsonSteps
from twelvefold.schemas.nodes import Node, definitions, name_of
from twelvefold.steps import complaint, intent_of
from twelvefold.thread import Json
from twelvefold.tools.folding import fold_tag
from twelvefold.tools.matching import Match
from twelvefold.tools.rules import Fit, Mismatch, Rules, plain

INTENT = "intent"


@dataclass(frozen=True)
class Variant:
    """One schema, and what makes the result out of a value that fits it. `made` raises
    `Mismatch`."""

    node: Node
    rules: Rules
    made: Callable[[Json], Any]

    def fit(self, value: Json, *, exact: bool) -> Fit:
        """The result, in `value`, and the repairs. Raises `Mismatch`."""
        try:
            found = Match(replace(self.rules, exact=exact)).fit(value, self.node)
        except Mismatch as first:
            if first.reason == "invalid":
                self.made(plain(value))  # it says everything that is wrong, and not the first alone
            raise
        return Fit(self.made(found.value), found.notes)


@dataclass(frozen=True)
class Target:
    """Tagged variants by the value of their tag; or one root without a tag."""

    tag: str | None
    variants: Mapping[str, Variant]
    root: Variant | None = None

    def variant(self, written: Json, *, exact: bool) -> tuple[str, Variant] | None:
        """The variant of a tag, exact up to case and underscores."""
        if not isinstance(written, str):
            return None
        if exact or written in self.variants:
            found = self.variants.get(written)
            return (written, found) if found else None
        folded = fold_tag(written)
        named = [name for name in self.variants if fold_tag(name) == folded]
        return (named[0], self.variants[named[0]]) if len(named) == 1 else None

    @property
    def takes_text(self) -> bool:
        """Whether any text is an answer, as it is."""
        node = self.root.rules.resolved(self.root.node) if self.root else {}
        return node.get("type") == "string" and "enum" not in node


def target_of(classes: Mapping[str, type[BaseModel]]) -> Target:
    return Target(INTENT, {intent: step_variant(cls) for intent, cls in classes.items()})


@cache
def step_variant(cls: type[BaseModel]) -> Variant:
    node = cls.model_json_schema()
    intent = intent_of(cls)

    def made(value: Json) -> BaseModel:
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise Mismatch("", clip(f"{intent}: {complaint(error)}")) from error

    return Variant(node, _rules(node, open=False), made)


@cache
def form_target(form: Any) -> Target:
    """Of `parse_answer`: the result is JSON."""
    if isinstance(form, JsonSteps):
        return json_target(form)
    adapter: TypeAdapter[Any] = TypeAdapter(form)
    node = adapter.json_schema()

    def made(value: Json) -> Json:
        try:
            return adapter.dump_python(adapter.validate_python(value), mode="json")
        except ValidationError as error:
            raise Mismatch("", clip(complaint(error))) from error

    return Target(None, {}, Variant(node, _rules(node, open=False), made))


@cache
def json_target(steps: JsonSteps) -> Target:
    """Of a JSON Schema: the result is the plain value."""
    rules = Rules(steps.resolved, definitions(steps.schema), open=True)

    def made(value: Json) -> Json:
        if wrong := steps.check(value):
            raise Mismatch("", clip("; ".join(wrong)))
        return value

    variants = {str(name): Variant(node, rules, made) for name, node in steps.variants.items()}
    return Target(steps.tag, variants, Variant(steps.schema, rules, made))


def _rules(root: Node, *, open: bool) -> Rules:
    defs = definitions(root)

    def resolved(node: Node) -> Node:
        name = name_of(str(node.get("$ref", "")))
        return defs.get(name, root) if name else root if node.get("$ref") == "#" else node

    return Rules(resolved, defs, open=open)
