"""The arguments of a step as a person changes them: by `--set`, or as YAML in $EDITOR."""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import click

from twelvefold.channels.terminal import Terminal
from twelvefold.cli.decision import Asked
from twelvefold.cli.here import Here
from twelvefold.exceptions import InvalidAnswer
from twelvefold.thread import Json, canonical


def changes_of(here: Here, asked: Asked, sets: Sequence[str]) -> dict[str, Json] | None:
    """The arguments that change, by name; None when nothing does. Raises `InvalidAnswer`."""
    if sets:
        return changed(asked.row.data["args"], sets)
    if here.terminal is None:
        raise click.UsageError("Give --set PATH=VALUE; only a terminal opens $EDITOR.")
    return _edited(here, here.terminal, asked)


def changed(args: Mapping[str, Json], sets: Sequence[str]) -> dict[str, Json]:
    """Whole new values of the arguments that `PATH=VALUE`s touch. Raises `InvalidAnswer`."""
    new = copy.deepcopy(dict(args))
    touched: dict[str, Json] = {}
    for one in sets:
        path, equals, value = one.partition("=")
        if not equals or not path:
            raise InvalidAnswer(f"{one!r} is not PATH=VALUE. Nothing was done.")
        _set(new, path.split("."), _json_or_text(value), path)
        top = path.split(".")[0]
        touched[top] = new[top]
    return touched


def _set(target: Any, keys: list[str], value: Json, path: str) -> None:
    *way, last = keys
    try:
        for key in way:
            target = target[int(key) if isinstance(target, list) else key]
        if isinstance(target, list):
            cast("list[Json]", target)[int(last)] = value
        else:
            target[last] = value
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise InvalidAnswer(f"There is no {path!r} in the arguments. Nothing was done.") from error


def _json_or_text(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _edited(here: Here, terminal: Terminal, asked: Asked) -> dict[str, Json] | None:
    """The arguments as YAML in $EDITOR, until the step takes them; what was changed there. What
    somebody has typed is not lost to a mistake in it."""
    from twelvefold.context.body import to_yaml

    args: dict[str, Json] = asked.row.data["args"]
    text = to_yaml(args)
    while (saved := click.edit(text, extension=".yaml")) is not None:
        try:
            changes = changes_in(saved, args)
            _check(here, asked, changes)
            return changes or None
        except InvalidAnswer as error:
            here.out.line(f"  {error}")
        try:
            if terminal.read("  [e]dit again  [q]uit > ").strip().lower() not in {"e", "edit"}:
                return None
        except EOFError:
            return None
        text = saved
    return None


def changes_in(saved: str, args: Mapping[str, Json]) -> dict[str, Json]:
    """What differs in the YAML that was saved, by name. Raises `InvalidAnswer`, also where an
    argument was taken out: it would run as it was, and whoever saved this believes it gone."""
    from twelvefold.context.body import from_yaml
    from twelvefold.exceptions import NotRendered

    try:
        new = from_yaml(saved)
    except NotRendered as error:
        raise InvalidAnswer(f"{error}. Nothing was done.") from error
    if not isinstance(new, dict):
        raise InvalidAnswer("What was saved is not a map of arguments. Nothing was done.")
    found = cast("dict[str, Json]", new)
    if missing := [name for name in args if name not in found]:
        raise InvalidAnswer(
            f"{', '.join(missing)} is missing, and would run as it was: write what it is to be,"
            " such as null or []. Nothing was done."
        )
    return {name: value for name, value in found.items() if _differs(args, name, value)}


def _differs(args: Mapping[str, Json], name: str, value: Json) -> bool:
    """As JSON: to Python, 1 is True."""
    return name not in args or canonical(args[name]) != canonical(value)


def _check(here: Here, asked: Asked, changes: Mapping[str, Json]) -> None:
    """As the answer will be judged, while the editor can still be opened again."""
    from twelvefold.steps import changed_args, members

    cls = members(here.app.agent(asked.thread.agent).steps).get(str(asked.row.data["intent"]))
    if cls is not None and changes:
        changed_args(cls, asked.row.data["args"], changes)
