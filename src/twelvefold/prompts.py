"""Prompts are files of the user's: role lines and a Jinja2 body. Nothing is added to them.

A line `--- system`, `--- user` or `--- assistant` begins a message; without one the file is one
user message. A `Thread` among the variables is rendered by `context`, the user's function.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from twelvefold.exceptions import PromptError
from twelvefold.messages import Message, Part, Role
from twelvefold.thread import Thread

_ROLE = re.compile(r"^--- (system|user|assistant)[ \t]*(?:\n|\Z)", re.MULTILINE)
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
)


class Context(Protocol):
    """The user's function from a thread to what the model reads of it."""

    def __call__(self, thread: Thread, /) -> str: ...


class Prompt:
    """A prompt file. Calling it with variables gives what `AskModel` takes.

    The file is read when the prompt is made. Raises `PromptError`, here and when it is rendered.
    `context` is needed only where a `Thread` is among the variables.
    """

    def __init__(self, path: str | Path, *, context: Context | None = None) -> None:
        self.path, self.context = Path(path), context
        try:
            source = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PromptError(f"The prompt {path} cannot be read: {error}") from error
        self._templates: list[tuple[Role, Template]] = [
            (role, self._compiled(body)) for role, body in self._sections(source)
        ]

    def __call__(self, **variables: Any) -> Callable[[], tuple[Message, ...]]:
        return lambda: self.messages(**variables)

    def messages(self, **variables: Any) -> tuple[Message, ...]:
        """The exact messages, one per role line."""
        shown = {name: self._shown(name, value) for name, value in variables.items()}
        return tuple(
            Message(role, (Part(self._rendered(template, shown)),))
            for role, template in self._templates
        )

    def _shown(self, name: str, value: Any) -> Any:
        if not isinstance(value, Thread):
            return value
        if self.context is None:
            raise PromptError(
                f"{self.path}: {name} is a thread, and the prompt does not know how to show it:"
                " name a function, for example Prompt(path, context=render)."
            )
        return self.context(value)

    def _compiled(self, body: str) -> Template:
        try:
            return _ENVIRONMENT.from_string(body)
        except TemplateError as error:
            raise PromptError(f"{self.path}: {error}") from error

    def _rendered(self, template: Template, variables: dict[str, Any]) -> str:
        try:
            return template.render(variables)
        except Exception as error:  # a template can raise whatever its expressions do
            raise PromptError(f"{self.path}: {type(error).__name__}: {error}") from error

    def _sections(self, source: str) -> list[tuple[Role, str]]:
        """Role and body of each message. Roles are read before anything is inserted, so no text of
        an event can begin a message."""
        before, *rest = _ROLE.split(source)
        if not rest:
            return [("user", source)]
        if before.strip():
            lost = before.strip()[:40]
            raise PromptError(f"{self.path}: text before the first role line: {lost!r}.")
        return [(cast(Role, role), body) for role, body in zip(rest[::2], rest[1::2], strict=True)]
