"""A model that follows a script: offline, and without memory, so it survives a restart.

A script is a list of rules. The first rule that fits what the model reads now is its reply.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel

from twelvefold.exceptions import ConfigurationError
from twelvefold.messages import ModelReply, ModelRequest, Usage
from twelvefold.steps import args_of, intent_of
from twelvefold.thread import Json, to_text

CHARS_PER_TOKEN = 4
_KEYS = frozenset({"agent", "turn", "seen", "unseen", "step"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Reply with `step` when every text of `seen` and none of `unseen` is in what the model reads.

    `agent` and `turn` (the n-th model call of the thread, from 1) narrow it further.
    """

    step: Mapping[str, Json]
    seen: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    agent: str | None = None
    turn: int | None = None

    def fits(self, request: ModelRequest) -> bool:
        text = request.text
        return (
            self.agent in (None, request.agent)
            and self.turn in (None, request.turn)
            and all(words in text for words in self.seen)
            and not any(words in text for words in self.unseen)
        )


Script = Iterable[Rule | BaseModel] | Callable[[ModelRequest], BaseModel | Mapping[str, Json]]


class ScriptedModel:
    """Replies by a function of the request, by rules, or by a plain list of steps, one per turn.

    A call that no rule fits fails with a message that shows the end of what the model read.
    `offline`: `twelvefold test` may ask it.
    """

    offline = True

    def __init__(self, script: Script) -> None:
        self._reply: Callable[[ModelRequest], BaseModel | Mapping[str, Json]]
        if callable(script):
            self._reply = script
        else:
            self._rules = [_rule(one, turn) for turn, one in enumerate(script, start=1)]
            self._reply = self._by_rule

    @classmethod
    def from_file(cls, path: str | Path) -> "ScriptedModel":
        """A YAML file: a list of maps with `step` and, where wanted, `seen`, `unseen`, `agent`,
        `turn`.

        Raises `ConfigurationError`.
        """
        try:
            loaded: Json = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise ConfigurationError(f"The script {path} cannot be read: {error}") from error
        if not isinstance(loaded, list):
            raise ConfigurationError(f"The script {path} is not a list of rules.")
        rules = cast(list[Json], loaded)
        return cls([_rule_of(one, f"{path}, rule {n}") for n, one in enumerate(rules, start=1)])

    async def __call__(self, request: ModelRequest) -> ModelReply:
        step = self._reply(request)
        if isinstance(step, BaseModel):
            step = {"intent": intent_of(type(step)), **args_of(step)}
        text = to_text(step)
        usage = Usage(
            input=len(request.text) // CHARS_PER_TOKEN, output=len(text) // CHARS_PER_TOKEN
        )
        return ModelReply(text, usage=usage, model="scripted")

    def _by_rule(self, request: ModelRequest) -> Mapping[str, Json]:
        for rule in self._rules:
            if rule.fits(request):
                return rule.step
        end = request.text[-200:]
        raise ConfigurationError(
            f"No rule of the script fits turn {request.turn} of {request.agent!r}. The model read,"
            f" at its end: {json.dumps(end)}"
        )


def _rule(one: Rule | BaseModel, turn: int) -> Rule:
    if isinstance(one, Rule):
        return one
    return Rule({"intent": intent_of(type(one)), **args_of(one)}, turn=turn)


def _rule_of(data: Any, where: str) -> Rule:
    given = cast(dict[str, Json], data if isinstance(data, dict) else {})
    if not isinstance(given.get("step"), dict):
        raise ConfigurationError(f"{where}: a rule is a map with a `step`.")
    if unknown := set(given) - _KEYS:
        raise ConfigurationError(f"{where}: unknown {', '.join(sorted(unknown))}.")
    return Rule(
        given["step"],
        _texts(given.get("seen")),
        _texts(given.get("unseen")),
        given.get("agent"),
        given.get("turn"),
    )


def _texts(given: Json) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())
